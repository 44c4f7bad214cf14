package dns

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// How long answers are kept at most, whatever they say about themselves: those
// that are there, and those that are not (RFC 2308, section 5).
const (
	longestKept   = 6 * time.Hour
	longestDenied = 10 * time.Minute
)

// reading is the content of one response.
type reading struct {
	records []Record
	missing bool          // the name does not exist
	alias   string        // what to ask for instead, if the response does not say
	hops    int           // aliases on the way
	ttl     time.Duration // of the shortest-lived record used
}

// answer makes the last reading of a chain the answer to a question.
func (r reading) answer(q question, ttl time.Duration) answer {
	if r.missing {
		return answer{err: q.fails(ErrNotFound, ""), ttl: ttl}
	}
	return answer{records: r.records, ttl: ttl}
}

// read takes a response apart. Records of other names than the question's and
// its aliases are passed over.
func read(m *dns.Msg, asked dns.Question) (reading, error) {
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return reading{}, fmt.Errorf("%w: %s", ErrFailed, dns.RcodeToString[m.Rcode])
	}
	if m.Truncated {
		return reading{}, fmt.Errorf("%w: truncated even over TCP", ErrFailed)
	}
	r := reading{ttl: longestKept}
	name, err := r.follow(m, asked)
	if err != nil {
		return r, err
	}
	for _, rr := range m.Answer {
		if h := rr.Header(); h.Rrtype == asked.Qtype && strings.EqualFold(h.Name, name) {
			r.use(rr)
		}
	}
	if len(r.records) == 0 {
		r.deny(m, name, asked)
	}
	return r, nil
}

// follow returns the name at the end of the aliases that the response holds.
func (r *reading) follow(m *dns.Msg, asked dns.Question) (string, error) {
	name := asked.Name
	for r.hops <= maxAliases {
		alias := aliasOf(m, name)
		if alias == nil {
			return name, nil
		}
		r.hops++
		r.lives(alias)
		name = alias.Target
	}
	return "", fmt.Errorf("%w: the aliases have no end", ErrFailed)
}

func aliasOf(m *dns.Msg, name string) *dns.CNAME {
	for _, rr := range m.Answer {
		if alias, ok := rr.(*dns.CNAME); ok && strings.EqualFold(alias.Hdr.Name, name) {
			return alias
		}
	}
	return nil
}

// lives shortens the reading's life to that of a record.
func (r *reading) lives(rr dns.RR) {
	r.ttl = min(r.ttl, time.Duration(rr.Header().Ttl)*time.Second)
}

// use adds a record.
func (r *reading) use(rr dns.RR) {
	rec, ok := record(rr)
	if ok {
		r.lives(rr)
		r.records = append(r.records, rec)
	}
}

// record returns a record as this package shows it.
func record(rr dns.RR) (Record, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		a, ok := netip.AddrFromSlice(rr.A.To4())
		return Record{Addr: a}, ok
	case *dns.AAAA:
		a, ok := netip.AddrFromSlice(rr.AAAA.To16())
		return Record{Addr: a.Unmap()}, ok
	case *dns.NS:
		return Record{Host: host(rr.Ns)}, true
	case *dns.PTR:
		return Record{Host: host(rr.Ptr)}, true
	case *dns.MX:
		return Record{Host: host(rr.Mx), Preference: rr.Preference}, true
	case *dns.TXT:
		return Record{Text: text(rr.Txt)}, true
	}
	return Record{}, false
}

func host(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// deny says how long an answer without such a record may be kept (RFC 2308, section
// 5): if the response names no zone, not at all. An alias that leads out of the
// response takes another question.
func (r *reading) deny(m *dns.Msg, name string, asked dns.Question) {
	r.missing = m.Rcode == dns.RcodeNameError
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			r.ttl = min(r.ttl, longestDenied, time.Duration(min(soa.Hdr.Ttl, soa.Minttl))*time.Second)
			return
		}
	}
	if !r.missing && !strings.EqualFold(name, asked.Name) {
		r.alias = host(name)
		return
	}
	r.ttl = 0
}
