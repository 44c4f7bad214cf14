package archive

import (
	"encoding/binary"
	mathbits "math/bits"
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

// group is a set of signs, of which each is in one of eight groups.
type group uint8

// pairs have for all two bytes, in little endian, the groups of the signs that have them for a pair.
type pairs [1 << 16]group

var signPairs = newPairs()

// longestSign is how long the longest sign is, in bytes.
const longestSign = len(mimeField)

func newPairs() *pairs {
	p := new(pairs)
	for i := range signs {
		s := &signs[i]
		for _, at := range s.pairs {
			for _, first := range s.bytesAt(at) {
				for _, second := range s.bytesAt(at + 1) {
					p[uint16(first)|uint16(second)<<8] |= groupOf(i)
				}
			}
		}
	}
	return p
}

func groupOf(sign int) group { return 1 << (sign % 8) }

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
		first, second, third := p[uint16(w)], p[uint16(w>>(8*stride))], p[uint16(w>>(16*stride))]
		if first|second|third == 0 {
			continue
		}
		now := around(b, at, first, wanted)
		if second|third != 0 {
			now |= around(b, at+stride, second, wanted) | around(b, at+2*stride, third, wanted)
		}
		if wanted &^= now; now != 0 {
			seen |= now
		} else if misses++; misses > 64+at/16 {
			return seen | eachIn(b[max(0, at-longestSign):], wanted)
		}
	}
	for ; at+1 < len(b); at += stride {
		seen |= around(b, at, p[binary.LittleEndian.Uint16(b[at:])], wanted)
	}
	return seen
}

// around returns the wanted sights of the signs of some groups that have a pair at a place of b.
func around(b []byte, at int, groups group, wanted sights) (seen sights) {
	for ; groups != 0; groups &= groups - 1 {
		for i := mathbits.TrailingZeros8(uint8(groups)); i < len(signs); i += 8 {
			if s := &signs[i]; wanted&s.of != 0 && s.around(b, at) {
				seen |= s.of
			}
		}
	}
	return seen
}

// around reports whether the sign has one of its pairs at a place of b.
func (s *sign) around(b []byte, at int) bool {
	for _, pair := range s.pairs {
		if begin := at - pair; begin >= 0 && b[begin]|0x20 == s.mark[0]|0x20 && s.at(b, begin) {
			return true
		}
	}
	return false
}

// at reports whether the sign is at a place of b.
func (s *sign) at(b []byte, at int) bool {
	if s.of == sightMIME {
		return isMIMEField(b, at+mimeHyphen)
	}
	end := at + len(s.mark)
	return end <= len(b) && string(b[at:end]) == s.mark && (s.is == nil || s.is(b, at))
}
