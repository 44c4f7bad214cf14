package people

import (
	"fmt"
	"net/netip"
	"strings"
)

// Host is the owner of entries for all mail of this host.
const Host = "host"

// FoldOwner returns the owner of entries as it is written in lists: Host, a domain such as
// "example.com", ".example.com" for its subdomains, or the address of a recipient.
func FoldOwner(owner string) (string, error) {
	s := strings.TrimSpace(owner)
	switch {
	case strings.EqualFold(s, Host):
		return Host, nil
	case strings.LastIndexByte(s, '@') > 0 && !strings.HasPrefix(s, "*@"):
		return Fold(s)
	}
	domain, err := foldDomains(strings.TrimPrefix(strings.TrimPrefix(s, "*"), "@"))
	if err != nil {
		return "", fmt.Errorf("%q is no owner of a list; write an address, a domain such as \"example.com\", or \"host\"", owner)
	}
	if domain == Host {
		return "", fmt.Errorf("%q is the word for the list of this host, and no domain", owner)
	}
	return domain, nil
}

// Level is how far an owner's entries reach, or those that a person may make.
type Level int

// The levels, from the least to the most.
const (
	OfRecipient Level = iota // one address
	OfDomain                 // all addresses of a domain
	OfHost                   // all mail
)

// LevelOf returns the level of an owner as FoldOwner writes it.
func LevelOf(owner string) Level {
	switch {
	case owner == Host:
		return OfHost
	case strings.Contains(owner, "@"):
		return OfRecipient
	}
	return OfDomain
}

// foldDomains returns a domain, or one with a dot in front for all its subdomains.
func foldDomains(s string) (string, error) {
	s = strings.TrimPrefix(s, "*")
	below, dotted := strings.CutPrefix(s, ".")
	domain, err := FoldDomain(below)
	if dotted && err == nil {
		domain = "." + domain
	}
	return domain, err
}

// Kind is what a pattern is about.
type Kind string

// The kinds of patterns.
const (
	Address Kind = "address" // of one sender
	Domain  Kind = "domain"  // all senders of a domain, or of its subdomains
	Network Kind = "network" // the client
)

// KindOf returns the kind of a pattern as FoldPattern writes it.
func KindOf(pattern string) Kind {
	switch strings.IndexByte(pattern, '@') {
	case -1:
		if pattern != "" && pattern[0] != '.' {
			return Network
		}
		return Domain
	case 0:
		return Domain
	}
	return Address
}

// FoldPattern returns a pattern as it is written in lists: "ann@example.com" for one sender,
// "@example.com" for a domain, ".example.com" for its subdomains, "192.0.2.0/24" for the
// addresses of clients.
func FoldPattern(pattern string) (string, error) {
	s := strings.TrimSpace(pattern)
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	if p, ok, err := network(s); ok || err != nil {
		return p, err
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:max(at, 0)], s[at+1:]
	switch {
	case at < 0 && !strings.Contains(s, "."), local != "" && local[0] != '"' && strings.ContainsAny(local, "@,;:"):
		return "", noPattern(pattern)
	case local == "" || local == "*":
		folded, err := foldDomains(domain)
		if err != nil {
			return "", noPattern(pattern)
		}
		if folded[0] == '.' {
			return folded, nil
		}
		return "@" + folded, nil
	case strings.ContainsAny(local, "*?"):
		return "", fmt.Errorf("%q has a \"*\" or a \"?\", which stands for nothing here; write the whole address, or \"@%s\" for all of "+
			"the domain", pattern, domain)
	}
	folded, err := Fold(s)
	if err != nil {
		return "", noPattern(pattern)
	}
	return folded, nil
}

func noPattern(pattern string) error {
	return fmt.Errorf("%q is no sender; write \"ann@example.com\", \"@example.com\" for a domain, \".example.com\" for its subdomains, "+
		"or a network such as \"192.0.2.0/24\"", pattern)
}

// The shortest prefixes of networks that can be listed: a shorter one is a slip of the pen.
const (
	leastOf4 = 8
	leastOf6 = 16
)

// network reads a network or one address of a client. It reports whether s is one.
func network(s string) (string, bool, error) {
	p, err := netip.ParsePrefix(s)
	if a, e := netip.ParseAddr(strings.Trim(s, "[]")); e == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil {
		return "", false, nil
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	least := leastOf6
	if p.Addr().Is4() {
		least = leastOf4
	}
	switch {
	case p != p.Masked():
		return "", false, fmt.Errorf("%q has bits set after its prefix length; write %q", s, p.Masked())
	case p.Bits() < least:
		return "", false, fmt.Errorf("%q is too large a network for a list; write one of /%d or longer", s, least)
	}
	return p.String(), true, nil
}
