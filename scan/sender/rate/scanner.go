package rate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Scanner counts recipients at RCPT, by the time at which their message began.
// Where an MTA, or a relay of ours, tells no recipients before the message, it
// says nothing.
type Scanner struct {
	limits []Limit
	store  Store
}

// New returns a scanner for a valid configuration.
func New(c Config, s Store) *Scanner { return &Scanner{c.Limits, s} }

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// Scan implements scan.Scanner. All that is to be said is said before the
// message.
func (s *Scanner) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, nil }

// ScanEnvelope implements scan.EnvelopeScanner. Every limit is asked, even where
// another is reached. The error is the store's; a sender that it could not count is
// not said to be over a limit.
func (s *Scanner) ScanEnvelope(ctx context.Context, stage scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	if stage != scan.StageRcpt || len(e.Recipients) == 0 {
		return nil, nil
	}
	to := e.Recipients[len(e.Recipients)-1]
	var found []scan.Finding
	var errs []error
	for _, l := range s.limits {
		whom := l.By.of(e, to)
		if whom == "" {
			continue
		}
		ok, err := s.store.Take(ctx, l.keyOf(whom), l.bucket(), e.Received)
		if err != nil {
			errs = append(errs, err)
		} else if !ok {
			found = append(found, l.found(to, fmt.Sprintf("%s %s: more than %d recipients in %v", l.By, shown(whom), l.Recipients, l.Per)))
		}
	}
	return found, errors.Join(errs...)
}

// of returns the name or address that the mail to a recipient counts for; "" for none.
// Mail from the null sender counts for none: every server that bounces sends it.
func (b By) of(e scan.Envelope, to string) string {
	switch b {
	case Client:
		if e.Client.IsValid() {
			return host(e.Client.Addr())
		}
		return ""
	case Sender:
		return strings.ToLower(e.Sender)
	case User:
		return e.AuthUser
	}
	return strings.ToLower(to)
}

// prefix is the part of an IPv6 address that one host cannot change at will.
const prefix = 64

func host(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, prefix).Masked().String()
}

// shown returns how much of a name a finding quotes.
func shown(whom string) string { return whom[:min(len(whom), 200)] }
