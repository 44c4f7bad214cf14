package scan

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/milterscan/milterscan/scan/scratch"
)

// grace is how long past the deadline a scanner may take to notice it.
const grace = 500 * time.Millisecond

// errOverdue is reported for a scanner that did not return in time.
var errOverdue = errors.New("no answer within the time for this message")

// Engine runs scanners. It keeps no state: one engine serves all messages at once.
type Engine struct {
	scanners []Scanner
}

// NewEngine returns an engine that runs the scanners in the given order, as far
// as reports are concerned; they all work at the same time.
func NewEngine(scanners ...Scanner) *Engine { return &Engine{scanners: scanners} }

// Scan runs every scanner on m and returns their reports in configured order.
// It cannot fail: errors, panics and overdue scanners are findings of kind
// Failed. It returns at the latest shortly after ctx is done.
func (e *Engine) Scan(ctx context.Context, m *Message) []Report {
	m.join(len(e.scanners))
	return e.run(ctx, e.scanners, func(ctx context.Context, s Scanner) ([]Finding, error) {
		defer m.leave(1)
		return s.Scan(ctx, m)
	})
}

// Begin starts, in the background, every check that can already be made with the
// envelope as far as it is known at stage s. It stops early when ctx is done.
func (e *Engine) Begin(ctx context.Context, s Stage, env Envelope) *Pending {
	early := e.early()
	if len(early) == 0 {
		return new(Pending)
	}
	p := &Pending{reports: make(chan []Report, 1)}
	go e.begin(ctx, p, early, s, env.Clone())
	return p
}

func (e *Engine) begin(ctx context.Context, p *Pending, early []Scanner, s Stage, env Envelope) {
	p.reports <- e.run(ctx, early, func(ctx context.Context, scanner Scanner) ([]Finding, error) {
		return scanner.(EnvelopeScanner).ScanEnvelope(ctx, s, env)
	})
}

// Early reports whether any scanner can say something before the message.
func (e *Engine) Early() bool { return len(e.early()) > 0 }

func (e *Engine) early() []Scanner {
	var early []Scanner
	for _, s := range e.scanners {
		if _, ok := s.(EnvelopeScanner); ok {
			early = append(early, s)
		}
	}
	return early
}

// Pending is the work begun for one stage of the dialogue.
type Pending struct {
	reports chan []Report // nil if no scanner has anything to say
}

// Wait returns the reports of the stage. It may be called any number of times,
// by one goroutine at a time.
func (p *Pending) Wait() []Report {
	if p.reports == nil {
		return nil
	}
	r := <-p.reports
	p.reports <- r
	return r
}

// scanFunc asks one scanner one question.
type scanFunc func(context.Context, Scanner) ([]Finding, error)

// answer is the report of the scanner at one place.
type answer struct {
	place  int
	report Report
}

// run asks all scanners at once, and gives up on those that have not answered
// shortly after ctx is done.
func (e *Engine) run(ctx context.Context, scanners []Scanner, ask scanFunc) []Report {
	begun := time.Now()
	answers := make(chan answer, len(scanners)) // with room for all, so that a late scanner need not wait
	for i, s := range scanners {
		go func() {
			scratch.Stack()
			r := asked(ctx, s, ask)
			r.Took = time.Since(begun)
			answers <- answer{i, r}
		}()
	}
	return collect(ctx, scanners, answers, begun)
}

// collect returns the answers in the order of the scanners.
func collect(ctx context.Context, scanners []Scanner, answers <-chan answer, begun time.Time) []Report {
	reports := make([]Report, len(scanners))
	done, late := ctx.Done(), (<-chan time.Time)(nil)
	for missing := len(scanners); missing > 0; {
		select {
		case a := <-answers:
			reports[a.place] = a.report
			missing--
		case <-done:
			timer := time.NewTimer(grace)
			defer timer.Stop()
			done, late = nil, timer.C
		case <-late:
			return overdue(scanners, reports, time.Since(begun))
		}
	}
	return reports
}

// overdue fills in the reports of the scanners that have not answered.
func overdue(scanners []Scanner, reports []Report, took time.Duration) []Report {
	for i, s := range scanners {
		if reports[i].Scanner == "" {
			reports[i] = failed(s, errOverdue)
			reports[i].Took = took
		}
	}
	return reports
}

// asked asks one scanner, and makes its error or panic a finding.
func asked(ctx context.Context, s Scanner, ask scanFunc) (r Report) {
	defer func() {
		if p := recover(); p != nil {
			r = failed(s, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	found, err := ask(ctx, s)
	if err != nil {
		r = failed(s, err)
		r.Findings = append(sieved(found), r.Findings...)
		return r
	}
	return Report{Scanner: s.Name(), Findings: sieved(found)}
}

// failed returns the report of a scanner that does not know.
func failed(s Scanner, err error) Report {
	name := s.Name()
	f := Finding{Kind: Failed, Scanner: category(name), Rule: FailedRule(name), Part: WholeMessage, Detail: err.Error()}
	return Report{Scanner: name, Findings: []Finding{f}, Err: err}
}
