package policy

import (
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible returns a text from a message with every character escaped that could
// move a cursor, end a line, hide others or turn the direction of writing: controls
// (C0, DEL, C1), line separators, bidirectional and zero-width characters, all that
// is not assigned, and bytes that are no UTF-8. They are written as in JSON, such as
// \u009b. Other white space than a blank counts among them.
func Visible(s string) string {
	if isVisible(s) {
		return s
	}
	return string(appendVisible(make([]byte, 0, len(s)+16), s))
}

// VisibleLine escapes, as Visible does, a line that a program wrote, and keeps its
// end. A line of JSON means the same afterwards.
func VisibleLine(line []byte) []byte {
	if isPlain(line) {
		return line
	}
	text, end := string(line), ""
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text, end = text[:n-1], "\n"
	}
	if isVisible(text) {
		return line
	}
	return append(appendVisible(make([]byte, 0, len(line)+16), text), end...)
}

// isPlain reports whether a line is printable ASCII, as most are, but for its end.
func isPlain(line []byte) bool {
	for i, c := range line {
		if (c < ' ' || c > '~') && (c != '\n' || i != len(line)-1) {
			return false
		}
	}
	return true
}

func isVisible(s string) bool {
	for i, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError && isBroken(s[i:]) {
			return false
		}
	}
	return true
}

// isBroken reports whether s begins with a byte that is no UTF-8.
func isBroken(s string) bool {
	_, n := utf8.DecodeRuneInString(s)
	return n == 1
}

func appendVisible(b []byte, s string) []byte {
	for i, r := range s {
		switch {
		case r == utf8.RuneError && isBroken(s[i:]):
			b = append(b, `\ufffd`...)
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return b
}
