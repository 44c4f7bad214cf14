package awaited

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// attend asks all engines that a message awaits, and acts on what they say. It reports whether nothing more is
// awaited.
func (a *Asker) attend(ctx context.Context, w With, id string, now time.Time) (done bool, err error) {
	e, err := w.Store.Entry(ctx, id)
	if errors.Is(err, quarantine.ErrUnknown) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var errs []error
	for _, one := range e.Awaits {
		if one.Verdict == quarantine.NotYet && !one.Done {
			errs = append(errs, a.ask(ctx, w, e, one, now))
		}
	}
	if e, err = w.Store.Entry(ctx, id); err != nil {
		return errors.Is(err, quarantine.ErrUnknown), errors.Join(append(errs, ignore(err))...)
	}
	done, err = act(ctx, w, e, now)
	return done, errors.Join(append(errs, ignore(err))...)
}

// ignore leaves out the error of a message that is gone, since there is nothing to do about it.
func ignore(err error) error {
	if errors.Is(err, quarantine.ErrUnknown) {
		return nil
	}
	return err
}

// by returns the name under which an engine does something to messages.
func by(engine string) string { return "engine " + engine }

// ask asks one engine about a message, and writes its verdict down if there is one.
func (a *Asker) ask(ctx context.Context, w With, e quarantine.Entry, one quarantine.Await, now time.Time) error {
	id, t := e.Record.ID, w.Terms(one.Engine)
	x := w.Releaser(by(one.Engine))
	late := now.Sub(one.Since) >= t.Within
	none := func(why string) error {
		return told(x.Pronounce(ctx, id, one.Engine, quarantine.NoVerdict, nil, why))
	}
	switch {
	case t.Engine == nil && late:
		return none("no such engine is configured any more")
	case t.Engine == nil:
		return nil
	case a.resting(one.Engine, now) && late:
		return none(fmt.Sprintf("the engine fails, and %v are over", t.Within))
	case a.resting(one.Engine, now):
		return nil
	}
	p, err := progress(ctx, w, x, id, one, t.Engine)
	if errors.Is(ctx.Err(), context.Canceled) { // which says nothing of the engine
		return nil
	}
	switch closed := errors.Is(err, ErrClosed); {
	case errors.Is(err, errGivenUp), closed && late:
		return none(err.Error())
	case closed:
		return nil
	}
	failed := a.judge(one.Engine, err, now)
	switch {
	case err != nil && late:
		return none(fmt.Sprintf("the engine fails, and %v are over: %.200s", t.Within, err))
	case err != nil && failed != nil:
		return fmt.Errorf("%s: %w", one.Engine, failed)
	case err != nil:
		return nil
	case p.Found != nil:
		return told(x.Pronounce(ctx, id, one.Engine, quarantine.FoundLater, p.Found, ""))
	case len(p.Jobs) == 0:
		return told(x.Pronounce(ctx, id, one.Engine, quarantine.CleanLater, nil, ""))
	case late:
		return none(fmt.Sprintf("it has not finished within %v", t.Within))
	}
	return nil
}

// errGivenUp says that an engine will not come to a verdict.
var errGivenUp = errors.New("the engine lost the message again and again")

// told makes nothing of an error that says that another process was faster.
func told(err error) error {
	if errors.Is(err, quarantine.ErrPronounced) {
		return nil
	}
	return ignore(err)
}

// progress asks an engine for the verdicts on a message. One that has lost the message, or never told how it
// can be asked about it, gets it again.
func progress(ctx context.Context, w With, x quarantine.Releaser, id string, one quarantine.Await, engine Engine) (
	Progress, error,
) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if len(one.Jobs) > 0 {
		p, err := engine.Ask(ctx, one.Jobs)
		if !errors.Is(err, ErrLost) {
			return p, err
		}
	}
	if one.Given >= mostGiven {
		return Progress{}, errGivenUp
	}
	message, err := w.Store.Open(ctx, id)
	if err != nil {
		return Progress{}, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	defer message.Close()
	p, err := engine.Submit(ctx, message)
	if err != nil {
		return Progress{}, err
	}
	if len(p.Jobs) > quarantine.MostJobs {
		return Progress{}, fmt.Errorf("%w: it works on more than %d contents of it", errGivenUp, quarantine.MostJobs)
	}
	if p.Found != nil || len(p.Jobs) == 0 {
		return p, nil
	}
	return p, x.Resubmitted(ctx, id, one.Engine, p.Jobs)
}

// act does what follows from the verdicts on a message, as soon as one is not clean, or all are. It reports whether
// nothing more is to be done.
func act(ctx context.Context, w With, e quarantine.Entry, now time.Time) (done bool, err error) {
	var last *quarantine.Await
	open := false
	for i := range e.Awaits {
		switch one := &e.Awaits[i]; {
		case one.Done:
		case one.Verdict == quarantine.NotYet:
			open = true
		case last == nil || one.Verdict != quarantine.CleanLater && last.Verdict != quarantine.FoundLater:
			last = one
		}
	}
	switch {
	case last == nil:
		return !open, nil
	case last.Verdict == quarantine.CleanLater && open:
		return false, nil
	}
	t := Told{Entry: e, Engine: last.Engine, Verdict: last.Verdict, Found: last.Found}
	x := w.Releaser(by(last.Engine))
	if t.Verdict == quarantine.CleanLater {
		if again, err := clear(ctx, x, &t, now.Sub(last.Since) >= w.Terms(last.Engine).Within); again {
			return false, err
		}
	}
	if t.Verdict != quarantine.CleanLater || t.Stays != nil && !errors.Is(t.Stays, quarantine.ErrBarred) {
		if err := w.Tell(ctx, t); err != nil {
			return false, err
		}
	}
	if t.Found != nil && t.Found.Kind == scan.Infected && w.Terms(last.Engine).Delete && e.State == quarantine.Kept {
		err := x.DeleteFor(ctx, e.Record.ID, t.Found.Rule)
		t.Deleted = err == nil
		w.Heard(t)
		return t.Deleted, ignore(err)
	}
	w.Heard(t)
	return !open, ignore(x.Finish(ctx, e.Record.ID))
}

// clear lets a message out that is clean, and notes what became of that. It reports whether that is to be tried
// again.
func clear(ctx context.Context, x quarantine.Releaser, t *Told, late bool) (again bool, err error) {
	to, err := x.Clear(ctx, t.Entry.Record.ID)
	switch {
	case err == nil:
		t.To = to
	case errors.Is(err, quarantine.ErrReleased): // those who wait for it have it
	case errors.Is(err, quarantine.ErrBarred), errors.Is(err, quarantine.ErrUnsure), late, tries(t.Entry) >= mostTries:
		t.Stays = err
	default:
		return true, err
	}
	return false, nil
}

// tries returns how often it was tried to let a message out, with the last time.
func tries(e quarantine.Entry) int {
	most := 0
	for _, one := range e.Awaits {
		most = max(most, one.Tries)
	}
	return most + 1
}
