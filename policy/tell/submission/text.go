package submission

import (
	"mime"
	"strings"
	"unicode"
)

// Encoded returns a header value with its words encoded where they have to be,
// folded (RFC 2047, section 2).
func Encoded(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

// OneLine returns at most n bytes of s, with nothing in it that moves the cursor, ends
// the line or turns the direction of writing.
func OneLine(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if b.Len()+len(string(r)) > n {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
