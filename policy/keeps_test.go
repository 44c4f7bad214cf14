package policy

import (
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// TestKeeps finds the rule that keeps a copy, also one that does so only where an edit
// cannot be made.
func TestKeeps(t *testing.T) {
	infected := Grounds{When: []Condition{OfKind(scan.Infected)}}
	for _, c := range []struct {
		outcome Outcome
		want    bool
	}{
		{Outcome{Answer: Reject}, false},
		{Outcome{Answer: Discard, Keep: true}, true},
		{Outcome{Edit: Replace}, false},
		{Outcome{Edit: Replace, Else: &Outcome{Answer: Reject}}, false},
		{Outcome{Edit: Replace, Else: &Outcome{Answer: Discard, Keep: true}}, true},
	} {
		p, err := New([]Rule{{Ref: RuleRef{Name: "other"}, Outcome: Outcome{Answer: Reject}}, {Ref: RuleRef{Name: "this"}, Grounds: infected, Outcome: c.outcome}}, Local{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Keeps() != c.want {
			t.Errorf("%+v: %v", c.outcome, !c.want)
		}
	}
}
