package scan

import (
	"context"
	"time"
)

// Scanner looks at a whole message and says what it sees.
//
// Scan may run for many messages at once, must not change the message, must not
// keep it after returning, and returns soon after ctx is done. An error means
// "I do not know" and never "clean"; findings returned beside an error count.
// Name is a word of the list at Finding.Scanner, with "/instance" after it
// where several scanners share the word: "virus/clam1".
type Scanner interface {
	Name() string
	Scan(ctx context.Context, m *Message) ([]Finding, error)
}

// EnvelopeScanner is a Scanner that can say something before the message is
// there. At StageRcpt it judges the last recipient.
type EnvelopeScanner interface {
	Scanner
	ScanEnvelope(ctx context.Context, s Stage, e Envelope) ([]Finding, error)
}

// Report is what became of one scanner on one message. No findings and no error
// is "clean"; a scanner that could not say has an error, and so a finding of
// kind Failed.
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
