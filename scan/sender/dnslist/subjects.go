package dnslist

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// maxSubjects bounds the subjects of one kind for one message.
const maxSubjects = 40

// subjects collects the subjects to look up, without repeats and up to a bound.
type subjects struct {
	list []subject
	seen map[string]bool
	full bool
}

func (s *subjects) add(one subject) {
	switch {
	case s.seen[one.text]:
		return
	case len(s.list) >= maxSubjects:
		s.full = true
		return
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[one.text] = true
	s.list = append(s.list, one)
}

// addr adds an address if it is a public one.
func (s *subjects) addr(a netip.Addr) {
	if origin.Public(a) {
		s.add(ofAddr(a))
	}
}

// domain adds a host, and the registered domain it is below.
func (s *subjects) domain(host string) {
	host = markup.ParseURL("//" + strings.Trim(host, ".")).Host
	if a, err := netip.ParseAddr(host); err == nil {
		s.addr(a)
		return
	}
	if !markup.Suffixed(host) && !strings.Contains(host, ".") {
		return
	}
	s.add(subject{text: host})
	if d := markup.Registrable(host); d != host {
		s.add(subject{text: d})
	}
}

// ofEnvelope returns the subjects that the envelope holds.
func (l Lookup) ofEnvelope(e scan.Envelope) subjects {
	var s subjects
	switch l {
	case Client:
		s.addr(e.Client.Addr())
	case Helo:
		s.domain(strings.Trim(e.Helo, "[]"))
	case Sender:
		s.domain(origin.Domain(e.Sender))
	}
	return s
}

// inMessage returns the subjects that the message holds.
func (c *Scanner) inMessage(ctx context.Context, l Lookup, m *scan.Message) (subjects, error) {
	var s subjects
	var err error
	switch l {
	case From:
		for _, d := range origin.Authors(m.Header) {
			s.domain(d)
		}
	case Received:
		for _, hop := range origin.Hops(m.Header) {
			if hop.Addr != m.Envelope.Client.Addr() {
				s.addr(hop.Addr)
			}
		}
	case Link:
		err = c.links(ctx, m, &s)
	case DKIM:
		err = c.signers(ctx, m, &s)
	}
	return s, err
}

// links adds where the links of a message lead.
func (c *Scanner) links(ctx context.Context, m *scan.Message, s *subjects) error {
	texts, err := c.with.Texts.Of(ctx, m)
	if texts == nil {
		return errors.Join(err, errors.New("the links of the message are not known"))
	}
	for _, l := range texts.Links() {
		if u := markup.ParseLink(l.Target); u.Web() {
			s.domain(u.Host)
		}
	}
	return nil // a part that cannot be read is told by the scanner of contents
}

// signers adds the domains of valid signatures.
func (c *Scanner) signers(ctx context.Context, m *scan.Message, s *subjects) error {
	signatures, err := c.with.Signatures.Of(ctx, m)
	for _, sig := range signatures {
		if sig.Valid() {
			s.domain(sig.Domain)
		}
	}
	return err
}
