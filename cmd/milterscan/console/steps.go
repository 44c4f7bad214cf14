package console

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
)

// story returns what happened to a message, with what the MTA's log told, as its person
// may know it. Where that cannot be asked it is what the message's own record says.
func (c *Console) story(ctx context.Context, p login.Person, f *found) (timeline.Story, error) {
	s, err := ask(ctx, c.asks, PartTimeline, func(ctx context.Context) (timeline.Story, error) { return c.Host.Story(ctx, f.Record) })
	if len(s.Steps) == 0 {
		s = timeline.Known(quarantine.Entry{Record: f.Record})
	}
	if p.Bound() {
		s.Steps = slices.DeleteFunc(s.Steps, func(one timeline.Step) bool { return !knows(p, one) })
	}
	return s, err
}

// knows reports whether a person who sees the mail of some domains only may know of a
// step: what the MTA did for others is not its business, nor where a copy was sent.
func knows(p login.Person, s timeline.Step) bool {
	switch {
	case s.Source == timeline.Ours:
		return s.Queue == "" // a release may have been for others
	case s.Event == nil:
		return ofAll(s.What)
	}
	return s.Event.Recipient != "" && p.Owns(s.Event.Recipient)
}

// ofAll reports whether an event concerns the message itself, not single recipients.
func ofAll(what string) bool {
	return what == "handled" || what == "reopened" || what == "learned" || what == "pronounce"
}

// step is a moment in the life of a message.
type step struct {
	At   time.Time // zero: not known more exactly
	Mood string    // good, bad, mild or ""
	What string    // a word of ours
	Text string    // what comes from the message or others
	Note string    // of ours
	Took time.Duration
}

// moods say how an action, and stepMoods how what came afterwards, is for a message.
var moods = map[string]string{"deliver": "good", "reject": "bad", "discard": "bad", "quarantine": "mild", "hold": "mild",
	"tempfail": "mild"}

var stepMoods = map[string]string{"released": "good", "passed": "good", "failed": "bad", "unsure": "mild",
	"forward": "good", "not-learned": "bad",
	string(mtalog.Sent): "good", string(mtalog.Deferred): "mild", string(mtalog.Bounced): "bad", string(mtalog.Expired): "bad",
	string(mtalog.Held): "mild", string(mtalog.Refused): "bad", string(mtalog.Tried): "mild", string(mtalog.Unclear): "mild"}

// steps returns the line of time of a message: what the MTA said, what was looked at, what
// was decided, what the MTA did afterwards, and what persons did.
func steps(v *pages, r policy.Record, s timeline.Story) []step {
	var all []step
	for _, one := range s.Steps {
		next := step{At: one.Time, What: v.texts.Or("step-"+one.What, one.What), Text: one.Text, Mood: stepMoods[one.What]}
		if one.Source != timeline.Ours && one.Source != timeline.Vault {
			next.Note = strings.TrimSpace(one.Source + " " + one.Queue)
		}
		if one.Source != timeline.Ours || one.Queue != "" {
			all = append(all, next)
			continue
		}
		switch one.What {
		case "verdict":
			next.What, next.Text, next.Mood, next.Took = v.texts.Or("action-"+r.Action, r.Action),
				cmp.Or(r.Reply, r.Rule), moods[r.Action], r.Took.Go()
			all = append(all, next)
		case "message":
			next.Text, next.Note = "", v.locale.size(r.Size)
			all = append(append(all, next), looks(v, r)...)
		default:
			all = append(all, next)
		}
	}
	return all
}

// looks returns what scanners did, and what was changed.
func looks(v *pages, r policy.Record) (all []step) {
	for _, s := range r.Scanners {
		all = append(all, scanned(v, s))
	}
	for _, change := range r.Changes {
		all = append(all, step{What: v.texts.Of("step-changed"), Text: change})
	}
	return all
}

// scanned returns the step of one scanner.
func scanned(v *pages, s policy.ScannerTime) step {
	one := step{What: s.Scanner, Took: s.Took.Go()}
	switch {
	case s.Error != "":
		one.Mood, one.Note, one.Text = "bad", v.texts.Of("step-no-answer"), s.Error
	case s.Found > 0:
		one.Mood, one.Note = "mild", v.texts.Of("step-found", s.Found)
	}
	return one
}
