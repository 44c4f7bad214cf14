package scan

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan/scratch"
)

// grace is how long past the deadline a scanner may take to notice it.
const grace = 500 * time.Millisecond

// errOverdue is reported for a scanner that did not return in time.
var errOverdue = errors.New("no answer within the time for this message")

// Engine runs scanners. It keeps no state: one engine serves all messages at once.
type Engine struct {
	all   team
	early [StageMessage]team // those with something to say at a stage before the message

	forerunners []Forerunner
}

// team is scanners that are asked together, and how.
type team struct {
	scanners     []Scanner
	little, much [][]int // the places of those of each goroutine, where they look at little and where at more
}

func newTeam(scanners []Scanner) team {
	return team{scanners, goroutines(scanners, true), goroutines(scanners, false)}
}

// NewEngine returns an engine that runs the scanners in the given order, as far
// as reports are concerned; they all work at the same time.
func NewEngine(scanners ...Scanner) *Engine {
	e := &Engine{all: newTeam(scanners)}
	for _, s := range scanners {
		if f, ok := s.(Forerunner); ok {
			e.forerunners = append(e.forerunners, f)
		}
	}
	for stage := range e.early {
		var speaking []Scanner
		for _, s := range scanners {
			if SpeaksAt(s, Stage(stage)) {
				speaking = append(speaking, s)
			}
		}
		e.early[stage] = newTeam(speaking)
	}
	return e
}

// Scan runs every scanner on m and returns their reports in configured order.
// It cannot fail: errors, panics and overdue scanners are findings of kind
// Failed. It returns at the latest shortly after ctx is done.
func (e *Engine) Scan(ctx context.Context, m *Message) []Report { return e.Start(ctx, m).Wait() }

// Start starts what Scan does, in the background.
func (e *Engine) Start(ctx context.Context, m *Message) *Pending {
	m.join(len(e.all.scanners))
	return e.all.start(ctx, m.isSmall(), func(ctx context.Context, s Scanner) ([]Finding, error) {
		defer m.leave(1)
		return s.Scan(ctx, m)
	})
}

// Begin starts, in the background, every check that can already be made with the
// envelope as far as it is known at stage s. It stops early when ctx is done.
func (e *Engine) Begin(ctx context.Context, s Stage, env Envelope) *Pending {
	if len(e.early[s].scanners) == 0 {
		return new(Pending)
	}
	env = env.Clone()
	return e.early[s].start(ctx, false, func(ctx context.Context, scanner Scanner) ([]Finding, error) {
		return scanner.(EnvelopeScanner).ScanEnvelope(ctx, s, env)
	})
}

// Early reports whether any scanner can say something before the message.
func (e *Engine) Early() bool {
	return slices.ContainsFunc(e.all.scanners, func(s Scanner) bool { _, ok := s.(EnvelopeScanner); return ok })
}

// Pending is work that scanners have begun. Its zero value is none.
type Pending struct {
	ctx      context.Context
	begun    time.Time
	scanners []Scanner
	reports  []Report // nil before they are collected

	answered chan struct{} // closed when all have; nil if there are no scanners
	mu       sync.Mutex
	came     []Report // in the order of the scanners
	missing  int
}

// Wait returns the reports, at the latest shortly after the work's ctx is done. It may be
// called any number of times, by one goroutine at a time.
func (p *Pending) Wait() []Report {
	if p.reports == nil && p.answered != nil {
		p.reports = p.collect()
	}
	return p.reports
}

// scanFunc asks one scanner one question.
type scanFunc func(context.Context, Scanner) ([]Finding, error)

// start asks all scanners at once, but for local ones about little.
func (t *team) start(ctx context.Context, little bool, ask scanFunc) *Pending {
	p := &Pending{ctx: ctx, begun: time.Now(), scanners: t.scanners, answered: make(chan struct{})}
	p.came, p.missing = make([]Report, len(t.scanners)), len(t.scanners)
	if len(t.scanners) == 0 {
		close(p.answered)
	}
	groups := t.much
	if little {
		groups = t.little
	}
	for _, places := range groups {
		go p.ask(ask, places...)
	}
	return p
}

// goroutines returns the places of the scanners of each goroutine, in the order in which they are
// started. Local ones share one if they look at little: another would cost more than their work.
// Those that wait for others come last, as what is started last runs first: their servers are
// to work while the local ones do.
func goroutines(scanners []Scanner, little bool) [][]int {
	var local []int
	var locals, others [][]int
	for i, s := range scanners {
		switch {
		case !IsLocal(s):
			others = append(others, []int{i})
		case little:
			local = append(local, i)
		default:
			locals = append(locals, []int{i})
		}
	}
	if len(local) > 0 {
		locals = [][]int{local}
	}
	return append(locals, others...)
}

// ask asks the scanners at some places.
func (p *Pending) ask(ask scanFunc, places ...int) {
	scratch.Stack()
	begun := p.begun
	for _, i := range places {
		r := asked(p.ctx, p.scanners[i], ask)
		now := time.Now()
		r.Took, begun = now.Sub(begun), now
		p.answer(i, r)
	}
}

// answer takes the report of the scanner at one place. Only the last one wakes who waits.
func (p *Pending) answer(place int, r Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.came[place] = r
	if p.missing--; p.missing == 0 {
		close(p.answered)
	}
}

// collect returns the answers in the order of the scanners, and gives up on those that
// are missing shortly after the work's ctx is done.
func (p *Pending) collect() []Report {
	select {
	case <-p.answered:
		return p.came
	case <-p.ctx.Done():
	}
	timer := time.NewTimer(p.graceLeft())
	defer timer.Stop()
	select {
	case <-p.answered:
		return p.came
	case <-timer.C:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return overdue(p.scanners, slices.Clone(p.came), time.Since(p.begun))
}

// graceLeft returns how long the answers that are missing are waited for when the work's ctx is done:
// who waits for several works, one after the other, gives them their grace once.
func (p *Pending) graceLeft() time.Duration {
	if end, ok := p.ctx.Deadline(); ok {
		return min(grace, time.Until(end.Add(grace)))
	}
	return grace
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
