package postgres

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzKey(f *testing.F) {
	for _, s := range []string{"", "\x00", "a", "\xff", strings.Repeat("ü", 600), strings.Repeat("x", 499) + "ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := Key(s)
		if !utf8.ValidString(k) || strings.ContainsRune(k, 0) || len(k) > maxKey || k != Key(k) {
			t.Errorf("%q has the key %q", s, k)
		}
	})
}
