package policy

import (
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan/format/entity"
)

// address is a mail address taken apart, in lower case. The null sender has
// neither part.
type address struct{ local, domain string }

// splitAddress takes an address apart at its last "@", as an MTA does: a quoted
// local part may hold others.
func splitAddress(s string) address {
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
	s = strings.ToLower(s)
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return address{local: s}
	}
	return address{s[:at], strings.TrimSuffix(s[at+1:], ".")}
}

// AddressPattern matches mail addresses, upper and lower case alike. As text it
// is one of
//
//	user@example.com   one address; "*" in the user part matches anything
//	@example.com       every address of the domain, like *@example.com
//	.example.com       every address of any subdomain, but not of the domain
//	postmaster@*       one user part in any domain
//	<>                 the null sender
//	*                  every address and the null sender
//	group:finance      the addresses of all in a group of people
type AddressPattern struct{ local, domain string }

// ParseAddressPattern reads a pattern.
func ParseAddressPattern(s string) (AddressPattern, error) {
	var p AddressPattern
	return p, p.UnmarshalText([]byte(s))
}

// UnmarshalText reads a pattern.
func (p *AddressPattern) UnmarshalText(text []byte) error {
	s := strings.ToLower(strings.TrimSpace(string(text)))
	if s == "*" || s == "<>" {
		*p = AddressPattern{local: s}
		return nil
	}
	if name, ok := strings.CutPrefix(s, groupPrefix); ok {
		var err error
		*p, err = groupPattern(name)
		return err
	}
	if len(s) > 2 && s[0] == '/' && s[len(s)-1] == '/' {
		return fmt.Errorf("%q is a regular expression, which no pattern of addresses can be; \"*\" matches anything in the "+
			"user part, such as \"boss*@example.com\", and a file lists many: \"file:list\"", text)
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 && !strings.HasPrefix(s, ".") {
		return fmt.Errorf("%q is no address pattern; write \"user@example.com\", \"@example.com\" for a domain, "+
			"\".example.com\" for its subdomains or \"<>\" for the null sender", text)
	}
	q := AddressPattern{"*", s[at+1:]}
	if at > 0 {
		q.local = s[:at]
	}
	if !plausibleDomain(q.domain) {
		return fmt.Errorf("%q has no domain that could match; write it without blanks, such as \"@example.com\", or \"@*\" for all", text)
	}
	*p = q
	return nil
}

// Everybody matches all addresses of a domain.
func Everybody(d Domain) AddressPattern { return AddressPattern{"*", string(d)} }

// In reports whether the pattern matches addresses of the domain only.
func (p AddressPattern) In(d Domain) bool {
	return p.domain == string(d) || d[0] == '.' && strings.HasSuffix(p.domain, string(d))
}

// plausibleDomain reports whether d can be the domain of a pattern.
func plausibleDomain(d string) bool {
	return d == "*" || strings.Trim(d, ".") != "" && !strings.ContainsAny(d, "*?<> \t\r\n")
}

// MarshalText writes the pattern as UnmarshalText reads it.
func (p AddressPattern) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String returns the pattern as it may be written.
func (p AddressPattern) String() string {
	switch {
	case p.domain == "":
		return p.local
	case p.domain == groupMark:
		return groupPrefix + p.local
	case p.local != "*":
		return p.local + "@" + p.domain
	case p.domain[0] == '.':
		return p.domain
	}
	return "@" + p.domain
}

// addresses is a compiled list of patterns: the common forms are looked up, so
// that a list of ten thousand is no slower than one of ten.
type addresses struct {
	all, null bool
	exact     map[address]bool
	domains   map[string]bool // whole domains; ".example.com" for subdomains
	globs     []AddressPattern
	groups    []string // of people
}

func compileAddresses(patterns []AddressPattern) addresses {
	l := addresses{exact: map[address]bool{}, domains: map[string]bool{}}
	for _, p := range patterns {
		switch {
		case p.domain == "":
			l.all = l.all || p.local == "*"
			l.null = l.null || p.local == "<>"
		case p.domain == groupMark:
			l.groups = append(l.groups, p.local)
		case p.local == "*" && p.domain != "*":
			l.domains[p.domain] = true
		case strings.ContainsAny(p.local, "*?") || p.domain == "*" || p.domain[0] == '.':
			l.globs = append(l.globs, p)
		default:
			l.exact[address(p)] = true
		}
	}
	return l
}

func (l addresses) match(a address) bool {
	if l.all || l.null && a == (address{}) || l.exact[a] {
		return true
	}
	if a.domain != "" && matchDomain(l.domains, a.domain) {
		return true
	}
	for _, p := range l.globs {
		if p.match(a) {
			return true
		}
	}
	return false
}

func (p AddressPattern) match(a address) bool {
	if a == (address{}) || !matchGlob(p.local, a.local) {
		return false
	}
	return p.domain == "*" || p.domain == a.domain || p.domain[0] == '.' && strings.HasSuffix(a.domain, p.domain)
}

// matchDomain looks a domain up: itself, or with a dot in front each domain
// above it.
func matchDomain(set map[string]bool, domain string) bool {
	if set[domain] {
		return true
	}
	for i := range len(domain) {
		if domain[i] == '.' && set[domain[i:]] {
			return true
		}
	}
	return false
}

// headerFrom finds whatever could be taken for an address in any From field.
// It takes too much rather than too little: two From fields, addresses in
// comments and in display names are how senders pretend to be others.
func headerFrom(h entity.Header) []address {
	found := []address{}
	for _, f := range h.Fields {
		if !strings.EqualFold(strings.TrimSpace(f.Name), "From") {
			continue
		}
		for _, word := range strings.FieldsFunc(f.Value, betweenAddresses) {
			if strings.Contains(word, "@") {
				found = append(found, splitAddress(word))
			}
		}
	}
	return found
}

func betweenAddresses(r rune) bool { return r <= ' ' || strings.ContainsRune("<>(),;:\"[]", r) }
