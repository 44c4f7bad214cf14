package postgres

import (
	"strings"
	"unicode/utf8"
)

// maxKey is how many bytes of a text are looked for by an index: those of PostgreSQL take some 2700 of all columns.
const maxKey = 500

// Key returns the beginning of a text as a column can have it: without NUL, and in UTF-8. Who looks for it compares
// all of it afterwards.
func Key(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == 0 {
			return utf8.RuneError
		}
		return r
	}, s)
	if len(s) <= maxKey {
		return s
	}
	end := maxKey
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
