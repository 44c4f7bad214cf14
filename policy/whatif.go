package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Bounds on how often Alternatives decides again: messages with thousands of
// findings, or for thousands, are made to cost time.
const (
	maxSingles = 16
	maxRounds  = 64
	maxTries   = 200       // decisions
	maxSteps   = 1_000_000 // of all of them together; see Policy.decide
)

// Alternatives returns what the decision d on in would have been without its
// grounds: first, one by one, each finding or rule without which it would have
// been another; and if there is no such single one, a smallest set of them, so
// that with any of the set given back the decision is d again. A mail without
// objections has none. Of a message with thousands of findings or recipients not
// everything is tried, so the list may be short, and the set larger than it need
// be. Once late reports that time is over no more is tried, and cut is true.
func (p *Policy) Alternatives(in Input, d Decision, late func() bool) (list []Alternative, cut bool) {
	w := newWhatIf(p, in, d)
	w.late = late
	list = w.alternatives(d)
	return list, w.cut
}

func (w *whatIf) alternatives(d Decision) []Alternative {
	var list []Alternative
	grounds := w.grounds(d)
	for _, g := range grounds[:min(len(grounds), maxSingles)] {
		if then, differs := w.without([]cause{g}); differs {
			list = append(list, alternative([]cause{g}, then))
		}
	}
	if len(list) > 0 || len(grounds) == 0 {
		return list
	}
	if set, then, ok := w.enough(d); ok {
		return []Alternative{w.smallest(set, then)}
	}
	return nil
}

// cause is what can be taken away: a finding by its index, or a rule that rests
// on none.
type cause struct {
	finding int // itself for a rule
	rule    string
}

// whatIf asks for decisions on the same message with less in it.
type whatIf struct {
	policy *Policy
	in     Input
	was    Decision
	left   int         // decisions that may still be made
	steps  int         // and how much they may cost
	late   func() bool // nil: never
	cut    bool        // because it was late
}

func newWhatIf(p *Policy, in Input, d Decision) *whatIf {
	in.listed = listed{}
	return &whatIf{policy: p, in: in, was: d, left: maxTries, steps: maxSteps}
}

// without decides without some causes, and reports whether that makes a
// difference; it reports false if too many decisions were made already.
func (w *whatIf) without(gone []cause) (Decision, bool) {
	if w.cut = w.cut || w.late != nil && w.late(); w.cut {
		w.left = 0
		return Decision{}, false
	}
	if w.left--; w.left < 0 || w.steps < 0 {
		w.left = 0
		return Decision{}, false
	}
	in := w.in
	in.Found = w.found(gone)
	in.Without = slices.Clone(w.in.Without)
	for _, c := range gone {
		if c.finding == itself {
			in.Without = append(in.Without, c.rule)
		}
	}
	d, steps := w.policy.decide(&in)
	w.steps -= steps + len(w.in.Found) + len(d.Verdicts)
	return d, !d.sameEffect(w.was)
}

// found returns the findings without those that are gone.
func (w *whatIf) found(gone []cause) []scan.Finding {
	without := map[int]bool{}
	for _, c := range gone {
		without[c.finding] = true
	}
	var list []scan.Finding
	for i, f := range w.in.Found {
		if !without[i] {
			list = append(list, f)
		}
	}
	return list
}

// grounds returns the findings and rules that the verdicts of d rest on, and the
// findings that have a score.
func (w *whatIf) grounds(d Decision) []cause {
	var list []cause
	for _, v := range d.Verdicts {
		switch {
		case len(list) > maxRounds: // more than will be looked at
		case v.Because != itself:
			list = addNew(list, cause{finding: v.Because})
		case v.Rule != RuleRef{}:
			list = addNew(list, w.scored(nil)...)
			list = addNew(list, cause{itself, v.Rule.Name})
		}
	}
	return addNew(list, w.effects(d)...)
}

// effects returns the findings and rules whose effects were added to a verdict they
// did not decide.
func (w *whatIf) effects(d Decision) []cause {
	var list []cause
	for _, v := range d.Verdicts {
		for _, m := range v.Matches {
			switch {
			case len(list) > maxRounds:
				return list
			case m.Observed || m.Outcome.Action() == Deliver.String() && m.Outcome.silent():
			case m.Finding != itself:
				list = addNew(list, cause{finding: m.Finding})
			default:
				list = addNew(list, cause{itself, m.Rule.Name})
			}
		}
	}
	return list
}

// silent reports whether the outcome has no effect but its answer.
func (o Outcome) silent() bool {
	return !o.Keep && o.Edit == NoEdit && o.Tag == "" && o.Banner == "" && len(o.Headers)+len(o.Add)+len(o.Only)+len(o.Notify) == 0
}

// scored returns the findings that raise the score, highest first, but for those
// that are gone.
func (w *whatIf) scored(gone []cause) []cause {
	var list []cause
	for i, f := range w.in.Found {
		if c := (cause{finding: i}); f.Score > 0 && !slices.Contains(gone, c) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b cause) int {
		return cmp.Compare(w.in.Found[b.finding].Score, w.in.Found[a.finding].Score)
	})
	return list[:min(len(list), maxRounds)]
}

// enough takes causes away, those of one decision after the other, until the
// decision is another.
func (w *whatIf) enough(d Decision) (gone []cause, _ Decision, ok bool) {
	for range maxRounds {
		before := len(gone)
		gone = addNew(gone, w.next(d, gone)...)
		if len(gone) == before {
			break
		}
		// The findings that are left have other numbers; those of the whole count.
		then, differs := w.without(gone)
		if differs {
			return gone, then, true
		}
		if w.left <= 0 {
			break
		}
		d = w.renumbered(then, gone)
	}
	return nil, Decision{}, false
}

// next returns the causes of d that are not gone yet.
func (w *whatIf) next(d Decision, gone []cause) []cause {
	for _, v := range d.Verdicts {
		switch {
		case v.Because != itself:
			return []cause{{finding: v.Because}}
		case v.Rule == RuleRef{}:
		case len(w.scored(gone)) > 0:
			return w.scored(gone)[:1]
		default:
			return []cause{{itself, v.Rule.Name}}
		}
	}
	return w.effects(d)
}

// renumbered returns a decision made without some findings, in the numbers of all.
func (w *whatIf) renumbered(d Decision, gone []cause) Decision {
	var number []int
	for i := range w.in.Found {
		if !slices.Contains(gone, cause{finding: i}) {
			number = append(number, i)
		}
	}
	d.Verdicts = slices.Clone(d.Verdicts)
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		if v.Because != itself {
			v.Because = number[v.Because]
		}
		v.Matches = slices.Clone(v.Matches)
		for j := range v.Matches {
			if n := v.Matches[j].Finding; n != itself {
				v.Matches[j].Finding = number[n]
			}
		}
	}
	return d
}

// smallest gives back every cause that makes no difference.
func (w *whatIf) smallest(set []cause, then Decision) Alternative {
	for i := 0; i < len(set); {
		fewer := slices.Delete(slices.Clone(set), i, i+1)
		if d, differs := w.without(fewer); differs {
			set, then = fewer, d
			continue
		}
		i++
	}
	return alternative(set, then)
}

func alternative(gone []cause, then Decision) Alternative {
	a := Alternative{Then: then.Words()}
	for _, c := range gone {
		if c.finding == itself {
			a.Rules = append(a.Rules, c.rule)
		} else {
			a.Findings = append(a.Findings, c.finding)
		}
	}
	return a
}

// sameEffect reports whether two decisions are the same in everything that the sender or a
// recipient notices, whatever their reasons and words.
func (d Decision) sameEffect(other Decision) bool {
	return d.Action() == other.Action() && d.Reply.Code == other.Reply.Code && d.Reply.Enhanced == other.Reply.Enhanced &&
		d.Tag == other.Tag &&
		slices.Equal(d.Banners, other.Banners) && slices.Equal(d.Headers, other.Headers) &&
		slices.Equal(d.Drop, other.Drop) && slices.Equal(d.Add, other.Add) &&
		slices.EqualFunc(d.Edits, other.Edits, func(a, b Edit) bool { return a.Kind == b.Kind && a.Part == b.Part }) &&
		slices.EqualFunc(d.Verdicts, other.Verdicts, func(a, b Verdict) bool { return a.Outcome.Action() == b.Outcome.Action() })
}

// Words describes the decision on one line: the answer, and the changes to the
// message.
func (d Decision) Words() string {
	w := append([]string{d.Action()}, d.Changes()...)
	if d.Reply.Code != 0 {
		w[0] += fmt.Sprintf(" %d %s", d.Reply.Code, d.Reply.Enhanced)
	}
	return strings.Join(w, ", ")
}

// Changes describes the changes to the message or its envelope in words.
func (d Decision) Changes() []string {
	var w []string
	if d.Tag != "" {
		w = append(w, "tag "+d.Tag)
	}
	w = appendList(w, "banner", d.Banners)
	for _, h := range d.Headers {
		w = append(w, "header "+h.Name+": "+h.Value)
	}
	for _, e := range d.Edits {
		w = append(w, fmt.Sprintf("%s a part (rule %s)", e.Kind, e.Rule.Name))
	}
	w = appendList(w, "without", d.Drop)
	return appendList(w, "also to", d.Add)
}
