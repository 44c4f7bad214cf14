// Package rspamd has rspamd score messages, by HTTP. Its score is one opinion among those of the
// scorers, the action it proposes is a finding that rules may go by, each of its symbols is one,
// too, and where it fails no mail waits for it.
package rspamd

import (
	"context"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/scorer"
	"github.com/milterscan/milterscan/scan/units"
)

// Catalogue lists everything rspamd's opinion is reported as.
func Catalogue() []scan.Rule { return append(Opinions(), scorer.Catalogue()...) }

// Opinions returns the rules that only rspamd's answer can give. If no rule of the policy
// uses them or the score, it need not be asked.
func Opinions() []scan.Rule {
	return []scan.Rule{
		{Name: ruleTotal, Kind: scan.Note, About: "Rspamd gives the message this score, and names its symbols."},
		{Name: ruleAction + "*", Kind: scan.Note,
			About: "Rspamd by itself would do this, such as `reject` or `add-header`; it does nothing unless a rule goes by it."},
		{Name: ruleHit + "*", Kind: scan.Note, About: "Rspamd's symbol of that name matched; its points are in `spam/rspamd`."},
	}
}

// With is what a scanner needs as well as its configuration.
type With struct {
	// Wanted reports whether any rule of the policy can use rspamd's opinion of mail with
	// such an envelope.
	Wanted func(scan.Envelope) bool
	// Password returns the password that rspamd wants; nil for none. It is called for each
	// message.
	Password func() (string, error)
}

// Scanner is a scan.Scanner that asks rspamd.
type Scanner struct {
	cfg     Config
	with    With
	client  client
	servers *scorer.Servers
}

// New returns a scanner for a valid configuration. The error is about its certificates.
func New(c Config, with With) (*Scanner, error) {
	roots, err := units.Authorities(c.CAFile)
	if err != nil {
		return nil, err
	}
	return &Scanner{cfg: c, with: with, client: client{roots, with.Password}, servers: scorer.NewServers(c.Addresses, c.Connections)}, nil
}

// Name returns the word of scorers, and rspamd's.
func (s *Scanner) Name() string { return ruleTotal }

// Scan asks the first server that answers.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	if !s.with.Wanted(m.Envelope) {
		return nil, nil
	}
	if size := m.Raw.Size(); size > int64(s.cfg.MaxSize) {
		return []scan.Finding{scorer.TooLarge("rspamd", size)}, nil
	}
	q := question{path: "checkv2", fields: fields(m.Envelope), mail: m.Raw}
	var o opinion
	err := s.servers.Ask(ctx, s.cfg.Timeout.Go(), func(ctx context.Context, address string) error {
		r, err := s.client.ask(ctx, address, q)
		if err == nil {
			o, err = r.opinion()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return o.findings(), nil
}

// Ping asks every address whether rspamd is there. The error names those where it is
// not.
func (s *Scanner) Ping(ctx context.Context) error {
	return s.servers.Each(ctx, s.cfg.Timeout.Go(), s.client.ping)
}
