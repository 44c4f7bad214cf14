// Package judge is the one pipeline every message goes through, whoever asks:
// open, scan, decide, keep. The milter, "scan" and "filter" differ only in where
// the message comes from and what is done with the ruling.
package judge

import (
	"context"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/entity"
	"github.com/milterscan/milterscan/scan/unpack"
)

// Keeper puts a copy of a message where it survives a crash, before the answer
// is given. It returns only when the copy is safe, or an error.
type Keeper interface {
	Keep(ctx context.Context, c policy.Copy) error
}

// Options are what a judge works with. All fields but Tell are required.
type Options struct {
	Generation uint64
	Opener     *unpack.Opener
	Engine     *scan.Engine
	Policy     *policy.Policy
	Keeper     Keeper
	Time       time.Duration // for one message, from end of data to the answer
	Tell       func(*Result) // is told about every ruling; must not block
}

// Judge is one generation: a configuration, its scanners and its policy. It may
// be used for any number of messages at once.
type Judge struct{ Options }

// New returns a judge.
func New(o Options) *Judge {
	if o.Tell == nil {
		o.Tell = func(*Result) {}
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
}

// Close gives back what the message holds.
func (r *Result) Close() {
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

// Begin starts the checks of an early stage in the background.
func (j *Judge) Begin(ctx context.Context, s scan.Stage, env scan.Envelope) *scan.Pending {
	return j.Engine.Begin(ctx, s, env)
}

// Early decides at a stage before the message. What was begun is waited for at
// RCPT, the last stage that can still refuse the message unseen.
func (j *Judge) Early(_ context.Context, s scan.Stage, env scan.Envelope, begun []*scan.Pending) policy.Ruling {
	r := &Result{ID: newID(), Generation: j.Options.Generation, Stage: s, Envelope: env}
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
	return j.Policy.Refuses(s) || s == scan.StageRcpt && j.Engine.Early()
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
	}
	r.Message = j.Opener.Open(ctx, in)
	r.Reports = append(wait(in.Begun), j.Engine.Scan(ctx, r.Message)...)
	r.Found = append(r.Message.Notes, scan.Findings(r.Reports)...)
	r.Decision = j.decide(r)
	r.Took = time.Since(start)
	return r
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
func (j *Judge) decide(r *Result) policy.Decision {
	in := policy.Input{
		ID:       r.ID,
		Stage:    r.Stage,
		Envelope: r.Envelope,
		Size:     r.Size,
		Now:      time.Now(),
		Found:    r.Found,
		Fixed:    []int{scan.WholeMessage}, // nothing edits parts yet, so a rule's Else applies
	}
	if r.Message != nil {
		in.Header = r.Message.Header
		in.Parts = r.Message.Parts
	}
	return j.Policy.Decide(in)
}

// copy is the message as the quarantine keeps it.
func (r *Result) copy() policy.Copy {
	return policy.Copy{ID: r.ID, Envelope: r.Envelope, Raw: r.Message.Raw, Found: r.Found, Decision: r.Decision}
}

// unsafe is the decision when the copy a rule asks for could not be kept: the
// MTA still has the message, and is asked to come again.
func unsafe(r *Result, err error) policy.Decision {
	r.Found = append(r.Found, scan.Finding{
		Kind: scan.Failed, Scanner: "mime", Rule: "mime/not-kept", Part: scan.WholeMessage, Detail: err.Error(),
	})
	d := policy.Decision{Answer: policy.Tempfail, Verdicts: r.Decision.Verdicts}
	d.Reply = policy.Reply{Code: 451, Enhanced: "4.3.0", Text: "The message cannot be processed now, try again later [" + r.ID + "]"}
	return d
}

// wait collects the reports of early stages.
func wait(begun []*scan.Pending) []scan.Report {
	var all []scan.Report
	for _, p := range begun {
		all = append(all, p.Wait()...)
	}
	return all
}
