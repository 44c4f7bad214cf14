package scan

import (
	"context"
	"time"
)

// Scanner examines a whole message and reports findings.
//
// Scan may run for many messages at once, must not change the message, must not
// keep it after returning, and returns soon after ctx is done. An error means
// "I do not know" and never "clean"; findings returned with an error count.
// Name is a word of the list at Finding.Scanner, with "/instance" after it
// where several scanners share the word: "virus/clam1".
type Scanner interface {
	Name() string
	Scan(ctx context.Context, m *Message) ([]Finding, error)
}

// EnvelopeScanner is a Scanner that can report findings before the message is
// there. At StageRcpt it judges the last recipient.
type EnvelopeScanner interface {
	Scanner
	ScanEnvelope(ctx context.Context, s Stage, e Envelope) ([]Finding, error)
}

// Report is the result of one scanner for one message. No findings and no error
// mean "clean"; a scanner that does not know has an error, and so a finding of kind
// Failed.
type Report struct {
	Scanner  string
	Took     time.Duration
	Findings []Finding
	Err      error
}

// Findings returns the findings of all reports, in their order.
func Findings(reports []Report) []Finding {
	var all []Finding
	for _, r := range reports {
		all = append(all, r.Findings...)
	}
	return all
}
