package judge

import (
	"cmp"
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// recorder writes down what a record lists of a result.
type recorder struct {
	*Result
	listed map[int]int // where the record has a finding, by its place among all
	room   int         // matches that were listed
	rec    policy.Record
}

// findings lists the findings, all if there are not too many: else those that
// verdicts rest on, some of every rule, and then whatever comes first.
func (w *recorder) findings() []policy.RecordFinding {
	list := make([]policy.RecordFinding, 0, min(len(w.Found), maxFindings))
	for _, i := range w.worthListing() {
		w.listed[i] = len(list)
		list = append(list, w.finding(i))
	}
	return list
}

// worthListing picks findings, in their order.
func (w *recorder) worthListing() []int {
	order := make([]int, len(w.Found))
	for i := range order {
		order[i] = i
	}
	if len(order) <= maxFindings {
		return order
	}
	rank := make([]int, len(w.Found))
	ofRule := map[string]int{}
	for i, f := range w.Found {
		ofRule[f.Rule]++
		rank[i] = ofRule[f.Rule] // the first of each rule, then the second of each …
	}
	for _, v := range w.Decision.Verdicts {
		if v.Because >= 0 {
			rank[v.Because] = 0
		}
	}
	for _, n := range w.Decision.Notices {
		if n.Finding >= 0 {
			rank[n.Finding] = 0
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank[a], rank[b]) })
	order = order[:maxFindings]
	slices.Sort(order)
	return order
}

func (w *recorder) finding(i int) policy.RecordFinding {
	f := w.Found[i]
	out := policy.RecordFinding{Kind: f.Kind, Scanner: f.Scanner, Rule: cut(f.Rule, maxSubject), Detail: cut(f.Detail, maxDetail),
		Score: f.Score, Recipient: f.Recipient}
	if w.Message == nil || f.Part < 0 || f.Part >= len(w.Message.Parts) {
		return out
	}
	p := w.Message.Parts[f.Part]
	out.Part, out.Name = cut(p.Path, maxDetail), cut(p.Name(), maxSubject)
	return out
}

// place returns where the record lists a finding, or -1.
func (w *recorder) place(finding int) int {
	if at, ok := w.listed[finding]; ok {
		return at
	}
	return scan.WholeMessage
}

// recipients lists what became of the message for each of them.
func (w *recorder) recipients(rec policy.Record) []policy.RecordRecipient {
	list := make([]policy.RecordRecipient, 0, len(w.Decision.Verdicts))
	for _, v := range w.Decision.Verdicts {
		if v.Recipient == "" && w.Stage < scan.StageRcpt {
			continue // no recipient has been named yet
		}
		to := policy.RecordRecipient{Recipient: v.Recipient, Action: v.Outcome.Action(), Rule: v.Rule.Name, Listed: v.Listed.Record(),
			Limit: v.Limit.Record()}
		if v.Because >= 0 {
			to.Because = rec.Finding(v.Because)
		}
		list = append(list, to)
	}
	return list
}

// verdicts puts recipients together who were treated alike.
func (w *recorder) verdicts(all []policy.Verdict) []policy.RecordVerdict {
	var list []policy.RecordVerdict
	index := map[*policy.Match]int{} // equal verdicts share their matches
	for _, v := range all {
		key := shared(v.Matches)
		if i, ok := index[key]; ok {
			list[i].Recipients = append(list[i].Recipients, v.Recipient)
			continue
		}
		if key != nil || v.More == 0 {
			index[key] = len(list)
		}
		list = append(list, w.verdict(v))
	}
	return list
}

// shared tells lists of matches apart that are not the same in memory.
func shared(m []policy.Match) *policy.Match {
	if len(m) == 0 {
		return nil
	}
	return &m[0]
}

func (w *recorder) verdict(v policy.Verdict) policy.RecordVerdict {
	out := policy.RecordVerdict{
		Recipients: []string{v.Recipient}, Action: v.Outcome.Action(), Kept: v.Outcome.Keep, Because: w.place(v.Because),
		Applied: ruleNames(v.Applied), Watched: ruleNames(v.Watched), More: v.More,
		Appeal: w.choice.invites && asked(v),
	}
	if v.Rule != (policy.RuleRef{}) {
		rule := policy.RecordRule(v.Rule)
		out.Rule = &rule
	}
	for i, m := range v.Matches {
		if m.Finding >= 0 && (i >= maxMatches || w.room >= maxListed) {
			out.More++
			continue
		}
		w.room++
		out.Matches = append(out.Matches, policy.RecordMatch{
			Rule: policy.RecordRule(m.Rule), Finding: w.place(m.Finding), Alike: m.Alike, Does: m.Outcome.String(),
			Decides: m.Decides, Observed: m.Observed, Lets: m.Outcome.Lets(),
		})
	}
	return out
}

func ruleNames(list []policy.RuleRef) []string {
	var names []string
	for _, r := range list {
		names = addNames(names, []string{r.Name})
	}
	return names
}

// alternatives returns those whose findings the record lists, with their places in it.
func (w *recorder) alternatives(all []policy.Alternative) []policy.Alternative {
	var list []policy.Alternative
	for _, a := range all {
		for i, f := range a.Findings {
			a.Findings[i] = w.place(f)
		}
		if !slices.Contains(a.Findings, scan.WholeMessage) {
			list = append(list, a)
		}
	}
	return list
}
