package markup

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// lookup maps names as browsers do before they look them up (UTS 46): upper case,
// full-width letters and ideographic dots are folded, soft hyphens and the like
// vanish. It refuses nothing; what DNS would refuse is still to be compared.
var lookup = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false),
	idna.CheckJoiners(false), idna.ValidateLabels(false))

// longestHost bounds the length of a host (RFC 1035, section 2.3.4), with
// room for escapes.
const longestHost = 1024

// ASCII returns a host name as DNS is asked for it: in lower case, other scripts in
// their ASCII form, without a dot at its end. It is empty for an address and for a name that
// is too long.
func ASCII(host string) string {
	ascii, numeric := canonicalHost(host)
	if numeric {
		return ""
	}
	return ascii
}

// Hostname returns a domain as ASCII does, and "" if it is no name of a host, made of
// letters, digits, hyphens, underscores and dots. DNS takes any byte for a part of a label: who has
// example.net can publish records at "example.org/.example.net", and they prove
// nothing about example.org.
func Hostname(domain string) string {
	host := ASCII(domain)
	if strings.Contains(domain, "%") || strings.ContainsFunc(host, func(r rune) bool { return unfitForHost(r) && r != '.' }) {
		return ""
	}
	return host
}

// canonicalHost returns a host as it is connected to, and whether it is an address.
func canonicalHost(s string) (host string, numeric bool) {
	if len(s) > longestHost {
		return "", false
	}
	s = unescapePercent(s)
	if inner, ok := strings.CutPrefix(s, "["); ok {
		return ipv6(strings.TrimSuffix(inner, "]"))
	}
	ascii := strings.ToLower(strings.TrimRight(toASCII(s), "."))
	if addr, ok := ipv4(ascii); ok {
		return addr, true
	}
	return ascii, false
}

// toASCII maps a host, unless it is plain already.
func toASCII(s string) string {
	if isASCII(s) && !strings.Contains(s, "xn--") {
		return s
	}
	if ascii, err := lookup.ToASCII(s); err == nil || ascii != "" {
		return ascii
	}
	return s
}

// ipv6 reads an address, with an IPv4 one in it shown as such.
func ipv6(s string) (string, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return "", false
	}
	return a.WithZone("").Unmap().String(), true
}

// ipv4 reads an address as browsers do: one to four parts, each decimal, octal or
// hexadecimal, the last filling the remaining bytes (WHATWG URL, section 3.5).
func ipv4(s string) (string, bool) {
	if !endsInNumber(s) {
		return "", false
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return "", false
	}
	var addr uint64
	for i, p := range parts {
		n, ok := ipv4Part(p)
		switch {
		case !ok:
			return "", false
		case i < len(parts)-1:
			if n > 255 {
				return "", false
			}
			addr |= n << (8 * (3 - i))
		case n >= 1<<(8*(5-len(parts))):
			return "", false
		default:
			addr |= n
		}
	}
	return netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}).String(), true
}

// endsInNumber reports whether the last label of a host begins as numbers do. Names do
// not, and are most hosts.
func endsInNumber(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	return last != "" && '0' <= last[0] && last[0] <= '9'
}

func ipv4Part(p string) (uint64, bool) {
	base := 10
	switch {
	case p == "":
		return 0, false
	case strings.HasPrefix(p, "0x"):
		p, base = p[2:], 16
		if p == "" {
			return 0, true
		}
	case len(p) > 1 && p[0] == '0':
		p, base = p[1:], 8
	}
	n, err := strconv.ParseUint(p, base, 33)
	return n, err == nil
}

// Registrable returns the part of a host that its owner registered: "example.co.uk" of
// "www.shop.example.co.uk". Addresses, and hosts that are no more than a public
// suffix, stay whole.
func Registrable(host string) string {
	if isAddress(host) {
		return host
	}
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}

// isAddress reports whether a host is an address as canonicalHost writes it.
func isAddress(host string) bool {
	if !endsInNumber(host) && !strings.Contains(host, ":") {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Suffixed reports whether a host ends in a public suffix that is listed and has
// something before it.
func Suffixed(host string) bool {
	suffix, icann := publicsuffix.PublicSuffix(host)
	listed := icann || strings.Contains(suffix, ".")
	return listed && len(host) > len(suffix)+1 && host[len(host)-len(suffix)-1] == '.' && plausible(host)
}

// plausible reports whether a host is one that DNS could hold.
func plausible(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, unfitForHost) {
			return false
		}
	}
	return true
}

func unfitForHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// Shown returns a host as clients show it, with its A-labels in Unicode.
func Shown(host string) string {
	if u, err := idna.ToUnicode(host); err == nil {
		return u
	}
	return host
}

// Below reports whether a host is the domain or below it.
func Below(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, domain) && strings.HasSuffix(host[:len(host)-len(domain)], ".")
}
