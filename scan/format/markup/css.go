package markup

import (
	"strconv"
	"strings"
)

// plainCSS returns style in lower case, without comments and escapes, by which words
// in it are hidden.
func plainCSS(css string) string {
	css = strings.ToLower(css)
	if strings.Contains(css, "/*") {
		css = withoutComments(css)
	}
	if strings.Contains(css, "\\") {
		css = unescapeCSS(css)
	}
	return css
}

func withoutComments(css string) string {
	var b strings.Builder
	for {
		before, behind, found := strings.Cut(css, "/*")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, css, _ = strings.Cut(behind, "*/")
	}
}

// unescapeCSS resolves escapes (CSS Syntax, section 4.3.7).
func unescapeCSS(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		end := i + 1
		for end < len(s) && end < i+7 && isHex(s[end]) {
			end++
		}
		if end == i+1 {
			continue // what follows represents itself
		}
		n, _ := strconv.ParseUint(s[i+1:end], 16, 32)
		b.WriteRune(rune(n))
		if end < len(s) && isSpace(s[end]) {
			end++
		}
		i = end - 1
	}
	return b.String()
}
