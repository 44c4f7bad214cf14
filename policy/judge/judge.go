// Package judge is the one pipeline every message goes through, whoever asks:
// open, scan, decide, keep. The milter, "scan" and "filter" differ only in where
// the message comes from and what is done with the ruling.
package judge

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/unpack"
)

// Keeper puts a copy of a message where it survives a crash, before the answer
// is given. It returns only when the copy is safe, or an error.
type Keeper interface {
	Keep(ctx context.Context, c policy.Copy) error
}

// Options are what a judge works with. Fields are required where they do not say
// what nil means.
type Options struct {
	Generation uint64
	Opener     *unpack.Opener
	Engine     *scan.Engine
	Once       *scan.Engine // asked before the message and about it as it came, not about what edits make of it; nil: nobody
	Finds      []scan.Rule  // what Once can find before the message; nil: anything
	Policy     *policy.Policy
	Keeper     Keeper
	Key        func() ([]byte, error) // that signs passes; nil if nobody makes any
	Time       time.Duration          // for one message, from end of data to the answer
	Tell       func(*Result)          // is told about every ruling; must not block; nil: nobody is
	Editor     *edit.Editor           // nil: no part can be edited
	Relays     func(netip.Addr) bool  // that pass on mail from elsewhere; nil: nobody does
}

// Judge is one generation: a configuration, its scanners and its policy. It may
// be used for any number of messages at once.
type Judge struct{ Options }

// New returns a judge.
func New(o Options) *Judge {
	if o.Tell == nil {
		o.Tell = func(*Result) {}
	}
	if o.Key == nil {
		o.Key = func() ([]byte, error) { return nil, errors.New("no key") }
	}
	if o.Once == nil {
		o.Once = scan.NewEngine()
	}
	if o.Relays == nil {
		o.Relays = func(netip.Addr) bool { return false }
	}
	return &Judge{o}
}

// Result is all that is known about one message, or about one early stage, when
// the decision has fallen. Close gives the message back.
type Result struct {
	ID         string
	Generation uint64
	Stage      scan.Stage
	Envelope   scan.Envelope
	Size       int64
	Message    *scan.Message // nil at early stages
	Reports    []scan.Report // one for each scanner, early stages first
	Found      []scan.Finding
	Decision   policy.Decision
	Took       time.Duration

	policy  *policy.Policy // that decided
	release *token.Grant   // of a released message
	editing
}

// Close gives back what the message holds.
func (r *Result) Close() {
	switch {
	case r.second != nil:
		r.second.Close() // and the result and the message with it
		return
	case r.result != nil:
		r.result.Close()
	}
	if r.Message != nil {
		r.Message.Close()
	}
}

// Complete reports whether everything in the message was examined.
func (r *Result) Complete() bool { return !scan.Incomplete(r.Found) }

// Generation numbers the configuration this judge was made from.
func (j *Judge) Generation() uint64 { return j.Options.Generation }

// NewParser returns the parser a message is written to before Judge or Message.
func (j *Judge) NewParser() *entity.Parser { return j.Opener.NewParser() }

// Early decides at a stage before the message. What was begun is waited for at
// RCPT, the last stage that can still refuse the message unseen.
func (j *Judge) Early(_ context.Context, s scan.Stage, env scan.Envelope, begun []*scan.Pending) policy.Ruling {
	r := &Result{ID: newID(), Generation: j.Options.Generation, Stage: s, Envelope: env, policy: j.Policy}
	if s == scan.StageRcpt {
		r.Reports = wait(begun)
		r.Found = scan.Findings(r.Reports)
	}
	r.Decision = j.decide(r)
	if r.Decision.Answer != policy.Deliver {
		j.Tell(r)
	}
	return ruling(r)
}

// Refuses reports whether Early may refuse at stage s.
func (j *Judge) Refuses(s scan.Stage) bool {
	return j.Policy.Refuses(s) || s == scan.StageRcpt && j.Once.Early() && (j.Finds == nil || j.Policy.RefusesOn(j.Finds))
}

// Examine opens, scans and decides, and changes nothing outside the message.
// The message becomes the result's, which the caller closes.
func (j *Judge) Examine(ctx context.Context, in scan.Received) *Result {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, j.Time)
	defer cancel()
	r := &Result{
		ID:         newID(),
		Generation: j.Options.Generation,
		Stage:      scan.StageMessage,
		Envelope:   in.Envelope,
		Size:       in.Size,
		policy:     j.Policy,
	}
	if once, any := j.look(ctx, r, in); any {
		j.settle(ctx, r, once)
	}
	r.Took = time.Since(start)
	return r
}

// look opens the message and has it scanned. once are the reports that hold
// whatever edits make of it. It reports whether there is anything to decide: not
// about mail of our own.
func (j *Judge) look(ctx context.Context, r *Result, in scan.Received) (once []scan.Report, any bool) {
	ctx, cancel := context.WithTimeout(ctx, j.firstLook())
	defer cancel()
	early := j.early(ctx, r, &in)
	r.Message = j.Opener.Open(ctx, in)
	if j.present(r) {
		return nil, false
	}
	once, contents := j.scan(ctx, r.Message)
	once = slices.Concat(wait(early), once)
	r.Reports = slices.Concat(once, contents)
	r.Found = slices.Concat(r.Message.Notes, scan.Findings(r.Reports), j.Policy.Named(r.Envelope, r.Message.Parts))
	r.pardon()
	return once, true
}

// scan has both engines look at the message at the same time.
func (j *Judge) scan(ctx context.Context, m *scan.Message) (once, contents []scan.Report) {
	var wg sync.WaitGroup
	wg.Go(func() { once = j.Once.Scan(ctx, m) })
	contents = j.Engine.Scan(ctx, m)
	wg.Wait()
	return once, contents
}

// Message judges a complete message: Examine, and then what must be safe before
// the answer. What the ruling refers to is good until release is called.
func (j *Judge) Message(ctx context.Context, in scan.Received) (policy.Ruling, func()) {
	r := j.Examine(ctx, in)
	if r.Decision.Keep {
		if err := j.Keeper.Keep(ctx, r.copy()); err != nil {
			r.Decision = unsafe(r, err)
		}
	}
	j.Tell(r)
	return ruling(r), r.Close
}

// decide asks the policy about what is known so far.
func (j *Judge) decide(r *Result) policy.Decision { return j.Policy.Decide(r.input()) }

// input is what the decision on the result depends on.
func (r *Result) input() policy.Input {
	in := policy.Input{
		ID:       r.ID,
		Stage:    r.Stage,
		Envelope: r.Envelope,
		Size:     r.Size,
		Found:    r.Found,
		Fixed:    r.fixed,
		Refused:  r.refused,
	}
	if r.release != nil {
		in.Without = r.release.Rules
	}
	if r.Message != nil {
		in.Header = r.Message.Header
		in.Parts = r.Message.Parts
	}
	return in
}

// copy is the message as the quarantine keeps it.
func (r *Result) copy() policy.Copy { return policy.Copy{Record: r.Record(), Raw: r.Message.Raw} }

// unsafe is the decision when the copy a rule asks for could not be kept: the
// MTA still has the message, and is asked to come again.
func unsafe(r *Result, err error) policy.Decision {
	r.Found = append(r.Found, scan.Finding{
		Kind: scan.Failed, Scanner: "mime", Rule: "mime/not-kept", Part: scan.WholeMessage, Detail: err.Error(),
	})
	return r.later(r.cannot())
}

// cannot is the reply where something here is out of order.
func (r *Result) cannot() policy.Reply {
	return policy.NotNow(r.ID)
}

// later is the decision where it is not the rules that answer.
func (r *Result) later(reply policy.Reply) policy.Decision {
	r.policy = nil
	return policy.Decision{Answer: policy.Tempfail, Verdicts: r.Decision.Verdicts, Reply: reply}
}

// wait collects the reports of early stages.
func wait(begun []*scan.Pending) []scan.Report {
	var all []scan.Report
	for _, p := range begun {
		all = append(all, p.Wait()...)
	}
	return all
}
