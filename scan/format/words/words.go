// Package words finds any of many words in a text in one pass over it, however
// many they are.
package words

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// A Matcher looks at six bytes at each place of a text: four of them choose an
// entry of a table, which says what the other two may be. Where that fits, which
// is seldom, the words that begin with those four bytes are looked up. So the time
// hardly depends on how many words there are, as that of an automaton does, which
// grows out of the processor's cache.
const (
	keySize  = 4
	seenSize = keySize + 2
	slotBits = 15
)

// Matcher is a list of words made ready. It is never changed, and any number of
// goroutines may use it.
type Matcher struct {
	ids    map[string][]int      // by word, its places in the list given to New
	next   [1 << slotBits]uint64 // by a hash of four bytes, the sets of the fifth and of the sixth
	starts [1 << slotBits]int32  // by the same, the first of groups, counted from 1
	groups []group               // words that begin with the same four bytes
	short  [256][]int            // by the first byte of words of less than four, how long they are
	brief  bool                  // there are such
}

// group is the words with one beginning.
type group struct {
	key   uint32
	sizes []int // how long they are, ascending
	next  int32 // the next group of the same hash, 0 if there is none
}

// New returns a matcher for words. Empty ones are never found.
func New(words []string) *Matcher {
	m := &Matcher{ids: map[string][]int{}}
	for i, w := range words {
		if m.ids[w] = append(m.ids[w], i); len(m.ids[w]) == 1 {
			m.add(w)
		}
	}
	return m
}

// add takes in a word that was not seen before.
func (m *Matcher) add(w string) {
	switch {
	case w == "":
		return
	case len(w) < keySize:
		m.brief = true
		m.short[w[0]] = with(m.short[w[0]], len(w))
		return
	}
	key := keyOf(w)
	g := m.groupOf(key)
	if g == nil {
		m.groups = append(m.groups, group{key: key, next: m.starts[slot(key)]})
		m.starts[slot(key)] = int32(len(m.groups))
		g = &m.groups[len(m.groups)-1]
	}
	g.sizes = with(g.sizes, len(w))
	m.next[slot(key)] |= uint64(setOf(w, keySize)) | uint64(setOf(w, keySize+1))<<32
}

// groupOf returns the group with a beginning, nil if there is none.
func (m *Matcher) groupOf(key uint32) *group {
	for i := m.starts[slot(key)]; i > 0; i = m.groups[i-1].next {
		if g := &m.groups[i-1]; g.key == key {
			return g
		}
	}
	return nil
}

// with returns the ascending list with n in it.
func with(list []int, n int) []int {
	if at, known := slices.BinarySearch(list, n); !known {
		return slices.Insert(list, at, n)
	}
	return list
}

// keyOf returns the first four bytes of s as a number.
func keyOf(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// slot returns the entry of the table for a key, by multiplicative hashing.
func slot(key uint32) uint32 { return key * 2654435761 >> (32 - slotBits) }

// setOf returns the byte at a place of a word as a set; where the word ends, all.
func setOf(w string, at int) uint32 {
	if at >= len(w) {
		return ^uint32(0)
	}
	return 1 << (w[at] & 31)
}

// Found is called with a word's place in the list given to New, and where it
// begins and ends in the text. It returns false to end the search.
type Found func(word, from, to int) bool

// Find calls found for every word in the text at every place it is: for those
// of at least four bytes from the beginning to the end, then for shorter ones.
func (m *Matcher) Find(text string, found Found) {
	if m.long(text, found) && m.brief {
		m.shorter(text, found)
	}
}

// long looks for words of four bytes and more. It reports whether to go on.
func (m *Matcher) long(text string, found Found) bool {
	at := 0
	for ; at+seenSize <= len(text); at++ {
		six := text[at : at+seenSize]
		next := m.next[slot(keyOf(six))]
		if next>>(six[4]&31)&(next>>(32+six[5]&31))&1 != 0 && !m.compare(text, at, found) {
			return false
		}
	}
	for ; at+keySize <= len(text); at++ {
		if !m.compare(text, at, found) {
			return false
		}
	}
	return true
}

// compare looks up the words that begin as the text does at a place.
func (m *Matcher) compare(text string, at int, found Found) bool {
	g := m.groupOf(keyOf(text[at:]))
	return g == nil || m.report(text, at, g.sizes, found)
}

// shorter looks for words of less than four bytes.
func (m *Matcher) shorter(text string, found Found) {
	for at := range len(text) {
		if sizes := m.short[text[at]]; sizes != nil && !m.report(text, at, sizes, found) {
			return
		}
	}
}

// report tells of the words of these sizes that are at a place.
func (m *Matcher) report(text string, at int, sizes []int, found Found) bool {
	for _, n := range sizes {
		if at+n > len(text) {
			break
		}
		for _, id := range m.ids[text[at:at+n]] {
			if !found(id, at, at+n) {
				return false
			}
		}
	}
	return true
}

// Whole reports whether text[from:to] is a whole word: no letter, digit or mark
// is next to either end.
func Whole(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	first, _ := utf8.DecodeRuneInString(text[from:to])
	last, _ := utf8.DecodeLastRuneInString(text[from:to])
	return !(goesOn(before) && goesOn(first)) && !(goesOn(after) && goesOn(last))
}

func goesOn(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}
