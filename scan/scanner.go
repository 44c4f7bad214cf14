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

// SpeaksAt reports whether a scanner has anything to find, or to begin, at a stage before the
// message: an EnvelopeScanner that has so at some stages only has the method At, and is asked at
// no other.
func SpeaksAt(s Scanner, stage Stage) bool {
	if choosy, ok := s.(interface{ At(Stage) bool }); ok && !choosy.At(stage) {
		return false
	}
	_, ok := s.(EnvelopeScanner)
	return ok
}

// IsLocal reports whether a scanner only takes time of a processor for a usual message, and waits
// for nobody: it says so by the method Local.
func IsLocal(s Scanner) bool {
	local, ok := s.(interface{ Local() bool })
	return ok && local.Local()
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
