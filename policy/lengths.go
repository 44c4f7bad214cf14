package policy

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Lengths is a set of lengths of prefixes of networks, those of IPv4 and IPv6 apart.
type Lengths struct {
	v4 uint64
	v6 [3]uint64
}

// Add adds the length of a prefix.
func (l *Lengths) Add(p netip.Prefix) {
	switch bits := p.Bits(); {
	case bits < 0:
	case p.Addr().Is4():
		l.v4 |= 1 << bits
	default:
		l.v6[bits/64] |= 1 << (bits % 64)
	}
}

// of returns the lengths for the family of an address, the longest first.
func (l Lengths) of(a netip.Addr) (list []int) {
	for bits := a.BitLen(); bits >= 0; bits-- {
		set := l.v6[bits/64]
		if a.Is4() {
			set = l.v4
		}
		if set&(1<<(bits%64)) != 0 {
			list = append(list, bits)
		}
	}
	return list
}

// AppendBinary writes the set after other bytes, for UnmarshalBinary.
func (l Lengths) AppendBinary(to []byte) ([]byte, error) {
	for _, word := range []uint64{l.v4, l.v6[0], l.v6[1], l.v6[2]} {
		to = binary.LittleEndian.AppendUint64(to, word)
	}
	return to, nil
}

// LengthsSize is how many bytes a set takes.
const LengthsSize = 32

// UnmarshalBinary reads a set.
func (l *Lengths) UnmarshalBinary(from []byte) error {
	if len(from) != LengthsSize {
		return errors.New("this is no set of lengths of networks")
	}
	for i, word := range []*uint64{&l.v4, &l.v6[0], &l.v6[1], &l.v6[2]} {
		*word = binary.LittleEndian.Uint64(from[8*i:])
	}
	return nil
}
