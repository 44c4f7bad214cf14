package relay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/origin"
)

// With holds the things the checks need from the program.
type With struct {
	Resolver  dns.Resolver             // nil if nothing is to be asked
	Questions int                      // that may be put about one message
	Trusted   func(scan.Envelope) bool // whose HELO and reverse DNS do not matter: programs on desks have none
	Local     func(domain string) bool // whether a domain, in lower case, is ours
}

// Scanner checks envelopes.
type Scanner struct {
	config Config
	with   With
	open   connections
}

// New returns a scanner for a valid configuration. Without a resolver it checks
// nothing that takes one.
func New(c Config, w With) *Scanner {
	return &Scanner{config: c, with: w, open: connections{by: map[netip.Addr]int{}}}
}

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// Scan implements scan.Scanner. All that is to be said is said before the
// message.
func (s *Scanner) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, nil }

// Local implements scan.IsLocal: all is asked before the message.
func (s *Scanner) Local() bool { return true }

// At implements scan.SpeaksAt.
func (s *Scanner) At(stage scan.Stage) bool {
	return stage == scan.StageConnect || stage == scan.StageMail
}

// ScanEnvelope implements scan.EnvelopeScanner. Reverse DNS is asked about at
// connect and reported at MAIL, when it is known whose the client is.
func (s *Scanner) ScanEnvelope(ctx context.Context, stage scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	r := dns.Limited(s.with.Resolver, s.with.Questions)
	switch stage {
	case scan.StageConnect:
		found := s.connected(ctx, e)
		s.checkReverse(ctx, r, e)
		return found, nil
	case scan.StageMail:
		found, err := s.checkSender(ctx, r, e)
		reverse, err2 := s.checkReverse(ctx, r, e)
		return slices.Concat(found, s.checkHelo(e), reverse), errors.Join(err, err2)
	}
	return nil, nil
}

// connected counts the client's connection until it ends.
func (s *Scanner) connected(ctx context.Context, e scan.Envelope) []scan.Finding {
	if s.config.Connections == 0 || !e.Client.IsValid() || s.with.Trusted(e) {
		return nil
	}
	if n := s.open.add(ctx, e.Client.Addr()); n > s.config.Connections {
		return s.found(ruleConnections, fmt.Sprintf("%v has %d connections open", e.Client.Addr(), n))
	}
	return nil
}

// checkSender asks whether mail to the sender could be delivered (RFC 5321,
// section 5.1): its domain has an MX record, or else an address. A resolver that
// does not answer at all is our own trouble and no fact about the sender.
func (s *Scanner) checkSender(ctx context.Context, r dns.Resolver, e scan.Envelope) ([]scan.Finding, error) {
	domain := origin.Domain(e.Sender)
	if s.config.SenderDomain != On || domain == "" || strings.HasPrefix(domain, "[") || s.with.Local(domain) {
		return nil, nil
	}
	host := markup.ParseURL("//" + domain).Host
	found, err := s.takesMail(ctx, r, host)
	switch {
	case err == nil:
		return found, nil
	case dns.NotFound(err):
		return s.found(ruleNoDomain, domain+" does not exist"), nil
	case errors.Is(err, dns.ErrUnreachable):
		return nil, err
	}
	return s.found(ruleUnknown, err.Error()), nil
}

// takesMail finds what speaks against a domain; nothing where mail to it can be
// delivered.
func (s *Scanner) takesMail(ctx context.Context, r dns.Resolver, domain string) ([]scan.Finding, error) {
	mx, err := r.Lookup(ctx, domain, dns.MX)
	if err != nil {
		return nil, err
	}
	if len(mx) == 1 && mx[0].Host == "" {
		return s.found(ruleNullMX, domain+" has a null MX"), nil
	}
	if len(mx) > 0 {
		return nil, nil
	}
	for _, t := range [...]dns.Type{dns.A, dns.AAAA} {
		if addrs, err := r.Lookup(ctx, domain, t); err != nil || len(addrs) > 0 {
			return nil, err
		}
	}
	return s.found(ruleNoDomain, domain+" has neither an MX record nor an address"), nil
}

// checkReverse asks whether one of the names of the client's address has that
// address (RFC 8601, section 3, calls this iprev).
func (s *Scanner) checkReverse(ctx context.Context, r dns.Resolver, e scan.Envelope) ([]scan.Finding, error) {
	addr := e.Client.Addr()
	if !s.config.ReverseDNS || !origin.Public(addr) || s.with.Trusted(e) {
		return nil, nil
	}
	names, err := dns.Names(ctx, r, addr)
	if err != nil && !dns.NotFound(err) {
		return nil, err
	}
	if len(names) == 0 {
		return s.found(ruleNoName, addr.String()), nil
	}
	for _, name := range names[:min(len(names), maxNames)] {
		addrs, err := dns.Addrs(ctx, r, name, addr)
		if err != nil && !dns.NotFound(err) {
			return nil, err
		}
		if slices.Contains(addrs, addr.Unmap()) {
			return nil, nil
		}
	}
	return s.found(ruleForged, fmt.Sprintf("%v claims to be %s", addr, names[0])), nil
}

// maxNames is how many names of an address are looked up (RFC 7208, section
// 5.5, takes as many).
const maxNames = 10
