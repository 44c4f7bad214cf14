package policy

import (
	"net/netip"
	"strings"
)

// LikeAddress reports whether an address is like the pattern of a filter, in the
// language of rules: "@example.com" for a domain, ".example.com" for its subdomains,
// "<>" for the null sender. Any other pattern may have "*" in any place, and without
// one matches any part of the address. Upper and lower case are alike; every address
// is like the empty pattern.
func LikeAddress(pattern, address string) bool { return AddressesLike(pattern)(address) }

// AddressesLike returns LikeAddress for one pattern and many addresses.
func AddressesLike(pattern string) func(address string) bool {
	pattern = strings.TrimSpace(pattern)
	switch {
	case pattern == "":
		return func(string) bool { return true }
	case pattern == "<>":
		return func(address string) bool { return strings.Trim(address, "<>") == "" }
	case strings.Contains(pattern, "@") || strings.HasPrefix(pattern, "."):
		if p, err := ParseAddressPattern(strings.TrimSuffix(strings.TrimPrefix(pattern, "<"), ">")); err == nil {
			return func(address string) bool { return p.match(splitAddress(address)) }
		}
	}
	return TextsLike(pattern)
}

// LikeText reports whether a text is like the pattern of a filter: "*" matches
// anything and, where there is a "*", "?" matches one letter; a pattern without "*"
// matches any part of the text. Upper and lower case are alike; every text is like the empty
// pattern.
func LikeText(pattern, s string) bool { return TextsLike(pattern)(s) }

// TextsLike returns LikeText for one pattern and many texts.
func TextsLike(pattern string) func(s string) bool {
	pattern = strings.ToLower(pattern)
	if strings.Contains(pattern, "*") {
		return func(s string) bool { return matchGlob(pattern, strings.ToLower(s)) }
	}
	return func(s string) bool { return strings.Contains(strings.ToLower(s), pattern) }
}

// LikeClient reports whether a client is like the pattern of a filter: an IP address, a
// network such as "192.0.2.0/24", or a pattern for its name or the text of its address.
func LikeClient(pattern, address, name string) bool { return ClientsLike(pattern)(address, name) }

// ClientsLike returns LikeClient for one pattern and many clients.
func ClientsLike(pattern string) func(address, name string) bool {
	if network, err := netip.ParsePrefix(pattern); err == nil {
		network = network.Masked()
		return func(address, _ string) bool {
			ip, err := netip.ParseAddr(address)
			return err == nil && network.Contains(ip.Unmap())
		}
	}
	if wanted, err := netip.ParseAddr(pattern); err == nil {
		wanted = wanted.Unmap()
		return func(address, _ string) bool {
			ip, err := netip.ParseAddr(address)
			return err == nil && ip.Unmap() == wanted
		}
	}
	like := TextsLike(pattern)
	return func(address, name string) bool { return like(address) || like(name) }
}
