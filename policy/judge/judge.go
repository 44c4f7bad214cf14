// Package judge is the one pipeline every message goes through, for every caller:
// open, scan, decide, keep. The milter, "scan" and "filter" differ only in where
// the message comes from and what they do with the ruling.
package judge

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/open/unpack"
)

// Keeper puts a copy of a message where it survives a crash, before the answer
// is given. It returns only when the copy is safe, or an error.
type Keeper interface {
	Keep(ctx context.Context, c policy.Copy) error
}

// Appeals gives senders links by which they ask for a refused message.
type Appeals interface {
	// Offer returns the link for a message that is to be kept for it, and how to take the
	// offer back. The link is "" where none is to be had now. It does not wait.
	Offer(a policy.Appeal) (link string, back func())
}

// Options are what a judge works with. Fields are required where they do not say
// what nil means.
type Options struct {
	Generation uint64
	Opener     *unpack.Opener
	Engine     *scan.Engine
	Once       *scan.Engine // asked before the message and about it as it came, not about what edits make of it; nil: none
	Finds      []scan.Rule  // what Once can find before the message; nil: anything
	Policy     *policy.Policy
	Keeper     Keeper
	Appeals    Appeals                        // nil: no sender may appeal
	Key        func() ([]byte, error)         // that signs passes; nil if no pass is made
	Time       time.Duration                  // for one message, from end of data to the answer
	Tell       func(context.Context, *Result) // is told about every ruling, and has until ctx is done; nil: no function is
	Editor     *edit.Editor                   // nil: no part can be edited
	Relays     func(netip.Addr) bool          // that pass on mail from elsewhere; nil: no host does
	People     policy.People                  // who is in which group; nil: no person is in any
	Places     func(netip.Addr) scan.Place    // says where clients are; nil: it is not known
	Lists      func() (policy.Lists, error)   // that people keep, nil lists if they are empty; nil: there are none
	// Contents begins to list what a message holds, for its record, and returns how to wait for
	// the list; nil: that is not recorded.
	Contents func(context.Context, *scan.Message) (list func() *policy.RecordContents)
}

// Judge is one generation: a configuration, its scanners and its policy. It may
// be used for any number of messages at once.
type Judge struct {
	Options
	refusesFound bool // Early may refuse at RCPT for what was found by then
}

// New returns a judge.
func New(o Options) *Judge {
	if o.Tell == nil {
		o.Tell = func(context.Context, *Result) {}
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
	if o.Places == nil {
		o.Places = func(netip.Addr) scan.Place { return scan.Place{} }
	}
	if o.Contents == nil {
		none := func() *policy.RecordContents { return nil }
		o.Contents = func(context.Context, *scan.Message) func() *policy.RecordContents { return none }
	}
	if o.Lists == nil {
		o.Lists = func() (policy.Lists, error) { return nil, nil }
	}
	return &Judge{o, o.Once.Early() && (o.Finds == nil || o.Policy.RefusesOn(o.Finds))}
}

// Generation numbers the configuration this judge was made from.
func (j *Judge) Generation() uint64 { return j.Options.Generation }

// NewParser returns the parser a message is written to before Judge or Message.
func (j *Judge) NewParser() *entity.Parser { return j.Opener.NewParser() }

// Early decides at a stage before the message. What was begun is waited for at
// RCPT, the last stage that can still refuse the message unseen, unless only lists can do that.
func (j *Judge) Early(ctx context.Context, s scan.Stage, env scan.Envelope, begun []*scan.Pending) policy.Ruling {
	at := &seen{id: newID(), stage: s, envelope: j.placed(env), people: j.People}
	at.lists, _ = j.Lists() // of which the message has a finding
	if s == scan.StageRcpt && (at.lists == nil || j.Policy.Refuses(s) || j.refusesFound) {
		at.reports = wait(begun)
		at.found = scan.Findings(at.reports)
	}
	r := j.result(at, j.decide(at, tried{}))
	if r.Decision.Answer != policy.Deliver {
		j.Tell(ctx, r)
	}
	return ruling(r)
}

// Refuses reports whether Early may refuse at stage s.
func (j *Judge) Refuses(s scan.Stage) bool {
	if j.Policy.RefusesListed(s) {
		if l, _ := j.Lists(); l != nil {
			return true
		}
	}
	return j.Policy.Refuses(s) || s == scan.StageRcpt && j.refusesFound
}

// Examine opens, scans and decides, and changes nothing outside the message.
// The message becomes the result's, which the caller closes.
func (j *Judge) Examine(ctx context.Context, in scan.Received) *Result {
	ctx, cancel := context.WithTimeout(ctx, j.examining())
	defer cancel()
	s := j.look(ctx, in)
	begun := time.Now()
	c := j.choose(ctx, s)
	s.clock.share(time.Since(begun), c.cleaned())
	return j.result(s, c)
}

// Message judges a complete message: Examine, and then what must be safe before
// the answer. What the ruling refers to is good until release is called.
func (j *Judge) Message(ctx context.Context, in scan.Received) (policy.Ruling, func()) {
	ctx, cancel := context.WithTimeout(ctx, j.Time)
	defer cancel()
	r := j.kept(ctx, j.Examine(ctx, in))
	j.Tell(ctx, r)
	return ruling(r), r.Close
}

// kept returns the result when the copies are safe that it asks for.
func (j *Judge) kept(ctx context.Context, r *Result) *Result {
	if r.Decision.Appeal {
		r = j.appealed(ctx, r)
	}
	if !r.Decision.Keep || r.Decision.Appeal {
		return r
	}
	if err := j.keep(ctx, r); err != nil {
		return j.notKept(r, err)
	}
	return r
}

// keep keeps a copy of the message.
func (j *Judge) keep(ctx context.Context, r *Result) error {
	defer r.seen.clock.since(Keep, time.Now())
	return j.Keeper.Keep(ctx, r.copy())
}

// notKept returns the result where the copy a rule asks for could not be kept: the MTA
// still has the message, and is asked to come again.
func (j *Judge) notKept(r *Result, err error) *Result {
	return j.result(r.seen, r.choice.later(policy.NotNow(r.ID), failed("mime/not-kept", err)))
}
