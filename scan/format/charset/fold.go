package charset

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldings are letters that have no decomposition and are read as others.
var foldings = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ø': "o", 'Ø': "o",
	'ł': "l", 'Ł': "l", 'đ': "d", 'Đ': "d", 'ı': "i", 'ħ': "h", 'Ħ': "h", 'þ': "th", 'Þ': "th",
}

// Fold returns a text for comparing: in lower case, without accents, in
// compatibility forms (full-width letters and the like as ordinary ones), and
// without characters that do not show.
func Fold(s string) string {
	if isFolded(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			b = append(b, lower(c))
			i++
			continue
		}
		p := norm.NFKD.PropertiesString(s[i:])
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if d := p.Decomposition(); d != nil {
			for len(d) > 0 {
				r, n = utf8.DecodeRune(d)
				b = appendFolded(b, r)
				d = d[n:]
			}
			continue
		}
		b = appendFolded(b, r)
	}
	return string(b)
}

func isFolded(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func appendFolded(b []byte, r rune) []byte {
	switch {
	case r < utf8.RuneSelf:
		return append(b, lower(byte(r)))
	case unicode.In(r, unicode.Mn, unicode.Cf):
		return b
	}
	if to, ok := foldings[r]; ok {
		return append(b, to...)
	}
	return utf8.AppendRune(b, unicode.ToLower(r))
}
