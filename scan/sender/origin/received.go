// Package origin reads where a message says it comes from: the hosts in its
// Received fields and the authors in its From field. Anybody can write both;
// what they are worth, the caller must know.
package origin

import (
	"net/netip"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// maxHops bounds the Received fields that are read: more than RFC 5321, section
// 6.3, lets a message pass.
const maxHops = 100

// longestField bounds the bytes read of one field.
const longestField = 4 << 10

// Hop is what one host wrote about the one it got the message from.
type Hop struct {
	Helo string     // what it called itself; "" if the field does not say
	Addr netip.Addr // the zero address if the field does not say
}

// Hops returns the hops of a message, the last one first: as the fields are.
func Hops(h entity.Header) []Hop {
	var hops []Hop
	for _, value := range h.Values("Received") {
		if len(hops) == maxHops {
			break
		}
		hops = append(hops, hop(value[:min(len(value), longestField)]))
	}
	return hops
}

// Client finds the host that brought a message to the hosts we trust: the
// address of the client itself unless it is one of theirs, else the first one in
// the Received fields, from the top, that is not. What trusted hosts wrote is
// believed, and nothing else: the field below the first stranger is the
// stranger's. Where a trusted host's field names no address, the trail ends.
func Client(h entity.Header, client netip.Addr, trusted func(netip.Addr) bool) (Hop, bool) {
	if !trusted(client) {
		return Hop{Addr: client}, true
	}
	for _, hop := range Hops(h) {
		switch {
		case !hop.Addr.IsValid():
			return Hop{}, false
		case !trusted(hop.Addr):
			return hop, true
		}
	}
	return Hop{}, false
}

// Public reports whether an address is one that hosts elsewhere can have: what
// is private, local or reserved says nothing about anybody (RFC 6890).
func Public(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !shared.Contains(a)
}

// shared is the space between providers and their customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")
