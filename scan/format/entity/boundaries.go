package entity

import (
	"bytes"
	"slices"
	"strings"
)

// boundaries finds out which of the boundaries of open multiparts a text begins
// with, in time that does not grow with their number: a mail may nest dozens of
// multiparts and hold millions of lines that nearly are delimiters.
//
// The dashes a boundary begins with are left out: they are hard to tell from
// those of the delimiter.
type boundaries struct {
	sorted []boundaryKey
	fits   []int
}

type boundaryKey struct {
	text   string // without its first dashes
	frame  int    // of the multipart in Parser.open
	prefix int    // index of the longest other key that this one begins with; -1: none
}

// set makes b hold the boundaries of the composites in open.
func (b *boundaries) set(open []frame) {
	b.sorted = b.sorted[:0]
	for i := range open {
		if f := &open[i]; f.boundary != "" {
			b.sorted = append(b.sorted, boundaryKey{text: f.boundary[f.dashes:], frame: i})
		}
	}
	slices.SortFunc(b.sorted, func(x, y boundaryKey) int { return strings.Compare(x.text, y.text) })
	for i := range b.sorted {
		k := &b.sorted[i]
		k.prefix = i - 1
		for k.prefix >= 0 && !strings.HasPrefix(k.text, b.sorted[k.prefix].text) {
			k.prefix = b.sorted[k.prefix].prefix
		}
	}
}

// of returns the frames whose boundaries, without their first dashes, text
// begins with: innermost first. The slice is valid until the next call.
//
// What text begins with is the greatest key that is not greater than text, or
// something that this key begins with.
func (b *boundaries) of(text []byte) []int {
	b.fits = b.fits[:0]
	i, found := slices.BinarySearchFunc(b.sorted, text, func(k boundaryKey, text []byte) int {
		return compare(k.text, text)
	})
	if !found {
		i--
	}
	for found && i+1 < len(b.sorted) && b.sorted[i+1].text == b.sorted[i].text {
		i++
	}
	for i >= 0 {
		if k := &b.sorted[i]; len(text) >= len(k.text) && string(text[:len(k.text)]) == k.text {
			b.fits = append(b.fits, k.frame)
		}
		i = b.sorted[i].prefix
	}
	if len(b.fits) > 1 {
		slices.SortFunc(b.fits, func(x, y int) int { return y - x })
	}
	return b.fits
}

// compare orders s and b as strings.Compare does, without a copy of b.
func compare(s string, b []byte) int {
	switch {
	case s < string(b):
		return -1
	case s > string(b):
		return 1
	}
	return 0
}

// innermost returns the index of the innermost multipart that goes on, or 0.
func innermost(open []frame) int {
	for i := len(open) - 1; i > 0; i-- {
		if f := &open[i]; f.boundary != "" && !f.closed && f.parts > 0 {
			return i
		}
	}
	return 0
}

// trimDashes splits a text into the number of dashes it begins with and the
// rest.
func trimDashes(text []byte) (n int, rest []byte) {
	rest = bytes.TrimLeft(text, "-")
	return len(text) - len(rest), rest
}
