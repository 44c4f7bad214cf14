// Package dnstest answers questions from a literal, so that a test shows the DNS it
// runs with:
//
//	dnstest.Zone{
//		"2.0.0.127.bl.example": {"127.0.0.2", "TXT listed"},
//		"mx.example":           {"MX 10 mail.example"},
//		"*.wild.example":       {"192.0.2.1"},
//		"slow.example":         {dnstest.Silent},
//	}
package dnstest

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// Zone holds the records of names: an address is an A or AAAA record, "MX 10
// host", "PTR host", "NS host" and "TXT text" are those. A name without records
// exists; one that is not there does not, unless "*." and the rest of it is.
type Zone map[string][]string

// Values that are no records: a question for a name with one of them gets no answer.
const (
	Failing     = "!failing"     // dns.ErrFailed at once
	Timeout     = "!timeout"     // dns.ErrTimeout at once
	Unreachable = "!unreachable" // dns.ErrUnreachable at once
	Silent      = "!silent"      // nothing, until the context is done
)

// Lookup makes a Zone a dns.Resolver.
func (z Zone) Lookup(ctx context.Context, name string, t dns.Type) ([]dns.Record, error) {
	fails := func(why error) ([]dns.Record, error) {
		return nil, &dns.Error{Name: name, Type: t, Err: why}
	}
	lines, ok := z.find(strings.ToLower(strings.TrimSuffix(name, ".")))
	if !ok {
		return fails(dns.ErrNotFound)
	}
	var records []dns.Record
	for _, line := range lines {
		switch line {
		case Failing:
			return fails(dns.ErrFailed)
		case Timeout:
			return fails(dns.ErrTimeout)
		case Unreachable:
			return fails(dns.ErrUnreachable)
		case Silent:
			<-ctx.Done()
			return fails(ctx.Err())
		}
		if rt, r := record(line); rt == t {
			records = append(records, r)
		}
	}
	return records, nil
}

// find returns the records of a name, or of the nearest wildcard above it.
func (z Zone) find(name string) ([]string, bool) {
	if lines, ok := z[name]; ok {
		return lines, true
	}
	for rest := name; ; {
		_, above, ok := strings.Cut(rest, ".")
		if !ok {
			return nil, false
		}
		if lines, ok := z["*."+above]; ok {
			return lines, true
		}
		rest = above
	}
}

// record reads one line.
func record(line string) (dns.Type, dns.Record) {
	if a, err := netip.ParseAddr(line); err == nil {
		if a.Is4() {
			return dns.A, dns.Record{Addr: a}
		}
		return dns.AAAA, dns.Record{Addr: a}
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "PTR":
		return dns.PTR, dns.Record{Host: rest}
	case "NS":
		return dns.NS, dns.Record{Host: rest}
	case "MX":
		number, host, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			panic("dnstest: no MX record: " + line)
		}
		return dns.MX, dns.Record{Preference: uint16(n), Host: strings.TrimSuffix(host, ".")}
	case "TXT":
		return dns.TXT, dns.Record{Text: rest}
	}
	panic("dnstest: no record: " + line)
}
