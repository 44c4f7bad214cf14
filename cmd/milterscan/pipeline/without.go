package pipeline

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
)

// The reasons why there is no message without its bad parts.
var (
	ErrNothingBad = errors.New("no finding is about a part that could be taken out")
	ErrNotClean   = errors.New("the bad part cannot be taken out, or the rest is not clean")
)

// Rest is a message without its bad parts, which is good until Close.
type Rest struct {
	scan.Content
	Parts  []string // that were changed or taken out, by their paths
	result *judge.Result
	edited *edit.Result
}

// Close gives back what the message holds.
func (r *Rest) Close() error {
	err := r.edited.Close()
	r.result.Close()
	return err
}

// Without judges a mail and takes out its bad parts: macros of documents and what acts
// in pages, or else the part as a whole. The rest is judged once more, and returned only
// if the rules deliver it and nothing in it is forbidden, infected or not looked into. Who
// sent the mail plays no part, since a person has decided about that.
func (p *Pipeline) Without(ctx context.Context, mail io.Reader, env scan.Envelope) (*Rest, error) {
	r, err := p.ScanReader(ctx, mail, env)
	if err != nil {
		return nil, err
	}
	rest, err := p.rest(ctx, r, env)
	if err != nil {
		r.Close()
		return nil, err
	}
	return rest, nil
}

func (p *Pipeline) rest(ctx context.Context, r *judge.Result, env scan.Envelope) (*Rest, error) {
	edits := bad(r)
	switch {
	case len(edits) == 0:
		return nil, ErrNothingBad
	case slices.Contains(edit.Fixed(r.Message, r.Found), scan.WholeMessage):
		return nil, ErrNotClean
	}
	edited, err := p.apply(ctx, r, edits)
	if err != nil {
		return nil, err
	}
	rest := &Rest{Content: edited.Message, result: r, edited: edited}
	for _, e := range edits {
		if path := r.Message.Parts[e.Part].Path; !slices.Contains(rest.Parts, path) {
			rest.Parts = append(rest.Parts, path)
		}
	}
	if err := p.clean(ctx, edited, env); err != nil {
		edited.Close()
		return nil, err
	}
	return rest, nil
}

// bad returns the edits that take out what counts against a message.
func bad(r *judge.Result) []policy.Edit {
	var because []int
	for _, v := range r.Decision.Verdicts {
		because = append(because, v.Because)
	}
	by := map[int]*policy.Edit{}
	var order []int
	for i, f := range r.Found {
		if f.Part < 0 || f.Part >= len(r.Message.Parts) || !slices.Contains(because, i) && !takenOut(f.Kind) {
			continue
		}
		e := by[f.Part]
		if e == nil {
			e = &policy.Edit{Kind: policy.Replace, Part: f.Part, Rule: policy.RuleRef{Name: "a person"}}
			by[f.Part], order = e, append(order, f.Part)
		}
		e.Found = append(e.Found, i)
	}
	var edits []policy.Edit
	for _, part := range order {
		e := by[part]
		if e.Kind = mildest(r.Found, e.Found); e.Kind == policy.Disarm {
			e.Found = disarmed(r.Found, part)
		}
		edits = append(edits, *e)
	}
	return edits
}

// disarmed returns all findings about a part whose causes disarming removes, whether they
// decided or not.
func disarmed(found []scan.Finding, part int) (list []int) {
	for i, f := range found {
		if f.Part == part && edit.Disarms(f.Rule) {
			list = append(list, i)
		}
	}
	return list
}

// takenOut reports whether a kind of finding is a ground to take a part out.
func takenOut(k scan.Kind) bool {
	return k == scan.Forbidden || k == scan.Infected || k == scan.Unscannable
}

// mildest returns the edit that may do for some findings of one part.
func mildest(found []scan.Finding, of []int) policy.EditKind {
	all := func(is func(scan.Finding) bool) bool {
		return !slices.ContainsFunc(of, func(i int) bool { return takenOut(found[i].Kind) && found[i].Kind != scan.Forbidden || !is(found[i]) })
	}
	switch {
	case all(func(f scan.Finding) bool { return edit.Disarms(f.Rule) }):
		return policy.Disarm
	case all(func(f scan.Finding) bool { return strings.HasPrefix(f.Rule, "attachment/macro") }):
		return policy.Clean
	}
	return policy.Replace
}

// apply makes the edits. Those that cannot be made become notices in the places of the parts.
func (p *Pipeline) apply(ctx context.Context, r *judge.Result, edits []policy.Edit) (*edit.Result, error) {
	for {
		edited, err := p.Judge.Editor.Apply(ctx, edit.Job{ID: r.ID, Message: r.Message, Found: r.Found, Edits: edits})
		var refused *edit.Refused
		switch {
		case err == nil && edited.Changed():
			return edited, nil
		case err == nil:
			edited.Close()
			if !harder(edits, edits) {
				return nil, ErrNotClean
			}
		case !errors.As(err, &refused):
			return nil, err
		case !harder(edits, refused.Edits):
			return nil, errors.Join(ErrNotClean, err)
		}
	}
}

// harder makes Replace of the edits that were refused, and reports whether any was
// something else.
func harder(edits, refused []policy.Edit) (changed bool) {
	for i := range edits {
		same := func(e policy.Edit) bool { return e.Part == edits[i].Part }
		if edits[i].Kind != policy.Replace && slices.ContainsFunc(refused, same) {
			edits[i].Kind, changed = policy.Replace, true
		}
	}
	return changed
}

// clean judges what edits have made of a message.
func (p *Pipeline) clean(ctx context.Context, edited *edit.Result, env scan.Envelope) error {
	again, err := p.ScanReader(ctx, scan.Reader(edited.Message), env)
	if err != nil {
		return err
	}
	defer again.Close()
	left := func(f scan.Finding) bool { return takenOut(f.Kind) || f.Kind == scan.Failed }
	if again.Decision.Answer != policy.Deliver || again.Decision.Keep || slices.ContainsFunc(again.Found, left) {
		return ErrNotClean
	}
	return nil
}
