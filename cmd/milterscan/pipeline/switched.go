package pipeline

import (
	"context"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
)

// switched returns the scanners, which are not asked about mail whose recipients are all
// in domains that switched them off. They always see our own mail.
func switched(c *config.Config, list []scan.Scanner) []scan.Scanner {
	out := make([]scan.Scanner, len(list))
	for i, s := range list {
		word, _, _ := strings.Cut(s.Name(), "/")
		out[i] = s
		if !c.Unwantable(word) {
			continue
		}
		local := policy.Local(c.Local)
		w := wanted{s, func(e scan.Envelope) bool { return local.Trusts(e) || !c.Unwanted(word, e.Recipients) }}
		out[i] = w
		if early, ok := s.(scan.EnvelopeScanner); ok {
			out[i] = wantedEarly{w, early}
		}
	}
	return out
}

// wanted is a scanner that is asked about some mail only.
type wanted struct {
	scan.Scanner
	by func(scan.Envelope) bool
}

// Local implements scan.IsLocal.
func (w wanted) Local() bool { return scan.IsLocal(w.Scanner) }

// Scan finds nothing in mail whose recipients all switched the scanner off.
func (w wanted) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	if !w.by(m.Envelope) {
		return nil, nil
	}
	return w.Scanner.Scan(ctx, m)
}

// Ahead implements scan.Forerunner.
func (w wanted) Ahead(ctx context.Context, in scan.Received) scan.Begun {
	f, ok := w.Scanner.(scan.Forerunner)
	if !ok || !w.by(in.Envelope) {
		return nil
	}
	return f.Ahead(ctx, in)
}

// wantedEarly is such a scanner that can say something before the message.
type wantedEarly struct {
	wanted
	early scan.EnvelopeScanner
}

// At implements scan.SpeaksAt.
func (w wantedEarly) At(s scan.Stage) bool { return scan.SpeaksAt(w.early, s) }

// ScanEnvelope asks nothing for a recipient who does not want it. Before there is
// a recipient, it asks.
func (w wantedEarly) ScanEnvelope(ctx context.Context, s scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	last := e
	if n := len(e.Recipients); s == scan.StageRcpt && n > 0 {
		last.Recipients = e.Recipients[n-1:]
	}
	if !w.by(last) {
		return nil, nil
	}
	return w.early.ScanEnvelope(ctx, s, e)
}
