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

// maxTries bounds how often a decision is made anew because some of its edits
// cannot be made.
const maxTries = 4

// reserve is the part of the time for a message that is kept for looking at what
// edits have made of it.
const reserve = 4

// firstLook is how long a message may be looked at before any edit.
func (j *Judge) firstLook() time.Duration {
	if !j.edits() {
		return j.Time
	}
	return j.Time - j.Time/reserve
}

// edits reports whether any message may be edited.
func (j *Judge) edits() bool { return j.Editor != nil && j.Policy.Edits() }

// editing is how far the editing of a message has come.
type editing struct {
	fixed   []int         // parts that cannot be edited
	refused []policy.Edit // what was tried in vain
	bare    bool          // a banner cannot be put into it
	result  *edit.Result  // what goes on in the place of the message; nil: the message
	second  *scan.Message // the result, or one that was not good enough, opened
	notes   []scan.Finding
}

// Edited reports whether something else than the message goes on.
func (r *Result) Edited() bool { return r.editing.result != nil }

// settle decides, and makes the edits that the decision asks for. Edits that
// cannot be made, or whose result is not fit to be delivered, get what their rule
// says for that. There is one round: nothing is edited twice.
func (j *Judge) settle(ctx context.Context, r *Result, once []scan.Report) {
	r.fixed = []int{scan.WholeMessage}
	if j.edits() {
		r.fixed = edit.Fixed(r.Message, r.Found)
	}
	for tries := 1; ; tries++ {
		r.Decision = j.decide(r)
		if len(r.Decision.Edits) == 0 {
			j.addBanners(ctx, r)
			break
		}
		if j.edit(ctx, r, once) {
			break
		}
		if tries >= maxTries { // the next decision asks for no edit
			r.fixed = []int{scan.WholeMessage}
		}
	}
	r.Found = append(r.Found, r.notes...)
}

// addBanners puts banners into a message that is not edited otherwise. They are
// our own words, so nobody has to look at the result.
func (j *Judge) addBanners(ctx context.Context, r *Result) {
	if len(r.Decision.Banners) == 0 || r.bare || slices.Contains(r.fixed, scan.WholeMessage) {
		return
	}
	result, err := j.Editor.Apply(ctx, j.job(r))
	if err != nil {
		r.noBanner(err)
		return
	}
	r.result = result
}

// noBanner notes why the message gets no banner.
func (r *Result) noBanner(err error) {
	why := err.Error()
	if named := (*edit.NoBanner)(nil); !errors.As(err, &named) {
		why = fmt.Sprintf("banner %s: %s", strings.Join(r.Decision.Banners, ", "), why)
	}
	r.bare = true
	r.notes = append(r.notes, scan.Finding{Kind: scan.Note, Scanner: "mime", Rule: "mime/not-edited", Part: scan.WholeMessage, Detail: why})
}

// job is what the decision asks for.
func (j *Judge) job(r *Result) edit.Job {
	job := edit.Job{ID: r.ID, Message: r.Message, Found: r.Found, Edits: r.Decision.Edits, Banners: r.Decision.Banners}
	if r.bare {
		job.Banners = nil
	}
	return job
}

// edit makes the edits of the decision, and looks at the result. It reports
// whether the decision is final; if not, another has to be made without what was
// refused.
func (j *Judge) edit(ctx context.Context, r *Result, once []scan.Report) (final bool) {
	result, err := j.Editor.Apply(ctx, j.job(r))
	switch named := (*edit.NoBanner)(nil); {
	case errors.As(err, &named): // the edits matter more
		r.noBanner(err)
		return false
	case errors.Is(err, edit.ErrNoRoom):
		r.Decision = r.retry(err)
		return true
	case err != nil:
		r.refuse(err)
		return false
	case !result.Changed():
		result.Close()
		return true
	case r.second != nil: // the one round is over
		result.Close()
		r.refuse(errOneRound)
		return false
	}
	return j.again(ctx, r, result, once)
}

// retry is the decision where the edited message could not be written: another
// time it may be.
func (r *Result) retry(err error) policy.Decision {
	r.notes = append(r.notes, scan.Finding{Kind: scan.Failed, Scanner: "mime", Rule: "mime/failed", Part: scan.WholeMessage, Detail: err.Error()})
	return r.later(r.cannot())
}

var (
	errOneRound = errors.New("the message was edited before, in vain")
	errNotClean = errors.New("something is left that is not to be delivered")
)

// refuse enters edits as impossible: those an error names, or else all.
func (r *Result) refuse(err error) {
	var refused *edit.Refused
	if !errors.As(err, &refused) {
		refused = &edit.Refused{Edits: r.Decision.Edits}
		for range refused.Edits {
			refused.Why = append(refused.Why, err)
		}
	}
	r.refused = append(r.refused, refused.Edits...)
	for i, e := range refused.Edits {
		r.notes = append(r.notes, scan.Finding{
			Kind: scan.Note, Scanner: "mime", Rule: "mime/not-edited", Part: e.Part, Detail: fmt.Sprintf("%s: %v", e.Kind, refused.Why[i]),
		})
	}
}

// again opens and scans the edited message and decides about it. Only what
// nobody objects to any more goes on.
func (j *Judge) again(ctx context.Context, r *Result, result *edit.Result, once []scan.Report) (final bool) {
	second := *r
	second.Size, second.editing = result.Message.Size(), editing{bare: r.bare}
	second.Message = j.Opener.Open(ctx, scan.Received{Envelope: r.Envelope, Raw: edited{result, r.Message}, Tree: result.Tree, Size: second.Size})
	r.second = second.Message
	second.Reports = slices.Concat(once, j.Engine.Scan(ctx, second.Message))
	second.Found = slices.Concat(second.Message.Notes, scan.Findings(second.Reports), j.Policy.Named(r.Envelope, second.Message.Parts))
	second.pardon()
	second.fixed = edit.Fixed(second.Message, second.Found)
	second.Decision = j.decide(&second)
	switch {
	case second.Decision.Answer == policy.Tempfail:
		r.Decision = r.later(second.Decision.Reply)
		r.failures(&second)
		return true
	case worse(r.Decision, second.Decision) || !j.done(ctx, &second):
		r.refuse(errNotClean)
		return false
	}
	r.result = result
	return true
}

// worse reports whether somebody would be refused the edited message who was to
// get it.
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
func (j *Judge) done(ctx context.Context, second *Result) bool {
	if len(second.Decision.Edits) == 0 {
		return true
	}
	more, err := j.Editor.Apply(ctx, j.job(second))
	if err != nil {
		return false
	}
	defer more.Close()
	return !more.Changed()
}

// failures enters what could not be done with the edited message. Its parts have
// numbers of their own.
func (r *Result) failures(second *Result) {
	for _, f := range second.Found {
		if f.Kind == scan.Failed {
			f.Part = scan.WholeMessage
			r.notes = append(r.notes, f)
		}
	}
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
