package main

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// top returns the header of an ordinary mail, up to its own fields.
func top(subject string) string {
	return "From: Alice Example <alice@example.org>\n" +
		"To: Bob Example <bob@example.com>\n" +
		"Subject: " + subject + "\n" +
		"Date: Tue, 03 Mar 2026 09:15:42 +0100\n" +
		"Message-ID: <20260303081542.4711@mail.example.org>\n" +
		"MIME-Version: 1.0\n"
}

const (
	ascii = "Content-Type: text/plain; charset=us-ascii\n"
	utf8  = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
	html  = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
)

// part returns an entity: header fields, empty line, body.
func part(head, body string) string { return head + "\n" + body }

// parts returns a multipart's body.
func parts(boundary string, each ...string) string {
	var b strings.Builder
	for _, p := range each {
		b.WriteString("--" + boundary + "\n" + strings.TrimSuffix(p, "\n") + "\n")
	}
	return b.String() + "--" + boundary + "--\n"
}

// multi returns a multipart entity.
func multi(subtype, boundary string, each ...string) string {
	return "Content-Type: multipart/" + subtype + "; boundary=\"" + boundary + "\"\n\n" + parts(boundary, each...)
}

// b64 returns base64 in lines of 76 characters.
func b64(s string) string {
	return fold(base64.StdEncoding.EncodeToString([]byte(s)), 76)
}

// fold breaks s into lines of n characters.
func fold(s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	return b.String() + s + "\n"
}

// qp returns quoted-printable of text, line ends kept.
func qp(s string) string {
	var out strings.Builder
	width := 0
	for i := range len(s) {
		c := s[i]
		word := string(rune(c))
		if c == '=' || c != '\n' && c < ' ' || c > '~' || c == ' ' && (i+1 == len(s) || s[i+1] == '\n') {
			word = fmt.Sprintf("=%02X", c)
		}
		if width+len(word) > 73 && c != '\n' {
			out.WriteString("=\n")
			width = 0
		}
		out.WriteString(word)
		if width += len(word); c == '\n' {
			width = 0
		}
	}
	return out.String()
}

// file returns an attachment in base64.
func file(kind, name, content string) string {
	return "Content-Type: " + kind + "; name=\"" + name + "\"\n" +
		"Content-Disposition: attachment; filename=\"" + name + "\"\n" +
		"Content-Transfer-Encoding: base64\n\n" + b64(content)
}

// uu returns a uuencoded file with its "begin" and "end".
func uu(name, content string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "begin 644 %s\n", name)
	for len(content) > 0 {
		n := min(45, len(content))
		b.WriteString(uuLine(content[:n]))
		content = content[n:]
	}
	return b.String() + "`\nend\n"
}

func uuLine(s string) string {
	char := func(v uint) byte {
		if v&63 == 0 {
			return '`'
		}
		return byte(v&63) + ' '
	}
	out := []byte{char(uint(len(s)))}
	for s += "\x00\x00"; len(s) > 2; s = s[3:] {
		v := uint(s[0])<<16 | uint(s[1])<<8 | uint(s[2])
		out = append(out, char(v>>18), char(v>>12), char(v>>6), char(v))
	}
	return string(out) + "\n"
}

// minutes is what most of these mails are about.
const minutes = "Dear Bob,\n\nplease find the minutes of Monday's meeting attached.\n\nKind regards\nAlice\n"
