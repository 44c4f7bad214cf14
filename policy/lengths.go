package policy

import "net/netip"

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
