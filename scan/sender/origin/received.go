// Package origin reads where a message says it comes from: the hosts in its
// Received fields and the authors in its From field. Anybody can write both;
// what they are worth, the caller must know.
package origin

import (
	"net/netip"
	"strings"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// maxHops bounds the Received fields that are read: more than RFC 5321, section
// 6.3, lets a message pass.
const maxHops = 100

// longestField bounds what is read of one field.
const longestField = 4 << 10

// Hop is what one host wrote about the one it got the message from.
type Hop struct {
	Helo string     // what it called itself; "" if the field does not say
	Addr netip.Addr // the zero address if the field does not say
}

// Hops are the hops of a message, the last one first: as the fields stand.
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

// hop reads a field's "from" clause (RFC 5321, section 4.4): the name the client
// gave, and in a comment, or a literal in its place, its address in brackets.
// What stands behind "by" is about somebody else.
func hop(value string) Hop {
	words := strings.Fields(value)
	if len(words) < 2 || !strings.EqualFold(words[0], "from") {
		return Hop{}
	}
	from := words[1:]
	depth := 0
	for i, w := range from {
		if depth == 0 && i > 0 && strings.EqualFold(w, "by") {
			from = from[:i]
			break
		}
		depth += strings.Count(w, "(") - strings.Count(w, ")")
	}
	h := Hop{Helo: strings.Trim(from[0], "[]()")}
	for _, w := range from {
		if a, ok := bracketed(w); ok {
			h.Addr = a
		}
	}
	return h
}

// bracketed is the address in the last pair of brackets of a word: "[192.0.2.1]",
// "(mail.example[IPv6:2001:db8::1])".
func bracketed(w string) (netip.Addr, bool) {
	open := strings.LastIndexByte(w, '[')
	if open < 0 {
		return netip.Addr{}, false
	}
	inner, _, ok := strings.Cut(w[open+1:], "]")
	if !ok {
		return netip.Addr{}, false
	}
	if rest, ok := cutPrefixFold(inner, "IPv6:"); ok {
		inner = rest
	}
	a, err := netip.ParseAddr(inner)
	return a.WithZone("").Unmap(), err == nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
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
