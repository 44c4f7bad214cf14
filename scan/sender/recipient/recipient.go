// Package recipient says of recipients whether there are such persons, as far as a directory
// of people can be sure of that.
package recipient

import (
	"context"
	"errors"

	"github.com/milterscan/milterscan/scan"
)

// word is the scanner of all findings of this package.
const word = "recipient"

// unknown is the finding about a recipient who is not there.
const unknown = word + "/unknown"

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: unknown, Kind: scan.Note,
			About: "The recipient's domain is one of which a source of people has all addresses, and this is none of them."},
		{Name: scan.FailedRule(word), Kind: scan.Failed,
			About: "Rules go by groups of people, and some source of people has never been loaded: who is in a " +
				"group cannot be said."},
	}
}

// With is what a scanner works with.
type With struct {
	// Known reports whether there is such an address, and whether that is sure.
	Known func(address string) (known, sure bool)
	// Ready reports whether it can be said who is in which group; nil: no rule asks for that.
	Ready func() bool
}

// errNobody is reported while nothing is known of some people. It names the remedy.
var errNobody = errors.New("some source of people has not been loaded yet; the log and \"milterscan people check\" say why")

// Scanner looks recipients up when a message is there, for those who are told of none before.
type Scanner struct{ with With }

// New returns a scanner.
func New(w With) *Scanner { return &Scanner{w} }

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// Scan implements scan.Scanner.
func (s *Scanner) Scan(_ context.Context, m *scan.Message) (found []scan.Finding, err error) {
	for _, to := range m.Envelope.Recipients {
		found = append(found, s.look(to)...)
	}
	return found, s.ready()
}

// look returns what there is to say of a recipient.
func (s *Scanner) look(to string) []scan.Finding {
	known, sure := s.with.Known(to)
	if known || !sure {
		return nil
	}
	return []scan.Finding{{Kind: scan.Note, Scanner: word, Rule: unknown, Part: scan.WholeMessage, Recipient: to,
		Detail: "no source of people has " + shown(to)}}
}

// ready returns an error while it cannot be said who is in which group.
func (s *Scanner) ready() error {
	if s.with.Ready != nil && !s.with.Ready() {
		return errNobody
	}
	return nil
}

// shown returns how much of an address a finding quotes.
func shown(to string) string { return to[:min(len(to), 200)] }

// Early looks recipients up one after the other, at RCPT. What a relay of ours passes on it does not
// look up: the relay has accepted it, and would send a bounce to a sender who may be forged.
type Early struct{ Scanner }

// NewEarly returns a scanner that is asked at RCPT.
func NewEarly(w With) *Early { return &Early{Scanner{w}} }

// Scan implements scan.Scanner. Recipients have been looked up before the message.
func (s *Early) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, s.ready() }

// At implements scan.SpeaksAt.
func (s *Early) At(stage scan.Stage) bool { return stage == scan.StageRcpt }

// ScanEnvelope implements scan.EnvelopeScanner.
func (s *Early) ScanEnvelope(_ context.Context, stage scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	if stage != scan.StageRcpt || len(e.Recipients) == 0 {
		return nil, nil
	}
	return s.look(e.Recipients[len(e.Recipients)-1]), s.ready()
}
