package dnslist

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// list is a List made ready, with its health.
type list struct {
	List
	resolver dns.Resolver
	tell     func(Heard)
	health   health
}

// subject is an address or a domain to look up.
type subject struct {
	text string     // a domain; as findings show it
	addr netip.Addr // the zero address for a domain
}

func ofAddr(a netip.Addr) subject { return subject{a.Unmap().String(), a.Unmap()} }

// ofText returns an address if the text is one, and a domain else.
func ofText(s string) subject {
	if a, err := netip.ParseAddr(s); err == nil {
		return ofAddr(a)
	}
	return subject{text: strings.ToLower(strings.TrimSuffix(s, "."))}
}

// name returns the domain name of the subject in a zone.
func (s subject) name(zone string) string {
	if s.addr.IsValid() {
		return dns.Reversed(s.addr) + "." + strings.Trim(zone, ".")
	}
	return s.text + "." + strings.Trim(zone, ".")
}

// entry is the answer of a list about a subject.
type entry struct {
	subject subject
	code    netip.Addr // of the answer that counts; the zero address: not listed
	err     error      // it does not say
}

// listed reports whether the list has the subject.
func (e entry) listed() bool { return e.code.IsValid() }

// refusedError is a list that answers, but not to us.
type refusedError struct{ code netip.Addr }

func (e refusedError) Error() string {
	if refusal.Contains(e.code) {
		return fmt.Sprintf("the operator refuses to answer (%v)", e.code)
	}
	return fmt.Sprintf("%v is no answer of a DNS list", e.code)
}

// look looks a subject up.
func (l *list) look(ctx context.Context, r dns.Resolver, s subject) entry {
	records, err := r.Lookup(ctx, s.name(l.Zone), dns.A)
	if err != nil && !dns.NotFound(err) {
		return entry{subject: s, err: err}
	}
	e := entry{subject: s}
	for _, rr := range records {
		if !space.Contains(rr.Addr) || refusal.Contains(rr.Addr) {
			return entry{subject: s, err: refusedError{rr.Addr}}
		}
		if !e.listed() && l.counts(rr.Addr) {
			e.code = rr.Addr
		}
	}
	return e
}

func (l *list) counts(code netip.Addr) bool {
	for _, a := range l.Answers {
		if a.has(code) {
			return true
		}
	}
	return false
}
