package rate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Scanner counts recipients at RCPT, by the time at which their message began.
// Where an MTA, or a relay of ours, tells no recipients before the message, it
// says nothing.
type Scanner struct {
	limits []Limit
	with   With
}

// With is what the scanner counts with.
type With struct {
	Store Store
	// Local counts for this host alone while the store cannot be used, with a limit that is divided by the number of hosts;
	// nil: nothing is counted then.
	Local Store
	Hosts int
}

// New returns a scanner for a valid configuration.
func New(c Config, w With) *Scanner { return &Scanner{c.Limits, w} }

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// Scan implements scan.Scanner. All that is to be said is said before the
// message.
func (s *Scanner) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, nil }

// Local implements scan.IsLocal: all is asked before the message.
func (s *Scanner) Local() bool { return true }

// At implements scan.SpeaksAt.
func (s *Scanner) At(stage scan.Stage) bool { return stage == scan.StageRcpt }

// ScanEnvelope implements scan.EnvelopeScanner. Every limit is asked, even where
// another is reached. The error is the store's; a sender that it could not count is
// not said to be over a limit.
func (s *Scanner) ScanEnvelope(ctx context.Context, stage scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	if stage != scan.StageRcpt || len(e.Recipients) == 0 {
		return nil, nil
	}
	to := e.Recipients[len(e.Recipients)-1]
	var found []scan.Finding
	var errs, away []error
	for _, l := range s.limits {
		whom := l.By.of(e, to)
		if whom == "" {
			continue
		}
		ok, missed, err := s.take(ctx, l, whom, e.Received)
		if missed != nil {
			away = append(away, missed)
		}
		if err != nil {
			errs = append(errs, err)
		} else if !ok {
			found = append(found, l.found(to, fmt.Sprintf("%s %s: more than %d recipients in %v", l.By, shown(whom), l.Recipients, l.Per)))
		}
	}
	if len(away) > 0 {
		found = append(found, local(to, s.with.Hosts, away[0]))
	}
	return found, errors.Join(errs...)
}

// take takes a token, from our own where that of all hosts cannot be had: missed says why.
func (s *Scanner) take(ctx context.Context, l Limit, whom string, now time.Time) (ok bool, missed, err error) {
	k, b := l.keyOf(whom), l.bucket()
	ok, err = s.with.Store.Take(ctx, k, b, now)
	if err == nil || s.with.Local == nil || ctx.Err() != nil {
		return ok, nil, err
	}
	ok, failed := s.with.Local.Take(ctx, k, b.share(s.with.Hosts), now)
	if failed != nil {
		return false, nil, errors.Join(err, failed)
	}
	return ok, err, nil
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
