// Package sample makes the mails that the demo, the end-to-end tests and the
// load run send: ordinary ones, and ones that are to be refused. The same call
// makes the same mail, byte for byte, on every machine. Lines end with CRLF.
package sample

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// EICAR is the standard anti-virus test file (www.eicar.org), in two pieces so
// that this source is not taken for one.
const EICAR = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// day is the date all samples bear.
var day = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// File is an attachment.
type File struct {
	Name, Type string
	Content    []byte
}

// header returns the fields every sample starts with.
func header(subject string) string {
	return "From: Sender <sender@example.org>\r\nTo: Recipient <user@test.local>\r\n" +
		"Subject: " + subject + "\r\nDate: " + day.Format(time.RFC1123Z) + "\r\n" +
		"Message-ID: <" + strings.ReplaceAll(subject, " ", ".") + "@example.org>\r\nMIME-Version: 1.0\r\n"
}

// Plain returns a mail of one short text.
func Plain(subject, text string) []byte {
	return []byte(header(subject) + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n")
}

// Newsletter returns a clean mail as shops send it: text and HTML, a list header, a
// logo from the sender's own host.
func Newsletter() []byte {
	const html = `<html><body><h1>Spring offers</h1><p>Dear reader,<br>the new catalogue is here.</p>
<p><a href="https://shop.example.org/spring">See the offers</a></p>
<img src="https://shop.example.org/logo.png" width="200" height="60" alt="Shop"></body></html>`
	return []byte(header("Spring offers") + "List-Unsubscribe: <https://shop.example.org/leave>\r\n" +
		"Content-Type: multipart/alternative; boundary=\"=_alt\"\r\n\r\n" +
		"--=_alt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear reader,\r\nthe new catalogue is here: " +
		"https://shop.example.org/spring\r\n" +
		"--=_alt\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + strings.ReplaceAll(html, "\n", "\r\n") + "\r\n--=_alt--\r\n")
}

// Attached returns a mail with a short text and the files in base64.
func Attached(subject string, files ...File) []byte {
	var b bytes.Buffer
	b.WriteString(header(subject) + "Content-Type: multipart/mixed; boundary=\"=_mix\"\r\n\r\n" +
		"--=_mix\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlease find the file attached.\r\n")
	for _, f := range files {
		fmt.Fprintf(&b, "--=_mix\r\nContent-Type: %s; name=\"%s\"\r\nContent-Disposition: attachment; filename=\"%s\"\r\n"+
			"Content-Transfer-Encoding: base64\r\n\r\n", f.Type, f.Name, f.Name)
		writeBase64(&b, f.Content)
	}
	b.WriteString("--=_mix--\r\n")
	return b.Bytes()
}

// writeBase64 writes lines of 76 characters, as RFC 2045, section 6.8 says.
func writeBase64(b *bytes.Buffer, content []byte) {
	const line = 57
	for len(content) > 0 {
		n := min(line, len(content))
		b.WriteString(base64.StdEncoding.EncodeToString(content[:n]) + "\r\n")
		content = content[n:]
	}
}

// EicarFile returns the test virus as a text file, so that scanners object to nothing
// but the virus.
func EicarFile() File {
	return File{Name: "notes.txt", Type: "application/octet-stream", Content: []byte(EICAR)}
}

// Zip returns a zip archive of the files.
func Zip(name string, files ...File) File {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		m, _ := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: day})
		m.Write(f.Content) // a bytes.Buffer takes everything
	}
	w.Close()
	return File{Name: name, Type: "application/zip", Content: b.Bytes()}
}

// Program returns a file that starts as Windows programs do.
func Program(name string) File {
	content := make([]byte, 1024)
	copy(content, "MZ\x90\x00")
	content[0x3c] = 0x80
	copy(content[0x80:], "PE\x00\x00")
	return File{Name: name, Type: "application/octet-stream", Content: content}
}

// Noise returns a file of n bytes without any pattern: what a photograph looks like
// to a scanner.
func Noise(name string, n int, seed uint64) File {
	content := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)}).Read(content)
	copy(content, "\xff\xd8\xff\xe0") // the first bytes of a JPEG
	return File{Name: name, Type: "image/jpeg", Content: content}
}
