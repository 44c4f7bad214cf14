// Package spamd has SpamAssassin score messages, through its daemon. Its score is
// added to the message's own, each of its rules is a finding, and where it fails no
// mail waits for it.
package spamd

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// The findings.
const (
	ruleTotal = scorer.SpamAssassin
	ruleHit   = scorer.Word + "/sa/"
)

// Catalogue lists everything SpamAssassin's opinion is reported as.
func Catalogue() []scan.Rule { return append(Opinions(), scorer.Catalogue()...) }

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
	cfg     Config
	wanted  Wanted
	servers *scorer.Servers
}

// New returns a scanner for a valid configuration, which asks about mail that is
// wanted.
func New(c Config, wanted Wanted) *Scanner {
	return &Scanner{cfg: c, wanted: wanted, servers: scorer.NewServers(c.Addresses, c.Connections)}
}

// Name returns the word of scorers, and SpamAssassin's.
func (s *Scanner) Name() string { return ruleTotal }

// Scan asks the first spamd that answers.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	if !s.wanted(m.Envelope) {
		return nil, nil
	}
	if size := m.Raw.Size(); size > int64(s.cfg.MaxSize) {
		return []scan.Finding{scorer.TooLarge("SpamAssassin", size)}, nil
	}
	q := question{verb: "SYMBOLS", user: s.cfg.User, trace: trace(m.Envelope), mail: m.Raw}
	var o opinion
	err := s.servers.Ask(ctx, s.cfg.Timeout.Go(), func(ctx context.Context, address string) (err error) {
		o, err = q.ask(ctx, address)
		return err
	})
	if err != nil {
		return nil, err
	}
	return o.findings(), nil
}

// Ping asks every address whether spamd is there. The error names those where it
// is not.
func (s *Scanner) Ping(ctx context.Context) error {
	return s.servers.Each(ctx, s.cfg.Timeout.Go(), ping)
}

// opinion is SpamAssassin's answer about a message.
type opinion struct {
	score, required float64
	rules           []string
}

// findings returns one with the score and one for each rule.
func (o opinion) findings() []scan.Finding {
	detail := fmt.Sprintf("%g of %g: %s", o.score, o.required, cmp.Or(strings.Join(o.rules, ", "), "no rule"))
	found := []scan.Finding{scorer.Opinion(ruleTotal, o.score, detail)}
	for _, r := range o.rules {
		found = append(found, scorer.Note(ruleHit+r, ""))
	}
	return found
}
