package policy

import (
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// limited returns lists of people who have set limits.
func limited(limits map[string]float64) *book {
	b := newBook("block")
	b.limits = limits
	return b
}

// spamTo returns mail with a score to some recipients.
func spamTo(score float64, to ...string) Input {
	in := Input{Stage: scan.StageMessage, Found: []scan.Finding{{Kind: scan.Note, Scanner: "spam", Rule: "spam/x", Part: scan.WholeMessage, Score: score}}}
	in.Envelope.Sender, in.Envelope.Recipients = "ann@sender.example", to
	return in
}

// TestOwnLimit decides for each recipient by its own limit, for others by that of the rule.
func TestOwnLimit(t *testing.T) {
	const strict, usual, lax = "strict@ours.example", "usual@ours.example", "lax@ours.example"
	people := limited(map[string]float64{strict: 4, lax: 8.5})
	when := shipped("own", []Condition{ScoreAtLeastOwn(6)}, refuse)
	requires := shipped("own", named("spam/*"), refuse)
	requires.Grounds.Requires = []Condition{ScoreAtLeastOwn(6)}
	unless := shipped("own", named("spam/*"), refuse)
	unless.Grounds.Unless = []Condition{{compare: "<", limit: 6, own: true}}
	for name, r := range map[string]Rule{"when": when, "requires": requires, "unless": unless} {
		p := mustNew(t, []Rule{r})
		for _, c := range []struct {
			score   float64
			refused string // one letter for each who gets nothing
		}{{3.9, ""}, {4, "s"}, {5.9, "s"}, {6, "su"}, {8.4, "su"}, {8.5, "sul"}} {
			in := spamTo(c.score, strict, usual, lax)
			in.Lists = people
			d := p.Decide(in)
			got := ""
			for i, v := range d.Verdicts {
				if v.Outcome.Answer == Reject {
					got += v.Recipient[:1]
				}
				alone := in
				alone.Envelope.Recipients = in.Envelope.Recipients[i : i+1]
				if one := p.Decide(alone).Verdicts[0]; one.Outcome.Answer != v.Outcome.Answer {
					t.Errorf("%s, %v: alone %s hears %s, among others %s", name, c.score, v.Recipient, one.Outcome.Answer, v.Outcome.Answer)
				}
				if (v.Limit == nil) != (v.Recipient == usual) || v.Limit != nil && v.Limit.Score != people.limits[v.Recipient] {
					t.Errorf("%s, %v: the limit of %s is %+v", name, c.score, v.Recipient, v.Limit)
				}
			}
			if got != c.refused {
				t.Errorf("%s, %v: refused for %q, want %q", name, c.score, got, c.refused)
			}
		}
	}
}

// TestOwnLimitElsewhere is not asked for where no rule is about it, and known to no early stage.
func TestOwnLimitElsewhere(t *testing.T) {
	const bob = "bob@ours.example"
	own := shipped("own", []Condition{ScoreAtLeastOwn(6)}, refuse)
	own.Scope.To = []AddressPattern{pattern("amy@ours.example")}
	p := mustNew(t, []Rule{own, shipped("fixed", []Condition{ScoreAtLeast(5)}, marked)})
	in := spamTo(9, bob)
	in.Lists = limited(map[string]float64{bob: 1})
	if d := p.Decide(in); d.Answer != Deliver || d.Verdicts[0].Limit != nil {
		t.Errorf("%s, limit %+v", d.Answer, d.Verdicts[0].Limit)
	}
	own.Scope.To, own.Grounds.Requires = nil, []Condition{ScoreAtLeastOwn(6)}
	own.Grounds.When = named("spam/*")
	p = mustNew(t, []Rule{own})
	for _, s := range []scan.Stage{scan.StageConnect, scan.StageMail, scan.StageRcpt} {
		in.Stage = s
		if d := p.Decide(in); d.Answer != Deliver {
			t.Errorf("%v: %s", s, d.Answer)
		}
		if p.Refuses(s) {
			t.Errorf("%v: it may refuse", s)
		}
	}
	in.Stage, in.Lists = scan.StageMessage, nil
	if d := p.Decide(in); d.Answer != Reject || d.Verdicts[0].Limit != nil {
		t.Errorf("without lists: %s, %+v", d.Answer, d.Verdicts[0].Limit)
	}
}
