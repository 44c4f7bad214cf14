package unpack

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

const program = "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00\xb8\x00\x00\x00\x00\x00\x00\x00@\x00\x00\x00"

// uuencoded is a file in a text.
func uuencoded(name, content string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "begin 644 %s\r\n", name)
	for len(content) > 0 {
		line := content[:min(45, len(content))]
		content = content[len(line):]
		b.WriteByte(' ' + byte(len(line)))
		for padded := line + "\x00\x00"; len(padded) >= 3; padded = padded[3:] {
			n := int(padded[0])<<16 | int(padded[1])<<8 | int(padded[2])
			for shift := 18; shift >= 0; shift -= 6 {
				b.WriteByte(" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"[n>>shift&63])
			}
		}
		b.WriteString("\r\n")
	}
	return b.String() + "`\r\nend\r\n\r\n"
}

// TestNoFillingHidesAFile puts many harmless things of every kind into a text before
// a program: it is found, or the message is not one that may pass.
func TestNoFillingHidesAFile(t *testing.T) {
	run := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) + "\r\n\r\n" }
	fillings := map[string]string{
		"uuencode": uuencoded("a.txt", "hello"),
		"yEnc":     "=ybegin line=128 size=3 name=a.txt\r\nkl\r\n=yend size=3\r\n\r\n",
		"base64":   run(strings.Repeat("hello, world ", 5)),
		"words":    strings.Repeat("words", 20) + "\r\n\r\n",
		"mails":    "\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nhello\r\n\r\n",
	}
	payloads := map[string]string{"uuencode": uuencoded("a.exe", program+strings.Repeat("\x00", 300)), "base64": run(program + strings.Repeat("\x00", 300))}
	for name, filling := range fillings {
		for wrapping, payload := range payloads {
			for _, n := range []int{0, 190, 205, 1000, 2500} {
				l := testLimits
				l.Parts = 10_000
				m := open(t, l, "Subject: x\r\n\r\nhi\r\n\r\n"+strings.Repeat(filling, n)+payload)
				found := slices.ContainsFunc(m.Parts, func(p scan.Part) bool { return p.Content != nil && strings.HasPrefix(read(t, p), "MZ\x90") })
				limited := slices.ContainsFunc(m.Notes, func(f scan.Finding) bool {
					return f.Kind == scan.Unscannable && f.Rule != "mime/carved-limit"
				})
				if !found && !limited || !found && n <= 1000 {
					t.Errorf("%d of %s hide a program in %s: %+v", n, name, wrapping, m.Notes)
				}
			}
		}
	}
}

func read(t *testing.T, p scan.Part) string {
	t.Helper()
	b := make([]byte, 64)
	n, _ := p.Content.ReadAt(b, 0)
	return string(b[:n])
}

// A header that is the body in another reading is read once, not as a message in a message
// in a message.
func TestHeaderAsBody(t *testing.T) {
	for _, mail := range []string{
		"Content-Type: multipart/signed\r\n\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed;\r\n",
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/signed\r\nContent-Disposition: attachment\r\n\r\n" +
			"MIME-Version: 1.0\r\nSubject: a\r\nContent-Type: multipart/signed;\r\n\tboundary=y\r\n\r\n\r\n--y\r\n\r\nhello\r\n--y--\r\n--x--\r\n",
	} {
		m := opened(t.Context(), t, testLimits, mail)
		for _, f := range m.Notes {
			if f.Kind == scan.Unscannable {
				t.Errorf("%q: %s in %s", mail, f.Rule, m.Parts[f.Part].Path)
			}
		}
		if len(m.Parts) > 6 {
			t.Errorf("%q: %d parts", mail, len(m.Parts))
		}
	}
}
