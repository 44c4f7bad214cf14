package filter

import (
	"bytes"
	"net/textproto"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// lineEnd returns the line end a mail is written with, going by its first line.
func lineEnd(mail scan.Content) string {
	head := make([]byte, 4096)
	n, _ := mail.ReadAt(head, 0)
	if i := bytes.IndexByte(head[:n], '\n'); i >= 0 && (i == 0 || head[i-1] != '\r') {
		return "\n"
	}
	return "\r\n"
}

// bareNewlines writes the folds of a header value as LF.
func bareNewlines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// canonical returns a header field name for comparing.
func canonical(name string) string {
	return textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
}
