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
func LikeAddress(pattern, address string) bool {
	pattern = strings.TrimSpace(pattern)
	switch {
	case pattern == "":
		return true
	case pattern == "<>" || strings.Contains(pattern, "@") || strings.HasPrefix(pattern, "."):
		if p, err := ParseAddressPattern(strings.TrimSuffix(strings.TrimPrefix(pattern, "<"), ">")); err == nil && pattern != "<>" {
			return p.match(splitAddress(address))
		}
		if pattern == "<>" {
			return strings.Trim(address, "<>") == ""
		}
	}
	return LikeText(pattern, address)
}

// LikeText reports whether a text is like the pattern of a filter: "*" matches
// anything and, where there is a "*", "?" matches one letter; a pattern without "*"
// matches any part of the text. Upper and lower case are alike; every text is like the empty
// pattern.
func LikeText(pattern, s string) bool {
	if strings.Contains(pattern, "*") {
		return MatchGlob(pattern, s)
	}
	return strings.Contains(strings.ToLower(s), strings.ToLower(pattern))
}

// LikeClient reports whether a client is like the pattern of a filter: an IP address, a
// network such as "192.0.2.0/24", or a pattern for its name or the text of its address.
func LikeClient(pattern, address, name string) bool {
	ip, err := netip.ParseAddr(address)
	if network, netErr := netip.ParsePrefix(pattern); netErr == nil {
		return err == nil && network.Masked().Contains(ip.Unmap())
	}
	if wanted, wantedErr := netip.ParseAddr(pattern); wantedErr == nil {
		return err == nil && wanted.Unmap() == ip.Unmap()
	}
	return LikeText(pattern, address) || LikeText(pattern, name)
}
