package markup

import (
	"strings"
	"testing"
	"unicode"
)

// slowly counts what letters counts, one character after the other.
func slowly(s string) (n int) {
	for _, r := range s {
		shows := r > ' ' && r < 0x7f || r > 0xa0 && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r)
		if shows && r != 0x34f && !isBlockGlyph(r) {
			n++
		}
	}
	return n
}

// TestLetters puts every byte, and characters that show and do not, at every place of words.
func TestLetters(t *testing.T) {
	kinds := []string{"é", "\u00a0", "\u00ad", "\u200b", "\u034f", "█", "\u3000", "漢"}
	for c := range 0x80 {
		kinds = append(kinds, string(rune(c)))
	}
	for _, kind := range kinds {
		for at := range 20 {
			s := strings.Repeat("a ", at)[at:] + kind + strings.Repeat("~\x7f", 20-at)
			if got, want := letters([]byte(s)), slowly(s); got != want {
				t.Errorf("%d letters in %q, want %d", got, s, want)
			}
			if got, want := isASCII(s), len(kind) == 1; got != want || isASCII([]byte(s)) != want {
				t.Errorf("ASCII %v: %q", got, s)
			}
		}
	}
}

func TestWordEnd(t *testing.T) {
	for in, want := range map[string]struct {
		n   int
		may bool
	}{
		"": {}, " a.b": {}, "<": {}, "word rest": {4, false}, "end. Next": {4, false}, "end": {3, false},
		"a.b c": {3, true}, "a.b.": {4, true}, "..": {2, true}, "e.g.\n": {4, true}, "re: x": {3, true}, "http://x.": {9, true},
		"a>b.c": {1, false}, "bank\u3002com.": {11, true}, "bank\u3002com": {10, false},
	} {
		if n, may := wordEnd([]byte(in)); n != want.n || may != want.may {
			t.Errorf("%q: %d, %v, want %d, %v", in, n, may, want.n, want.may)
		}
	}
}
