package archive

import (
	"encoding/binary"
	"slices"
)

// stride is how many bytes there are from one pair of a content that is looked at to the next.
const stride = 3

// sign is a mark of a format that may begin anywhere. The places of its pairs, of two bytes each, have all the
// remainders of the stride: wherever the mark is, one of them is looked at. They are those of which texts have few.
type sign struct {
	mark  string
	of    sights
	pairs [stride]int
	then  string                      // what the byte after the mark may be; "" for any
	is    func(b []byte, at int) bool // whether more of a beginning is around the mark; nil for no more
}

// pairs say for all two bytes, in little endian, which signs have them for a pair: the number of a list, 0 for none.
type pairs struct {
	of    [1 << 16]uint8
	lists [][]pair
}

// pair is one of the pairs of a sign.
type pair struct {
	*sign
	place int // in the mark
}

var signPairs = newPairs()

// longestSign is how long the longest sign is, in bytes.
const longestSign = len(mimeField)

func newPairs() *pairs {
	all := map[uint16][]pair{}
	for i := range signs {
		s := &signs[i]
		for _, at := range s.pairs {
			for _, first := range s.bytesAt(at) {
				for _, second := range s.bytesAt(at + 1) {
					both := uint16(first) | uint16(second)<<8
					all[both] = append(all[both], pair{s, at})
				}
			}
		}
	}
	p := &pairs{lists: [][]pair{nil}}
	for both, list := range all {
		i := slices.IndexFunc(p.lists, func(l []pair) bool { return slices.Equal(l, list) })
		if i < 0 {
			i = len(p.lists)
			p.lists = append(p.lists, list)
		}
		p.of[both] = uint8(i)
	}
	return p
}

// bytesAt returns what the byte at a place of a sign may be.
func (s *sign) bytesAt(at int) []byte {
	switch {
	case at < len(s.mark) && s.of == sightMIME:
		return []byte{s.mark[at], capital(s.mark[at])}
	case at < len(s.mark):
		return []byte{s.mark[at]}
	case s.then != "":
		return []byte(s.then)
	}
	all := make([]byte, 256)
	for c := range all {
		all[c] = byte(c)
	}
	return all
}

func capital(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// in returns the wanted sights of the signs in b, in one pass over it. Where pairs of signs are many and
// signs few, as in some texts, the rest is searched for one sign after the other.
func (p *pairs) in(b []byte, wanted sights) (seen sights) {
	misses, at := 0, 0
	for ; at+8 <= len(b); at += 3 * stride {
		w := binary.LittleEndian.Uint64(b[at:])
		first, second, third := p.of[uint16(w)], p.of[uint16(w>>(8*stride))], p.of[uint16(w>>(16*stride))]
		if first|second|third == 0 {
			continue
		}
		now := p.around(b, at, first) | p.around(b, at+stride, second) | p.around(b, at+2*stride, third)
		if now &= wanted; now != 0 {
			seen |= now
			wanted &^= now
		} else if misses++; misses > 64+at/16 {
			return seen | eachIn(b[max(0, at-longestSign):], wanted)
		}
	}
	for ; at+1 < len(b); at += stride {
		seen |= p.around(b, at, p.of[binary.LittleEndian.Uint16(b[at:])]) & wanted
	}
	return seen
}

// around returns the sights of the signs of a list that have their pair at a place of b.
func (p *pairs) around(b []byte, at int, list uint8) (seen sights) {
	for _, pair := range p.lists[list] {
		if begin := at - pair.place; begin >= 0 && pair.at(b, begin) {
			seen |= pair.of
		}
	}
	return seen
}

// at reports whether the sign is at a place of b.
func (s *sign) at(b []byte, at int) bool {
	if s.of == sightMIME {
		return isMIMEField(b, at+mimeHyphen)
	}
	end := at + len(s.mark)
	return end <= len(b) && string(b[at:end]) == s.mark && (s.is == nil || s.is(b, at))
}
