package dns

import (
	"net/netip"
	"strconv"
	"strings"
)

// Bounds of a name (RFC 1035, section 2.3.4), without its final dot.
const (
	longestName  = 253
	longestLabel = 63
)

// canonical returns a name in lower case and without its final dot, and whether such
// a name can exist.
func canonical(name string) (string, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if len(name) > longestName {
		return name, false
	}
	if name == "" {
		return name, true // the root
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > longestLabel {
			return name, false
		}
	}
	return name, true
}

// Reversed returns an address as the first labels of a name below in-addr.arpa,
// ip6.arpa or a DNS list (RFC 5782, sections 2.1 and 2.4): "1.2.0.192" of
// 192.0.2.1, 32 hexadecimal digits of an IPv6 address.
func Reversed(a netip.Addr) string {
	a = a.Unmap()
	if a.Is4() {
		b := a.As4()
		labels := make([]string, len(b))
		for i := range b {
			labels[len(b)-1-i] = strconv.Itoa(int(b[i]))
		}
		return strings.Join(labels, ".")
	}
	const digits = "0123456789abcdef"
	b := a.As16()
	labels := make([]string, 0, 2*len(b))
	for i := len(b) - 1; i >= 0; i-- {
		labels = append(labels, digits[b[i]&15:b[i]&15+1], digits[b[i]>>4:b[i]>>4+1])
	}
	return strings.Join(labels, ".")
}

// ReverseName returns the name at which the names of an address are (RFC 1035,
// section 3.5; RFC 3596, section 2.5).
func ReverseName(a netip.Addr) string {
	if a.Unmap().Is4() {
		return Reversed(a) + ".in-addr.arpa"
	}
	return Reversed(a) + ".ip6.arpa"
}
