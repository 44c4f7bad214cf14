package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

func TestAlternatives(t *testing.T) {
	spam := func(score float64) scan.Finding {
		return scan.Finding{Kind: scan.Note, Scanner: "spam", Rule: "spam/x", Part: scan.WholeMessage, Score: score}
	}
	found := func(k scan.Kind, rule string) scan.Finding {
		return scan.Finding{Kind: k, Rule: rule, Part: scan.WholeMessage}
	}
	score := ruleOf(t, "score >= 5; reject")
	score.Ref.Name = "much spam"
	everything := ruleOf(t, "reject")
	everything.Ref.Name = "everything"
	for name, c := range map[string]struct {
		rules []Rule
		found []scan.Finding
		want  string
	}{
		"nothing":               {nil, nil, ""},
		"a note":                {nil, []scan.Finding{found(scan.Note, "mime/x")}, ""},
		"one virus":             {nil, []scan.Finding{found(scan.Note, "mime/x"), found(scan.Infected, "virus/x")}, "[1] [] deliver"},
		"two viruses":           {nil, []scan.Finding{found(scan.Infected, "virus/x"), found(scan.Note, "mime/x"), found(scan.Infected, "virus/y")}, "[0 2] [] deliver"},
		"a mark":                {nil, []scan.Finding{found(scan.Suspicious, "content/x")}, "[0] [] deliver"},
		"two marks":             {nil, []scan.Finding{found(scan.Suspicious, "content/x"), found(scan.Suspicious, "content/y")}, "[0] [] deliver, header X-Milterscan: content/y; [1] [] deliver, header X-Milterscan: content/x"},
		"a virus and a failure": {nil, []scan.Finding{found(scan.Infected, "virus/x"), found(scan.Failed, "virus/failed/y")}, "[0] [] tempfail 451 4.3.0"},
		"a rule for all":        {[]Rule{everything}, nil, "[] [everything] deliver"},
		"one large score":       {[]Rule{score}, []scan.Finding{spam(2), spam(9)}, "[1] [] deliver; [] [much spam] deliver"},
		"many small scores":     {[]Rule{score}, []scan.Finding{spam(3), spam(3), spam(3)}, "[] [much spam] deliver"},
	} {
		p := profile(t, ProfileDefault, c.rules...)
		in := inbound()
		in.Found = c.found
		var got []string
		all, cut := p.Alternatives(in, p.Decide(in), func() bool { return false })
		if cut {
			t.Error("cut though it was not late")
		}
		for _, a := range all {
			got = append(got, fmt.Sprint(a.Findings, a.Rules, " ", a.Then))
		}
		if text := strings.ReplaceAll(strings.Join(got, "; "), "] [", "] ["); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

// TestAlternativesEndWithTheTime tries no more once it is late, and says so.
func TestAlternativesEndWithTheTime(t *testing.T) {
	p := profile(t, ProfileDefault)
	in := inbound()
	in.Found = []scan.Finding{{Kind: scan.Suspicious, Rule: "content/x", Part: scan.WholeMessage}, {Kind: scan.Suspicious, Rule: "content/y", Part: scan.WholeMessage}}
	for tries, want := range []int{0, 1} {
		asked := 0
		list, cut := p.Alternatives(in, p.Decide(in), func() bool { asked++; return asked > tries })
		if len(list) != want || !cut {
			t.Errorf("late after %d tries: %d alternatives, cut %v", tries, len(list), cut)
		}
	}
}

// However much there is to find, only so many decisions are made.
func TestAlternativesAreBounded(t *testing.T) {
	p := profile(t, ProfileDefault)
	in := inbound()
	for i := range 20_000 {
		in.Found = append(in.Found, scan.Finding{Kind: scan.Infected, Rule: fmt.Sprint("virus/", i), Part: scan.WholeMessage, Score: 1})
	}
	w := &whatIf{policy: p, in: in, left: 3}
	d := p.Decide(in)
	w.was = d
	if _, _, ok := w.enough(d); ok || w.left != 0 {
		t.Errorf("%d decisions are left of 3", w.left)
	}
}
