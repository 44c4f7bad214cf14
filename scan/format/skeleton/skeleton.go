// Package skeleton makes texts comparable by how they look: letters of all scripts that are
// easily confused become the same ones (Unicode Technical Standard 39, section 4).
package skeleton

import (
	_ "embed"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan/format/charset"
)

//go:generate go run ./gen -in confusables.txt -out confusables.bin

// packed is Unicode's confusables.txt as the generator packs it: for each character the
// distance from the one before, the number of characters it looks like, and these.
//
//go:embed confusables.bin
var packed []byte

// table says what characters look like, in the order of the characters.
type table struct {
	from []rune
	to   []string
}

var confusables = sync.OnceValue(func() (t table) {
	var at rune
	for rest := packed; len(rest) > 0; {
		at += take(&rest)
		var to strings.Builder
		for n := take(&rest); n > 0; n-- {
			to.WriteRune(take(&rest))
		}
		t.from, t.to = append(t.from, at), append(t.to, to.String())
	}
	return t
})

func take(rest *[]byte) rune {
	v, n := binary.Uvarint(*rest)
	*rest = (*rest)[n:]
	return rune(v)
}

// of returns what a character looks like; ok only if that is something else.
func (t table) of(r rune) (as string, ok bool) {
	i, ok := slices.BinarySearch(t.from, r)
	if !ok {
		return "", false
	}
	return t.to[i], true
}

// Of returns a text as it looks, for comparing: in lower case and without accents, as by
// charset.Fold, with one letter for all that look alike. "rn" and "m" do, "0" and "o",
// "1" and "l".
func Of(s string) string { return charset.Fold(look(charset.Fold(s))) }

// look replaces each character by what it looks like.
func look(s string) string {
	t := confusables()
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		as, ok := t.of(r)
		switch {
		case ok:
			b.WriteString(as)
		case r == utf8.RuneError:
			b.WriteByte(s[i])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
