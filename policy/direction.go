package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Directions is a set of ways mail can go. The empty set in a rule means any.
type Directions uint8

// The directions. Mail is from us if its client is in Local.Networks or has
// authenticated; everything else is inbound, whatever its sender claims.
const (
	Inbound  Directions = 1 << iota // from elsewhere
	Outbound                        // from us to elsewhere
	Internal                        // from us to us
	Relayed                         // from elsewhere to elsewhere: inbound as well; no mail while Local.Domains is empty
)

var directionNames = map[Directions]string{Inbound: "inbound", Outbound: "outbound", Internal: "internal", Relayed: "relayed"}

// String lists the directions of the set.
func (d Directions) String() string {
	var names []string
	for _, one := range [...]Directions{Inbound, Outbound, Internal, Relayed} {
		if d&one != 0 {
			names = append(names, directionNames[one])
		}
	}
	return strings.Join(names, " ")
}

// UnmarshalText adds one direction to the set.
func (d *Directions) UnmarshalText(text []byte) error {
	for one, name := range directionNames {
		if name == string(text) {
			*d |= one
			return nil
		}
	}
	return fmt.Errorf("%q is no direction; write \"inbound\", \"outbound\", \"internal\" or \"relayed\"", text)
}

// Network is a range of addresses. As text it is in CIDR form, or one address.
type Network struct{ netip.Prefix }

// UnmarshalText reads "192.0.2.0/24", "2001:db8::/32" or a single address.
func (n *Network) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		n.Prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is no network; write it as \"192.0.2.0/24\", \"2001:db8::/32\" or a single address", text)
	}
	if p != p.Masked() {
		return fmt.Errorf("%q has bits set after its prefix length; write %q", text, p.Masked())
	}
	n.Prefix = p
	return nil
}

// inNetworks reports whether one of the networks holds a. No network holds the
// zero address.
func inNetworks(networks []Network, a netip.Addr) bool {
	a = a.Unmap()
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Domain is a mail domain of ours, ".example.com" for all subdomains of one.
type Domain string

// UnmarshalText reads a domain.
func (d *Domain) UnmarshalText(text []byte) error {
	s := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(string(text))), ".")
	if !plausibleDomain(s) || s == "*" || strings.ContainsAny(s, "@:/,;") {
		return fmt.Errorf("%q is no domain; write \"example.com\", or \".example.com\" for its subdomains", text)
	}
	*d = Domain(s)
	return nil
}

// Local says which mail is ours.
type Local struct {
	Domains  []Domain
	Networks []Network
	Relays   []Network // of hosts that pass on what comes from elsewhere
}

// Relay reports whether a host passes on mail from elsewhere, and so speaks for
// others.
func (l Local) Relay(host netip.Addr) bool { return inNetworks(l.Relays, host) }

// Trusts reports whether a client is one of ours: in our networks, or logged in.
func (l Local) Trusts(e scan.Envelope) bool {
	return inNetworks(l.Networks, e.Client.Addr()) || e.AuthUser != ""
}

// Has reports whether an address is in one of our domains.
func (l Local) Has(address string) bool {
	domain := splitAddress(address).domain
	return slices.ContainsFunc(l.Domains, func(d Domain) bool {
		return string(d) == domain || d != "" && d[0] == '.' && strings.HasSuffix(domain, string(d))
	})
}

// DomainSet is domains in which addresses are looked up, however many there are. The nil set has none.
type DomainSet map[string]bool

// NewDomainSet returns the set of some domains.
func NewDomainSet(list []Domain) DomainSet {
	s := make(DomainSet, len(list))
	for _, d := range list {
		s[string(d)] = true
	}
	return s
}

// Has reports whether an address is in one of the domains.
func (s DomainSet) Has(address string) bool {
	domain := splitAddress(address).domain
	return domain != "" && matchDomain(s, domain)
}

// trusted says whether the mail is from us. A client may still authenticate
// before MAIL.
func (f *facts) trusted() truth {
	switch {
	case f.local.Trusts(f.in.Envelope):
		return yes
	case f.knowsSender():
		return no
	}
	return perhaps
}

// directions returns the ways the mail can be going to this recipient.
func (f *facts) directions(to recipient) Directions {
	in, away := Inbound, Outbound
	switch {
	case !to.known:
		in, away = Inbound|Relayed, Outbound|Internal
	case matchDomain(f.ours, to.domain):
		away = Internal
	case to.domain == "" || len(f.ours) == 0:
	case inNetworks(f.local.Networks, f.in.Envelope.Via):
		in = Outbound // one of ours passes it on, from any sender
	default:
		in = Relayed
	}
	switch f.trusted() {
	case yes:
		return away
	case no:
		return in
	}
	return in | away
}
