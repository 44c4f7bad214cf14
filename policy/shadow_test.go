package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

func asCondition(t *testing.T, s string) Condition {
	t.Helper()
	var c Condition
	if err := c.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ruleOf makes a rule of words: "to:ADDRESS", "not:CONDITION", "requires:CONDITION", an
// action, or a condition.
func ruleOf(t *testing.T, text string) Rule {
	t.Helper()
	var r Rule
	for _, w := range strings.Split(text, "; ") {
		key, value, _ := strings.Cut(w, ":")
		switch key {
		case "":
		case "to":
			p, err := ParseAddressPattern(value)
			if err != nil {
				t.Fatal(err)
			}
			r.Scope.To = append(r.Scope.To, p)
		case "in":
			r.Scope.Direction = Inbound
		case "not":
			r.Grounds.Unless = append(r.Grounds.Unless, asCondition(t, value))
		case "requires":
			r.Grounds.Requires = append(r.Grounds.Requires, asCondition(t, value))
		case "reject":
			r.Outcome = refuse
		case "watch":
			r.Mode = Watches
		default:
			r.Grounds.When = append(r.Grounds.When, asCondition(t, w))
		}
	}
	return r
}

func TestHides(t *testing.T) {
	for _, c := range []struct {
		first, second string
		want          bool
	}{
		{"reject", "virus/x; to:a@b.example", true},
		{"reject; spam/x >= 5", "spam/x >= 5", true},
		{"reject; spam/x", "spam/x >= 5", true},
		{"reject; spam/*", "spam/x >= 5", true},
		{"reject; spam/x >= 5", "spam/x", false},
		{"reject; spam/x >= 5", "spam/x >= 4", false},
		{"", "spam/x", false}, // a pattern may be about a failure
		{"", "suspicious", true},
		{"", "infected", false},
		{"", "", false},
		{"reject", "", true},
		{"to:a@b.example; reject", "to:a@b.example; infected", true},
		{"to:a@b.example; reject", "infected", false},
		{"to:a@b.example; to:c@d.example; reject", "to:c@d.example", true},
		{"in; reject", "infected", false},
		{"reject", "in; infected", true},
		{"spam/*; reject", "spam/bayes", true},
		{"spam/bayes; reject", "spam/*", false},
		{"infected; suspicious; reject", "suspicious", true},
		{"infected; reject", "infected; suspicious", false},
		{"infected; not:spam/x; reject", "infected", false},
		{"infected; requires:spam/x; reject", "infected", false},
		{"infected; requires:spam/x; reject", "infected; requires:spam/x", true},
		{"watch; reject", "infected", false},
		{"reject", "watch; infected", false},
		{"score >= 5; reject", "score >= 6", false}, // not certain enough for us
		{"score >= 5; reject", "score >= 5", true},
		{"score >= own 5; reject", "score >= own 5", true},
		{"score >= own 5; reject", "score >= 5", false},
		{"score >= 5; reject", "score >= own 5", false},
	} {
		if got := ruleOf(t, c.first).Hides(ruleOf(t, c.second)); got != c.want {
			t.Errorf("%q hides %q: %v", c.first, c.second, got)
		}
	}
}

// TestShadows looks up every rule that hides another, among rules that name the same and others.
func TestShadows(t *testing.T) {
	var rules []Rule
	for _, from := range []string{"", "@a.example", "@b.example", "@a.example @b.example"} {
		for _, to := range []string{"", "x@c.example", "@c.example"} {
			for _, client := range []string{"", "192.0.2.0/24", "2001:db8::1"} {
				rules = append(rules, Rule{Outcome: Outcome{Answer: Reject},
					Scope: Scope{From: patterns(strings.Fields(from)...), To: patterns(strings.Fields(to)...), Client: clients(t, client)}})
			}
		}
	}
	long := Rule{Outcome: Outcome{Answer: Reject}}
	for i := range mostNamed {
		long.Scope.From = append(long.Scope.From, patterns(fmt.Sprintf("@%d.example", i))...)
	}
	long.Scope.From = append(long.Scope.From, patterns("@a.example")...)
	rules = append(rules, long)
	var all Shadows
	for i, r := range rules {
		all.Add(i, r)
	}
	hidden, compared := 0, 0
	for _, other := range rules {
		over := all.Over(other)
		compared += len(over)
		for i, r := range rules {
			if r.Hides(other) {
				hidden++
				if !slices.Contains(over, i) {
					t.Errorf("%+v hides %+v and is not looked up for it", r.Scope, other.Scope)
				}
			}
		}
		if !slices.IsSorted(over) {
			t.Errorf("%v is in no order", over)
		}
	}
	if hidden <= len(rules) || compared >= len(rules)*len(rules) {
		t.Errorf("%d rules, %d are hidden, %d were compared", len(rules), hidden, compared)
	}
}

func clients(t *testing.T, text string) (list []Network) {
	t.Helper()
	for _, word := range strings.Fields(text) {
		var n Network
		if err := n.UnmarshalText([]byte(word)); err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}

func TestImpossible(t *testing.T) {
	catalogue := []scan.Rule{{Name: "virus/*", Kind: scan.Infected}, {Name: "spam/bayes", Kind: scan.Suspicious}}
	for text, want := range map[string]string{
		"":                                "",
		"virus/x; spam/*; score >= 5":     "",
		"spam/bays":                       "spam/bays is no finding",
		"forbidden":                       "forbidden is no finding",
		"not:content/x":                   "content/x is no finding",
		"requires:spam/bayes; not:spam/*": "rules it out",
		"requires:score >= 5; requires:score < 3":     "no score",
		"requires:score >= 5; requires:score <= 5":    "",
		"requires:score >= own 5; requires:score < 3": "",
		"requires:score > 5; requires:score <= 5":     "no score",
	} {
		got := ruleOf(t, text).Grounds.Impossible(catalogue)
		if got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNotTo(t *testing.T) {
	r := ruleOf(t, "reject")
	r.Scope.NotTo = ruleOf(t, "to:@quiet.example").Scope.To
	p, err := New([]Rule{r}, Local{})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]Answer{"a@quiet.example": Deliver, "a@loud.example": Reject} {
		if d := p.Decide(Input{Stage: scan.StageMessage, Envelope: scan.Envelope{Recipients: []string{to}}}); d.Answer != want {
			t.Errorf("%s: %s", to, d.Answer)
		}
	}
}
