// Package spamd has SpamAssassin score messages, through its daemon. Its score is
// added to the message's own, each of its rules is a finding, and where it fails no
// mail waits for it.
package spamd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// The findings.
const (
	word         = "spam"
	ruleTotal    = word + "/spamassassin"
	ruleHit      = word + "/sa/"
	ruleTooLarge = word + "/not-scored"
)

// Catalogue lists everything SpamAssassin's opinion is reported as.
func Catalogue() []scan.Rule {
	return append(Opinions(), []scan.Rule{
		{Name: ruleTooLarge, Kind: scan.Note, About: "The message is too large to ask SpamAssassin about it."},
		{Name: word + "/failed/*", Kind: scan.Failed,
			About: "The scorer or DNS list of that name gave no usable answer; a list that is off says why."},
	}...)
}

// Opinions returns the rules that only SpamAssassin's answer can give. If no rule of
// the policy uses them or the score, it need not be asked.
func Opinions() []scan.Rule {
	return []scan.Rule{
		{Name: ruleTotal, Kind: scan.Note, About: "SpamAssassin adds its score to the message's, and names its rules."},
		{Name: ruleHit + "*", Kind: scan.Note, About: "SpamAssassin's rule of that name matched; its points are in `spam/spamassassin`."},
	}
}

// Wanted reports whether any rule of the policy can use SpamAssassin's opinion of
// mail with such an envelope.
type Wanted func(scan.Envelope) bool

// Scanner is a scan.Scanner that asks spamd.
type Scanner struct {
	cfg    Config
	wanted Wanted
	slots  chan struct{} // one for each connection
}

// New returns a scanner for a valid configuration, which asks about mail that is
// wanted.
func New(c Config, wanted Wanted) *Scanner {
	return &Scanner{cfg: c, wanted: wanted, slots: make(chan struct{}, c.Connections)}
}

// Name returns the word of scorers, and SpamAssassin's.
func (s *Scanner) Name() string { return ruleTotal }

// Scan asks the first spamd that answers.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	if !s.wanted(m.Envelope) {
		return nil, nil
	}
	if size := m.Raw.Size(); size > int64(s.cfg.MaxSize) {
		return []scan.Finding{note(ruleTooLarge, fmt.Sprintf("%d bytes", size))}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Go())
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for one of %d connections: %w", cap(s.slots), ctx.Err())
	}
	o, err := s.ask(ctx, question{user: s.cfg.User, trace: trace(m.Envelope), mail: m.Raw})
	if err != nil {
		return nil, err
	}
	return o.findings(), nil
}

// ask asks one address after the other, each within its share of the time.
func (s *Scanner) ask(ctx context.Context, q question) (opinion, error) {
	var errs []error
	for i, address := range s.cfg.Addresses {
		end, _ := ctx.Deadline()
		share, cancel := context.WithTimeout(ctx, time.Until(end)/time.Duration(len(s.cfg.Addresses)-i))
		o, err := q.ask(share, address)
		cancel()
		if err == nil {
			return o, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", address, err))
	}
	return opinion{}, errors.Join(errs...)
}

// Ping asks every address whether spamd is there. The error names those where it
// is not.
func (s *Scanner) Ping(ctx context.Context) error {
	var errs []error
	for _, address := range s.cfg.Addresses {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout.Go())
		if err := ping(ctx, address); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", address, err))
		}
		cancel()
	}
	return errors.Join(errs...)
}

// opinion is SpamAssassin's answer about a message.
type opinion struct {
	score, required float64
	rules           []string
}

// findings returns one with the score and one for each rule.
func (o opinion) findings() []scan.Finding {
	total := note(ruleTotal, fmt.Sprintf("%g of %g: %s", o.score, o.required, cmp.Or(strings.Join(o.rules, ", "), "no rule")))
	total.Score = o.score
	found := []scan.Finding{total}
	for _, r := range o.rules {
		found = append(found, note(ruleHit+r, ""))
	}
	return found
}

func note(rule, detail string) scan.Finding {
	return scan.Finding{Kind: scan.Note, Scanner: word, Rule: rule, Part: scan.WholeMessage, Detail: detail}
}
