package quarantine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// Await is the verdict of an engine that had not come when a message was kept. It is in the entry, so that a
// verdict is asked for, and acted on once, whatever ends or begins meanwhile.
type Await struct {
	Engine  string    `json:"engine"` // as scanners have it: "virus/sandbox"
	Jobs    []string  `json:"jobs,omitempty"`
	Since   time.Time `json:"since"`
	Given   int       `json:"given,omitempty"` // how often the engine got the message again, as it had lost it
	Verdict Verdict   `json:"verdict,omitempty"`
	// Found is what the engine has found, which is also among the findings of the record; nil for nothing.
	Found *policy.RecordFinding `json:"found,omitempty"`
	Tries int                   `json:"tries,omitempty"` // releases that failed
	Done  bool                  `json:"done,omitempty"`  // the verdict was acted on
}

// Verdict is what an engine says in the end.
type Verdict string

// The verdicts. An engine that says nothing in time, or nothing that is understood, has none.
const (
	NotYet     Verdict = ""
	CleanLater Verdict = "clean"
	FoundLater Verdict = "infected"
	NoVerdict  Verdict = "none"
)

// MostJobs bounds the jobs that are asked for about one message. One with more has no verdict.
const MostJobs = 200

// pronounced is the event by which an engine gives its verdict on a kept message.
const pronounced = "pronounce"

// The reasons not to act on a verdict.
var (
	ErrPronounced = errors.New("the engine has given its verdict before")
	ErrBarred     = errors.New("something else than the missing verdict keeps it")
)

// awaits makes the verdicts that are to come of jobs.
func awaits(jobs []policy.Job, since time.Time) []Await {
	var list []Await
	for _, j := range jobs {
		i := slices.IndexFunc(list, func(a Await) bool { return a.Engine == j.Scanner })
		if i < 0 {
			i = len(list)
			list = append(list, Await{Engine: j.Scanner, Since: since})
		}
		if j.Name != "" {
			list[i].Jobs = append(list[i].Jobs, j.Name)
		}
	}
	for i := range list {
		if len(list[i].Jobs) > MostJobs {
			list[i].Jobs, list[i].Verdict = nil, NoVerdict
		}
	}
	return list
}

// Awaited returns the engines of which the message awaits a verdict, or that a verdict is acted on.
func (e Entry) Awaited() []string {
	var list []string
	for _, a := range e.Awaits {
		if !a.Done {
			list = append(list, a.Engine)
		}
	}
	return list
}

// Await returns what the message awaits of an engine, nil if it never did.
func (e *Entry) Await(engine string) *Await {
	i := slices.IndexFunc(e.Awaits, func(a Await) bool { return a.Engine == engine })
	if i < 0 {
		return nil
	}
	return &e.Awaits[i]
}

// Pronounce writes down the verdict of an engine on a message, once. What the engine has found, if
// anything, is then a finding like those that were made when the message came, and the message of its class.
func (x Releaser) Pronounce(ctx context.Context, id, engine string, v Verdict, found *scan.Finding, note string) error {
	return x.Store.Change(ctx, id, func(e *Entry) error {
		a := e.Await(engine)
		if a == nil || a.Verdict != NotYet {
			return ErrPronounced
		}
		a.Verdict, a.Jobs = v, nil
		text := string(v)
		if found != nil {
			a.Found = e.add(*found)
			text += " (" + found.Rule + ")"
		}
		if note != "" {
			text += ": " + note
		}
		e.note(x.event(pronounced, nil, text))
		return nil
	})
}

// add adds a finding about the message as a whole.
func (e *Entry) add(f scan.Finding) *policy.RecordFinding {
	found := policy.RecordFinding{Kind: f.Kind, Scanner: f.Scanner, Rule: f.Rule, Detail: f.Detail, Score: f.Score}
	e.Record.Findings = append(e.Record.Findings, found)
	if f.Kind == scan.Infected {
		e.Class = f.Kind.String()
	}
	return &found
}

// Resubmitted notes the jobs of a message that an engine got again.
func (x Releaser) Resubmitted(ctx context.Context, id, engine string, jobs []string) error {
	return x.Store.Change(ctx, id, func(e *Entry) error {
		a := e.Await(engine)
		if a == nil || a.Verdict != NotYet {
			return ErrPronounced
		}
		a.Jobs = jobs
		a.Given++
		return nil
	})
}

// Finish notes that all verdicts that have come were acted on, and that nothing more is to be done by them.
func (x Releaser) Finish(ctx context.Context, id string) error {
	return x.Store.Change(ctx, id, func(e *Entry) error {
		for i := range e.Awaits {
			e.Awaits[i].Done = e.Awaits[i].Done || e.Awaits[i].Verdict != NotYet
		}
		return nil
	})
}

// Clear releases a message that was kept only because verdicts were missing, which have all come and are clean. It
// goes to the recipients to which no other finding barred it, with a pass for these findings alone, and is judged
// again on its way. The error is ErrBarred if there are no such recipients.
func (x Releaser) Clear(ctx context.Context, id string) (to []string, err error) {
	e, err := x.Store.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	if to, err = e.cleared(); err != nil {
		return nil, err
	}
	x.Teacher = nil // no person has said what it is
	o := Order{ID: id, To: to, Skip: append(clientChecks(), e.missing()...), Each: true}
	_, err = x.Release(ctx, o)
	if err != nil && !errors.Is(err, ErrReleased) && !errors.Is(err, ErrUnsure) {
		err = errors.Join(err, x.Store.Change(context.WithoutCancel(ctx), id, func(e *Entry) error {
			for i := range e.Awaits {
				e.Awaits[i].Tries++
			}
			return nil
		}))
	}
	return to, err
}

// missing returns the findings that say that a verdict is missing.
func (e Entry) missing() []string {
	return slices.DeleteFunc(e.rulesFound(), func(rule string) bool { return scan.PendingScanner(rule) == "" })
}

// cleared returns the recipients that have not had the message and may have it now that all missing verdicts are
// clean, or says why there are none.
func (e Entry) cleared() ([]string, error) {
	r := e.Record
	for _, rule := range e.missing() {
		if a := e.Await(scan.PendingScanner(rule)); a == nil || a.Verdict != CleanLater {
			return nil, fmt.Errorf("%w: %s", ErrBarred, rule)
		}
	}
	switch viruses := e.viruses(); {
	case len(viruses) > 0:
		return nil, fmt.Errorf("%w: %s", ErrBarred, strings.Join(viruses, ", "))
	case r.MoreFindings > 0:
		return nil, fmt.Errorf("%w: not all that was found is known any more", ErrBarred)
	}
	var to []string
	var why error
	unsure := false
	for _, v := range r.Verdicts {
		if err := e.bars(v); err != nil {
			why = cmp.Or(why, err)
			continue
		}
		for _, a := range v.Recipients {
			switch p := e.progressOf(a); {
			case p == begun:
				unsure = true
			case p == waits && a != "":
				to = append(to, a)
			}
		}
	}
	switch {
	case len(to) > 0:
		return to, nil
	case unsure:
		return nil, ErrUnsure
	}
	return nil, cmp.Or(why, ErrReleased)
}

// bars says what other than missing verdicts has decided that the recipients of a verdict do not get the
// message. Only what went into the quarantine comes out of it: the sender of anything else was told that
// it is refused.
func (e Entry) bars(v policy.RecordVerdict) error {
	switch {
	case gets(v):
		return ErrReleased
	case v.Action != "quarantine":
		return fmt.Errorf("%w: it was refused (%s)", ErrBarred, v.Action)
	case v.More > 0:
		return fmt.Errorf("%w: not all rules that matched are known any more", ErrBarred)
	}
	for _, m := range v.Matches {
		if m.Observed || !m.Decides || m.Lets {
			continue
		}
		if m.Finding < 0 || m.Finding >= len(e.Record.Findings) || scan.PendingScanner(e.Record.Findings[m.Finding].Rule) == "" {
			return fmt.Errorf("%w: rule %q", ErrBarred, m.Rule.Name)
		}
	}
	return nil
}

// DeleteFor removes a message for good because of what was found in it.
func (x Releaser) DeleteFor(ctx context.Context, id, why string) error {
	return x.Store.Delete(ctx, id, x.event("delete", nil, why))
}
