package policy

import (
	"net/netip"
	"slices"
)

// networks is a compiled list of networks: it takes one look-up for each length
// that any of them has, however many there are.
type networks struct {
	lengths []int
	set     map[netip.Prefix]bool
}

func compileNetworks(list []Network) networks {
	n := networks{set: make(map[netip.Prefix]bool, len(list))}
	for _, one := range list {
		n.set[one.Masked()] = true
		if bits := one.Bits(); !slices.Contains(n.lengths, bits) {
			n.lengths = append(n.lengths, bits)
		}
	}
	return n
}

// hold reports whether one of the networks holds a. No network holds the zero
// address.
func (n networks) hold(a netip.Addr) bool {
	a = a.Unmap()
	return slices.ContainsFunc(n.lengths, func(bits int) bool {
		p, err := a.Prefix(bits)
		return err == nil && n.set[p]
	})
}
