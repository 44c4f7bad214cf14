package policy

import (
	"slices"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// TestInfectedOutranksEverything has a virus in mail that is refused, held or
// deferred for other reasons as well: it gets what the rules say of infected mail.
func TestInfectedOutranksEverything(t *testing.T) {
	told := quarantine
	told.Notify = []string{"admin@ours.example"}
	viruses := func(o Outcome) Rule {
		return Rule{Ref: RuleRef{Name: "viruses"}, Grounds: Grounds{When: kind(scan.Infected)}, Outcome: o}
	}
	for _, c := range []struct {
		name   string
		policy *Policy
		found  []string
		want   string
		rule   string
	}{
		{"hosting, name", profile(t, ProfileHosting), []string{"exe", "virus"}, "quarantine", "hosting/infected"},
		{"hosting, name after it", profile(t, ProfileHosting), []string{"virus", "exe"}, "quarantine", "hosting/infected"},
		{"hosting, bomb", profile(t, ProfileHosting), []string{"bomb", "virus"}, "quarantine", "hosting/infected"},
		{"hosting, down", profile(t, ProfileHosting), []string{"down", "virus"}, "quarantine", "hosting/infected"},
		{"hosting, all", profile(t, ProfileHosting), []string{"exe", "spam", "macro", "virus", "damaged"}, "quarantine", "hosting/infected"},
		{"default", profile(t, ProfileDefault), []string{"exe", "virus"}, "reject", "default/infected"},
		{"strict", profile(t, ProfileStrict), []string{"exe", "virus", "untidy"}, "reject", "strict/infected"},
		{"held by an own rule", profile(t, ProfileDefault, viruses(Outcome{Answer: Hold})), []string{"exe", "virus"}, "hold", "viruses"},
		{"discarded and told", profile(t, ProfileDefault, viruses(told)), []string{"exe", "virus"}, "quarantine", "viruses"},
		{"let through by an own rule, not with a program", profile(t, ProfileDefault, viruses(deliver)), []string{"exe", "virus"}, "reject", "default/program"},
		{"only a name", profile(t, ProfileHosting), []string{"exe"}, "reject", "hosting/program"},
	} {
		d := c.policy.Decide(inbound(c.found...))
		v := d.Verdicts[0]
		if d.Action() != c.want || v.Rule.Name != c.rule || d.Rule != v.Rule {
			t.Errorf("%s: %s by %v (the mail: %v), want %s by %s", c.name, d.Action(), v.Rule, d.Rule, c.want, c.rule)
		}
		if i := slices.Index(c.found, "virus"); i >= 0 && c.rule != "default/program" && v.Because != i {
			t.Errorf("%s: because of %d, want the virus", c.name, v.Because)
		}
		for _, n := range d.Notices {
			if n.Audience == Administrator && (n.Finding != slices.Index(c.found, "virus") || n.Rule.Name != "viruses") {
				t.Errorf("%s: the notice is about %d by %v", c.name, n.Finding, n.Rule)
			}
		}
	}
}

// TestTheRuleThatDidSomethingIsNamed has mail that goes on: what was done to it
// comes before what let it through.
func TestTheRuleThatDidSomethingIsNamed(t *testing.T) {
	low := Rule{Ref: RuleRef{Name: "low score: marked"}, Grounds: Grounds{When: []Condition{ScoreAtLeast(3)}}, Outcome: Outcome{Tag: "{Spam?}"}}
	adds := low
	adds.Mode, adds.Ref.Name = Adds, "adds"
	watches := low
	watches.Mode, watches.Ref.Name = Watches, "watches"
	in := inbound()
	in.Found = []scan.Finding{{Kind: scan.Note, Scanner: "spam", Rule: "spam/sa/X", Part: scan.WholeMessage, Score: 4}}
	for _, c := range []struct {
		rules            []Rule
		named            string
		applied, watched []string
	}{
		{nil, "hosting/note", []string{"hosting/note"}, nil},
		{[]Rule{low}, "low score: marked", []string{"low score: marked", "hosting/note"}, nil},
		{[]Rule{adds}, "adds", []string{"adds", "hosting/note"}, nil},
		{[]Rule{watches}, "hosting/note", []string{"hosting/note"}, []string{"watches"}},
		{[]Rule{watches, low, adds}, "low score: marked", []string{"low score: marked", "hosting/note"}, []string{"watches"}},
	} {
		d := profile(t, ProfileHosting, c.rules...).Decide(in)
		v := d.Verdicts[0]
		if v.Rule.Name != c.named || d.Rule != v.Rule {
			t.Errorf("%v is named, want %s", v.Rule, c.named)
		}
		if got := refNames(v.Applied); !slices.Equal(got, c.applied) {
			t.Errorf("%v applied, want %v", got, c.applied)
		}
		if got := refNames(v.Watched); !slices.Equal(got, c.watched) {
			t.Errorf("%v watched, want %v", got, c.watched)
		}
	}
}

func refNames(list []RuleRef) []string {
	var names []string
	for _, r := range list {
		names = append(names, r.Name)
	}
	return names
}
