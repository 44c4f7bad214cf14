package policy

import (
	"cmp"
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// mostUnmade bounds how many edits a decision names that cannot be made.
const mostUnmade = 50

// unmade returns the edits that rules ask for of parts that none can be made of, whose Else
// was done: by part and kind, each once. Those that were tried in vain are not among them.
func (f *facts) unmade(all []judged) []Edit {
	var list []Edit
	seen := map[*judgement]bool{}
	for _, j := range all {
		if !seen[j.judgement] {
			seen[j.judgement] = true
			list = append(list, f.unmadeFor(j.judgement)...)
		}
	}
	slices.SortStableFunc(list, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Kind, b.Kind)) })
	list = slices.CompactFunc(list, func(a, b Edit) bool { return a.Part == b.Part && a.Kind == b.Kind })
	return list[:min(len(list), mostUnmade)]
}

// unmadeFor returns those that are asked for because of one judgement, each once for a part.
func (f *facts) unmadeFor(j *judgement) (list []Edit) {
	type wish struct {
		part int
		kind EditKind
	}
	known := map[wish]bool{}
	for _, g := range j.grounds {
		kind := g.rule.Outcome.Edit
		if kind == NoEdit || g.subject == itself || g.outcome == &g.rule.Outcome {
			continue
		}
		f.steps += len(f.groups[g.subject].members)
		for _, i := range f.groups[g.subject].members {
			if w := (wish{f.in.Found[i].Part, kind}); !known[w] && f.untouchable(w.part) {
				known[w] = true
				list = append(list, Edit{Kind: kind, Part: w.part, Rule: g.rule.Ref})
			}
		}
	}
	return list
}

// untouchable reports whether no edit can be made of a part.
func (f *facts) untouchable(part int) bool {
	return part < 0 || f.fixed[scan.WholeMessage] == allEdits || f.fixed[part] == allEdits
}
