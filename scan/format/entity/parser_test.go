package entity

import (
	"fmt"
	"strings"
	"testing"
)

// parse reads a message whole. Line ends in tests are written as \n and become
// CRLF.
func parse(t testing.TB, msg string) *Tree {
	t.Helper()
	p := NewParser(Limits{})
	p.Write([]byte(msg))
	return p.Close()
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// outline writes a tree as one line per entity.
func outline(msg string, e *Entity) string {
	var b strings.Builder
	var walk func(e *Entity, depth int)
	walk = func(e *Entity, depth int) {
		fmt.Fprintf(&b, "%s%q %s", strings.Repeat(" ", depth), e.Number, e.Type)
		if e.Encoding != Identity {
			fmt.Fprintf(&b, " %s", e.Encoding)
		}
		if !e.Composite() {
			fmt.Fprintf(&b, " %q", msg[e.Body.Start:e.Body.End])
		}
		for _, s := range e.Loose {
			fmt.Fprintf(&b, " +%q", msg[s.Start:s.End])
		}
		for _, n := range e.Notes {
			fmt.Fprintf(&b, " !%s", n.Code)
		}
		b.WriteByte('\n')
		for _, c := range e.Children {
			walk(c, depth+1)
		}
	}
	walk(e, 0)
	return b.String()
}

func TestFirstReading(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", `"1" text/plain ""` + "\n"},
		{"header only", "Subject: x\n", `"1" text/plain ""` + "\n"},
		{"no header", "hello\nworld\n", `"1" text/plain "hello\nworld\n" !header-missing` + "\n"},
		{"plain", "Subject: x\n\nhello\n", `"1" text/plain "hello\n"` + "\n"},
		{"two parts", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"foo\"\n\npreamble\n--foo\n\none\n--foo  \nContent-Type: a/b\nContent-Transfer-Encoding: BASE64\n\nQUJD\n\n--foo--\nepilogue\n",
			`"" multipart/mixed +"preamble" +"epilogue\n" !delimiter-padding
 "1" text/plain "one"
 "2" a/b base64 "QUJD\n"
`},
		{"nested", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=aa\n\n--aa\n\nx\n--aa--\n--a\nContent-Type: message/rfc822\n\nSubject: in\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\ny\n--c--\n\n--a\nContent-Type: message/rfc822\n\nSubject: z\n\nz\n--a--\n",
			`"" multipart/mixed !boundary-reused
 "1" multipart/alternative
  "1.1" text/plain "x"
 "2" message/rfc822
  "" multipart/mixed
   "2.1" text/plain "y"
 "3" message/rfc822
  "3.1" text/plain "z"
`},
		{"digest", "MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: in\n\ntext\n--a--",
			`"" multipart/digest
 "1" message/rfc822
  "1.1" text/plain "text"
`},
		{"not closed", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n", `"" multipart/mixed !multipart-unclosed
 "1" text/plain "x\n"
`},
		{"root is a message", "Content-Type: message/rfc822\n\nSubject: in\n\ntext", `"1" message/rfc822
 "1.1" text/plain "text"
`},
		{"no blank line", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n--a\nno header\n--a--", `"" multipart/mixed
 "1" text/html "" !header-unended
 "2" text/plain "no header" !header-missing
`},
		{"after close", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--\n--a\n\ny", `"" multipart/mixed +"--a\n\ny" !parts-after-close
 "1" text/plain "x"
`},
		{"unused", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--b\n\nx\n--b--\n", `"1" multipart/mixed "--b\n\nx\n--b--\n" !boundary-unused
`},
		{"encoded", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\nContent-Transfer-Encoding: base64\n\nLS1h\n", `"1" multipart/mixed base64 "LS1h\n" !encoded-multipart
`},
	}
	for _, tt := range tests {
		for _, eol := range []string{"\n", "\r\n"} {
			in := strings.ReplaceAll(tt.in, "\n", eol)
			got := strings.ReplaceAll(outline(in, parse(t, in).Root), `\r\n`, `\n`)
			if got != tt.want {
				t.Errorf("%s (%q):\n%s\nwant\n%s", tt.name, eol, got, tt.want)
			}
		}
	}
}
