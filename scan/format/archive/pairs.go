package archive

import (
	"encoding/binary"
	mathbits "math/bits"
)

// pair is two bytes of a mark, from a place in it on. Every second pair of a content is looked at, and of
// three bytes one pair is among those, wherever they begin.
type pair struct {
	mark string
	at   int
	of   sights
}

// pairs are all that are looked for, at most 32, and for each byte the bits of those that it may be the first
// and the second of.
type pairs struct {
	all           []pair
	first, second [256]uint32
}

// signPairs are the pairs of the signs, and those of the field of MIME around its hyphen.
var signPairs = newPairs()

// longestSign is how long the longest sign is, in bytes.
const longestSign = len(mimeField)

func newPairs() *pairs {
	p := new(pairs)
	for _, s := range signs {
		p.add(pair{s.mark, s.rare, s.of})
		p.add(pair{s.mark, s.rare + 1, s.of})
	}
	p.add(pair{mimeField, mimeHyphen - 1, sightMIME})
	p.add(pair{mimeField, mimeHyphen, sightMIME})
	return p
}

// add adds a pair, and for a field of MIME its capitals.
func (p *pairs) add(one pair) {
	bit := uint32(1) << len(p.all)
	p.all = append(p.all, one)
	first, second := one.mark[one.at], one.mark[one.at+1]
	p.first[first] |= bit
	p.second[second] |= bit
	if one.of == sightMIME {
		p.first[capital(first)] |= bit
		p.second[capital(second)] |= bit
	}
}

func capital(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// of returns the bits of the pairs of the wanted sights.
func (p *pairs) of(wanted sights) (mask uint32) {
	for i, one := range p.all {
		if wanted&one.of != 0 {
			mask |= 1 << i
		}
	}
	return mask
}

// in returns the wanted sights of the marks in b, in one pass over it. Where pairs of marks are many and
// marks few, as in some texts, the rest is searched for one mark after the other.
func (p *pairs) in(b []byte, wanted sights) (seen sights) {
	mask, misses, at := p.of(wanted), 0, 0
	for ; at+8 <= len(b); at += 8 {
		w := binary.LittleEndian.Uint64(b[at:])
		any := p.first[byte(w)]&p.second[byte(w>>8)] | p.first[byte(w>>16)]&p.second[byte(w>>24)] |
			p.first[byte(w>>32)]&p.second[byte(w>>40)] | p.first[byte(w>>48)]&p.second[byte(w>>56)]
		if any&mask == 0 {
			continue
		}
		now := p.at(b, at, mask) | p.at(b, at+2, mask) | p.at(b, at+4, mask) | p.at(b, at+6, mask)
		if now != 0 {
			seen |= now
			mask = p.of(wanted &^ seen)
		} else if misses++; misses > 64+at/32 {
			return seen | eachIn(b[max(0, at-longestSign):], wanted&^seen)
		}
	}
	for ; at+1 < len(b); at += 2 {
		seen |= p.at(b, at, mask)
	}
	return seen
}

// at returns the sights of the marks that have a pair at a place of b.
func (p *pairs) at(b []byte, at int, mask uint32) (seen sights) {
	found := p.first[b[at]] & p.second[b[at+1]] & mask
	for ; found != 0; found &= found - 1 {
		if one := p.all[mathbits.TrailingZeros32(found)]; one.around(b, at) {
			seen |= one.of
		}
	}
	return seen
}

// around reports whether the mark is in b where it has its pair at a place.
func (p pair) around(b []byte, at int) bool {
	if p.of == sightMIME {
		return isMIMEField(b, at-p.at+mimeHyphen)
	}
	return at >= p.at && hasAny(b[at-p.at:], p.mark)
}
