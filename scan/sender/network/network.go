// Package network finds clients in networks that are on lists which others publish.
package network

import (
	"context"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/listing"
)

// word is the scanner of all findings of this package.
const word = "feed"

// The findings, before the names of lists.
const (
	ruleClient = word + "/client/"
	ruleFailed = word + "/failed/"
)

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: ruleClient + "*", Kind: scan.Suspicious, About: "The client is in a network on the list of that name."},
		{Name: ruleFailed + "*", Kind: scan.Failed, About: "The list of that name has never been fetched, so what is on it is not known."},
	}
}

// List is a list of networks.
type List struct {
	Name  string
	Score float64
	Table func() *listing.Table // as it is now, nil if it was never fetched
}

// Scanner looks clients up. Those of ours it does not look up.
type Scanner struct {
	lists   []List
	trusted func(scan.Envelope) bool
}

// New returns a scanner.
func New(lists []List, trusted func(scan.Envelope) bool) *Scanner { return &Scanner{lists, trusted} }

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word + "/client" }

// Scan implements scan.Scanner. The client was looked up before the message.
func (s *Scanner) Scan(context.Context, *scan.Message) ([]scan.Finding, error) { return nil, nil }

// Local implements scan.IsLocal: all is asked before the message.
func (s *Scanner) Local() bool { return true }

// At implements scan.SpeaksAt.
func (s *Scanner) At(stage scan.Stage) bool { return stage == scan.StageMail }

// ScanEnvelope implements scan.EnvelopeScanner. The client is looked up at MAIL, which tells whether
// it is one of ours.
func (s *Scanner) ScanEnvelope(_ context.Context, stage scan.Stage, e scan.Envelope) (found []scan.Finding, _ error) {
	a := e.Client.Addr()
	if stage != scan.StageMail || !a.IsValid() || s.trusted(e) {
		return nil, nil
	}
	for _, l := range s.lists {
		switch t := l.Table(); {
		case t == nil:
			found = append(found, scan.Finding{Kind: scan.Failed, Scanner: word, Rule: ruleFailed + l.Name, Part: scan.WholeMessage,
				Detail: "the list has never been fetched; \"milterscan feed update\" says why"})
		case t.Addr(a):
			found = append(found, scan.Finding{Kind: scan.Suspicious, Scanner: word, Rule: ruleClient + l.Name, Part: scan.WholeMessage,
				Detail: a.String() + " is listed", Score: l.Score})
		}
	}
	return found, nil
}
