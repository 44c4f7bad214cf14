package quarantine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/policy/token"
	"github.com/milterscan/milterscan/scan"
)

// Sender hands a message to the MTA. An error that wraps submission.ErrUnsure says that
// the MTA may have taken it; after any other error it has not.
type Sender interface {
	Send(ctx context.Context, m submission.Mail) error
}

// Releaser lets messages out of the quarantine, and deletes them. All fields are required that do not say
// what nil means.
type Releaser struct {
	Store  Store
	Sender Sender
	Key    func() ([]byte, error) // that signs passes
	Now    func() time.Time
	By     string // who is doing it, for the audit log
	From   string // the author of what Forward sends
	Host   string // that sends it

	Teacher       Teacher // nil: no scorer learns
	LearnReleased bool    // the scorers learn a released message as no spam
}

// Order names the message to let out, and its recipients.
type Order struct {
	ID string
	// To are the recipients; none for those who have not had the message.
	To []string
	// Skip are the rules whose findings do not count this time, "virus/*" for a
	// family; none for all that were found when the message was kept, and for
	// those about the client, which is this host now. Any other finding
	// counts as ever.
	Skip []string
	// Each has the copies of To go by themselves: a copy goes once, whatever became of those of
	// others.
	Each bool
	// Again lets a message out that was let out before, or for which that is not known.
	Again bool
	// Infected lets a message out although a virus was found in it.
	Infected bool
	// Instead opens the copy that is sent in place of the message: the message without what it was
	// kept for. Its maker has proved that no virus is left in it. nil sends the
	// message as it was received.
	Instead func() (io.ReadCloser, error)
	// Note goes into the audit log.
	Note string
}

// The reasons not to release a message.
var (
	ErrReleased = errors.New("released already; --again sends it once more")
	ErrUnsure   = errors.New("a release was begun and it is not known how it ended: look for it in the MTA's log, then " +
		"release it with --again or delete it")
	ErrInfected = errors.New("infected; it is sent only with --infected")
)

// Release sends a message to those who have not had it, with a pass, so that it
// is not caught again by what it was kept for. It sends a message once, even
// if several ask at the same moment.
func (x Releaser) Release(ctx context.Context, o Order) ([]string, error) {
	var e Entry
	err := x.Store.Change(ctx, o.ID, func(stored *Entry) error {
		now := stored.now(x)
		if err := errors.Join(stored.leased(o.To, now), stored.begin(&o)); err != nil {
			return err
		}
		release := x.event("release", o.To, strings.Join(append(o.Skip[:len(o.Skip):len(o.Skip)], noted(o.Note)...), " "))
		release.Time = now
		stored.note(release)
		e = *stored
		return nil
	})
	if err != nil {
		return nil, err
	}
	answer, sent := x.send(ctx, e, o)
	err = errors.Join(sent, x.finish(ctx, o, answer, sent))
	if err == nil && o.Instead == nil {
		x.teachReleased(ctx, o.ID)
	}
	return o.To, err
}

// now returns the time by which it goes for how long a release, or a lesson, may be under way.
func (e Entry) now(x Releaser) time.Time {
	if !e.Now.IsZero() {
		return e.Now
	}
	return x.Now()
}

// begin makes the entry one that is being released, if it may be.
func (e *Entry) begin(o *Order) error {
	if err := e.free(*o); err != nil {
		return err
	}
	if len(o.To) == 0 {
		o.To = e.Waiting()
	}
	if len(o.To) == 0 && o.Again {
		o.To = e.Back()
	}
	if len(o.To) == 0 {
		return errors.New("all recipients have had this message; --to names further ones")
	}
	if err := errors.Join(e.harmless(*o), submission.Mail{From: e.Record.Sender, To: o.To}.Check()); err != nil {
		return err
	}
	e.State = Releasing
	return nil
}

// free returns an error if a release is not to begin, since there was one.
func (e Entry) free(o Order) error {
	switch {
	case o.Again:
		return nil
	case o.Each:
		return e.sole(o.To)
	case e.State == Released:
		return ErrReleased
	case e.State == Releasing:
		return ErrUnsure
	}
	return nil
}

// harmless returns an error if the message is infected, and the order does not say that
// it is to be sent nevertheless.
func (e Entry) harmless(o Order) error {
	viruses := e.viruses()
	if len(viruses) == 0 || o.Infected || o.Instead != nil {
		return nil
	}
	return fmt.Errorf("%w (%s)", ErrInfected, strings.Join(viruses, ", "))
}

// viruses names the viruses in the message.
func (e Entry) viruses() []string {
	var list []string
	for _, f := range e.Record.Findings {
		if name := submission.OneLine(cmp.Or(f.Detail, f.Rule), 100); f.Kind == scan.Infected && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list[:min(len(list), maxViruses)]
}

// maxViruses is how many viruses of a message are named.
const maxViruses = 5

func (e *Entry) note(event Event) { e.Events = append(e.Events, event) }

func (x Releaser) event(what string, to []string, note string) Event {
	return Event{Time: x.Now(), What: what, By: x.By, To: to, Note: note}
}

// finish writes down what became of a release.
func (x Releaser) finish(ctx context.Context, o Order, answer string, sent error) error {
	// The caller may be gone; the outcome is written down all the same.
	return x.Store.Change(context.WithoutCancel(ctx), o.ID, func(e *Entry) error {
		switch {
		case sent == nil:
			e.State = Released
			done := x.event("released", o.To, "")
			done.Answer = answer
			e.note(done)
		case errors.Is(sent, submission.ErrUnsure):
			e.note(x.event("unsure", o.To, sent.Error()))
		default:
			e.State = Kept
			e.note(x.event("failed", o.To, sent.Error()))
		}
		if o.Each {
			e.State = e.settled()
		}
		return nil
	})
}

// Delete removes a message for good, from all that it is kept back from.
func (x Releaser) Delete(ctx context.Context, id string) error {
	return x.Store.Delete(ctx, id, x.event("delete", nil, ""))
}

// noted returns a note as a list, which is empty without one.
func noted(note string) []string {
	if note == "" {
		return nil
	}
	return []string{note}
}

// send hands the message over as it came, or the copy that is sent instead, with a pass on top. It returns
// what the MTA answered.
func (x Releaser) send(ctx context.Context, e Entry, o Order) (answer string, err error) {
	open := o.Instead
	if open == nil {
		open = func() (io.ReadCloser, error) { return x.Store.Open(ctx, o.ID) }
	}
	return x.submit(ctx, e, o, e.Record.Sender, open)
}

// submit hands over what open opens, with a pass on top. Making the pass reads the
// message to its end, so one that is damaged is not sent.
func (x Releaser) submit(
	ctx context.Context, e Entry, o Order, from string, open func() (io.ReadCloser, error),
) (answer string, err error) {
	field, err := x.pass(e, o, open)
	if err != nil {
		return "", err
	}
	message, err := open()
	if err != nil {
		return "", err
	}
	defer message.Close()
	err = x.Sender.Send(ctx, submission.Mail{From: from, To: o.To, Message: io.MultiReader(strings.NewReader(field), message),
		Answered: func(said string) { answer = submission.OneLine(said, maxAnswer) }})
	return answer, err
}

// maxAnswer is how much is kept of what the MTA answers.
const maxAnswer = 200

// pass returns the field that lets a message through.
func (x Releaser) pass(e Entry, o Order, open func() (io.ReadCloser, error)) (string, error) {
	key, err := x.Key()
	if err != nil {
		return "", fmt.Errorf("the key of passes: %w", err)
	}
	message, err := open()
	if err != nil {
		return "", err
	}
	defer message.Close()
	sum, err := token.Sum(message)
	if err != nil {
		return "", err
	}
	g := token.Grant{For: token.Release, ID: o.ID, Issued: x.Now(), Body: sum, Findings: o.Skip, Rules: e.rules(), Infected: o.Infected}
	if len(o.Skip) == 0 {
		g.Findings = append(clientChecks(), e.rulesFound()...)
	}
	return token.Field + ": " + token.Write(key, g) + "\r\n", nil
}

// clientChecks returns the findings about who delivers a message: of a released one
// that is this host, which says nothing about its sender.
func clientChecks() []string { return []string{"auth/*", "bounce/*", "greylist/*", "relay/*"} }

// rulesFound returns the rules of all findings that the record has.
func (e Entry) rulesFound() []string {
	var list []string
	for _, f := range e.Record.Findings {
		if !slices.Contains(list, f.Rule) {
			list = append(list, f.Rule)
		}
	}
	return list
}

// rules returns the policy rules that kept the message without a finding.
func (e Entry) rules() []string {
	var list []string
	for _, v := range e.Record.Verdicts {
		for _, m := range v.Matches {
			if m.Finding < 0 && !m.Observed && !slices.Contains(list, m.Rule.Name) {
				list = append(list, m.Rule.Name)
			}
		}
	}
	return list
}
