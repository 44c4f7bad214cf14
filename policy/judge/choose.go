package judge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/scan"
)

// maxTries bounds how often a decision is made again because some of its edits
// cannot be made.
const maxTries = 4

// tried is what attempts to edit a message have shown.
type tried struct {
	fixed   []int         // parts that cannot be edited
	refused []policy.Edit // what was tried in vain
	bare    bool          // a banner cannot be put into it
	second  *scan.Message // what edits made of the message, opened: what goes on, or was not good enough
	notes   []scan.Finding
}

// choice is a decision with what it rests on.
type choice struct {
	tried
	decision policy.Decision
	rules    *policy.Policy // that decided; nil: it is not rules that answer
	result   *edit.Result   // what goes on in the place of the message; nil: the message
	invites  bool           // the reply says where the sender may appeal
}

// edits reports whether any message may be edited.
func (j *Judge) edits() bool { return j.Editor != nil && j.Policy.Edits() }

// choose decides, and makes the edits that the decision asks for. Edits that
// cannot be made, or whose result is not fit to be delivered, get what their rule
// says for that. There is one round: nothing is edited twice.
func (j *Judge) choose(ctx context.Context, s *seen) choice {
	if s.own != nil {
		return choice{decision: *s.own, rules: j.Policy}
	}
	t := tried{fixed: j.fixed(s)}
	for n := 1; ; n++ {
		c, final := j.attempt(ctx, s, t)
		if final {
			return c.explained(s)
		}
		t = c.tried
		if n >= maxTries { // the next decision asks for no edit
			t.fixed = []int{scan.WholeMessage}
		}
	}
}

// fixed returns the parts that cannot be edited.
func (j *Judge) fixed(s *seen) []int {
	if !j.edits() {
		return []int{scan.WholeMessage}
	}
	return edit.Fixed(s.message, s.found)
}

// uneditable says why no edit can be made of a message in which there may be more than its first reading shows; "" of
// any other. Rules are told beforehand, so that they need not deliver what they wanted to be edited. They are told
// nothing of a message that this host has failed to open: it is to come again, and is not to blame.
func (j *Judge) uneditable(s *seen) string {
	if !j.edits() || slices.ContainsFunc(s.found, unopened) || !edit.Uncertain(s.message, s.found) {
		return ""
	}
	return edit.WhyFixed(s.message, s.found)(scan.WholeMessage)
}

// unopened reports whether a finding says that this host had no room or no time to open a message.
func unopened(f scan.Finding) bool { return f.Scanner == "mime" && f.Kind == scan.Failed }

// decide asks the policy about the facts known so far.
func (j *Judge) decide(s *seen, t tried) choice {
	defer s.clock.since(Decide, time.Now())
	return choice{tried: t, decision: j.Policy.Decide(s.input(t)), rules: j.Policy}
}

// attempt decides and edits. It reports whether the choice is final; if not,
// another has to be made without what it says was tried in vain.
func (j *Judge) attempt(ctx context.Context, s *seen, t tried) (_ choice, final bool) {
	c := j.decide(s, t)
	if len(c.decision.Edits) == 0 {
		return j.addBanners(ctx, s, c), true
	}
	return j.edit(ctx, s, c)
}

// addBanners puts banners into a message that is not edited otherwise. They are
// our own words, so the result needs no second look.
func (j *Judge) addBanners(ctx context.Context, s *seen, c choice) choice {
	if len(c.decision.Banners) == 0 || c.bare {
		return c
	}
	if slices.Contains(c.fixed, scan.WholeMessage) {
		return c.unbannered(s)
	}
	result, err := j.Editor.Apply(ctx, s.job(c))
	if err != nil {
		return c.noBanner(err)
	}
	c.result = result
	return c
}

// job returns what the choice asks the editor for.
func (s *seen) job(c choice) edit.Job {
	job := edit.Job{ID: s.id, Message: s.message, Found: s.found, Edits: c.decision.Edits, Banners: c.decision.Banners}
	if c.bare {
		job.Banners = nil
	}
	return job
}

// edit makes the edits of the decision, and looks at the result.
func (j *Judge) edit(ctx context.Context, s *seen, c choice) (_ choice, final bool) {
	result, err := j.Editor.Apply(ctx, s.job(c))
	switch named := (*edit.NoBanner)(nil); {
	case errors.As(err, &named): // the edits matter more
		return c.noBanner(err), false
	case errors.Is(err, edit.ErrNoRoom): // another time there may be some
		return c.later(policy.NotNow(s.id), failed("mime/failed", err)), true
	case err != nil:
		return c.refuse(err), false
	case !result.Changed():
		result.Close()
		return c, true
	case c.second != nil: // the one round is over
		result.Close()
		return c.refuse(errOneRound), false
	}
	return j.again(ctx, s, c, result)
}

// again looks at the edited message and decides about it. Only what no rule
// objects to any more goes on.
func (j *Judge) again(ctx context.Context, s *seen, c choice, result *edit.Result) (_ choice, final bool) {
	after := j.lookAgain(ctx, s, result)
	c.second = after.message
	next := j.decide(after, tried{fixed: edit.Fixed(after.message, after.found), bare: c.bare})
	switch {
	case next.decision.Answer == policy.Tempfail:
		return c.later(next.decision.Reply, failures(after.found)...), true
	case worse(c.decision, next.decision) || !j.done(ctx, after, next):
		return c.refuse(errNotClean), false
	}
	c.result = result
	return c, true
}

// worse reports whether the edited message would be refused to a recipient who was
// to get it.
func worse(first, second policy.Decision) bool {
	if second.Answer > first.Answer {
		return true
	}
	for i, v := range second.Verdicts {
		if v.Outcome.Answer > first.Verdicts[i].Outcome.Answer {
			return true
		}
	}
	return false
}

// done reports whether all that the decision about the edited message asks for
// is in it.
func (j *Judge) done(ctx context.Context, after *seen, next choice) bool {
	if len(next.decision.Edits) == 0 {
		return true
	}
	more, err := j.Editor.Apply(ctx, after.job(next))
	if err != nil {
		return false
	}
	defer more.Close()
	return !more.Changed()
}

// cleaned reports whether edits were made, or tried.
func (c choice) cleaned() bool { return c.result != nil || len(c.refused) > 0 || c.bare }

// reopened reports whether what goes on is what was looked at again, which closes
// it.
func (c choice) reopened() bool {
	if c.second == nil {
		return false
	}
	raw, ok := c.second.Raw.(edited)
	return ok && raw.Result == c.result
}

// noBanner returns the choice with a note why the message gets no banner.
func (c choice) noBanner(err error) choice {
	why := err.Error()
	if named := (*edit.NoBanner)(nil); !errors.As(err, &named) {
		why = fmt.Sprintf("banner %s: %s", strings.Join(c.decision.Banners, ", "), why)
	}
	c.bare = true
	return c.noting(notEdited(scan.WholeMessage, why))
}

// unbannered returns the choice with a note why nothing can be put into the message.
func (c choice) unbannered(s *seen) choice {
	why := edit.WhyFixed(s.message, s.found)(scan.WholeMessage)
	if why == "" {
		return c
	}
	return c.noting(notEdited(scan.WholeMessage, fmt.Sprintf("banner %s: %s", strings.Join(c.decision.Banners, ", "), why)))
}

// later returns a temporary failure in the place of the choice.
func (c choice) later(reply policy.Reply, why ...scan.Finding) choice {
	return choice{
		tried:    c.noting(why...).tried,
		decision: policy.Decision{Answer: policy.Tempfail, Verdicts: c.decision.Verdicts, Reply: reply},
		result:   c.result,
	}
}

var (
	errOneRound = errors.New("the message was edited before, in vain")
	errNotClean = errors.New("something is left that is not to be delivered")
)

// refuse returns the choice with edits entered as impossible: those an error names, or
// else all.
func (c choice) refuse(err error) choice {
	var refused *edit.Refused
	if !errors.As(err, &refused) {
		refused = &edit.Refused{Edits: c.decision.Edits}
		for range refused.Edits {
			refused.Why = append(refused.Why, err)
		}
	}
	c.refused = slices.Concat(c.refused, refused.Edits)
	for i, e := range refused.Edits {
		c = c.noting(notEdited(e.Part, fmt.Sprintf("%s: %v", e.Kind, refused.Why[i])))
	}
	return c
}

// explained returns the choice with a note why each edit was not tried that a rule asks for.
func (c choice) explained(s *seen) choice {
	if len(c.decision.Unmade) == 0 {
		return c
	}
	reason := edit.WhyFixed(s.message, s.found)
	for _, e := range c.decision.Unmade {
		why := reason(e.Part)
		if e.Part < 0 && why == "" {
			why = "what was found is in no part in particular"
		}
		tried := func(r policy.Edit) bool { return r.Part == e.Part && r.Kind == e.Kind }
		if why != "" && !slices.ContainsFunc(c.refused, tried) {
			c = c.noting(notEdited(e.Part, fmt.Sprintf("%s: %s", e.Kind, why)))
		}
	}
	return c
}

// noting returns the choice with more findings about what was tried.
func (c choice) noting(more ...scan.Finding) choice {
	c.notes = slices.Concat(c.notes, more)
	return c
}

func notEdited(part int, why string) scan.Finding { return noteOf("mime/not-edited", part, why) }

func noteOf(rule string, part int, detail string) scan.Finding {
	return scan.Finding{Kind: scan.Note, Scanner: "mime", Rule: rule, Part: part, Detail: detail}
}

// failed returns the finding that something here did not work.
func failed(rule string, err error) scan.Finding {
	return scan.Finding{Kind: scan.Failed, Scanner: "mime", Rule: rule, Part: scan.WholeMessage, Detail: err.Error()}
}

// failures returns what could not be done with the edited message. Its parts are
// numbered separately.
func failures(found []scan.Finding) []scan.Finding {
	var list []scan.Finding
	for _, f := range found {
		if f.Kind == scan.Failed {
			f.Part = scan.WholeMessage
			list = append(list, f)
		}
	}
	return list
}

// edited is the content of an edited message. Readers of it read the original as
// well, which closes with it.
type edited struct {
	*edit.Result
	original *scan.Message
}

func (e edited) ReadAt(p []byte, off int64) (int, error) { return e.Result.Message.ReadAt(p, off) }

func (e edited) Size() int64 { return e.Result.Message.Size() }

func (e edited) Close() error { return errors.Join(e.Result.Close(), e.original.Close()) }
