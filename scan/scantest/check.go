package scantest

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// words are the names a scanner may have, before any "/instance".
var words = []string{
	"mime", "archive", "virus", "attachment", "content", "spam", "auth", "relay", "greylist", "bounce", "rate", "recipient", "feed",
}

// Check compares the findings that s made in m with what the engine, the policy
// and the documentation expect of findings.
func Check(t testing.TB, s scan.Scanner, m *scan.Message, found []scan.Finding, rules ...scan.Rule) {
	t.Helper()
	for _, f := range found {
		if f.Scanner != word(s) {
			t.Errorf("finding %v: scanner is %q, want %q", f, f.Scanner, word(s))
		}
		if !strings.HasPrefix(f.Rule, f.Scanner+"/") || strings.ContainsFunc(f.Rule, unfit) {
			t.Errorf("finding %v: rule %q is not %s/name in printable ASCII without blanks", f, f.Rule, f.Scanner)
		}
		if f.Part < scan.WholeMessage || f.Part >= len(m.Parts) {
			t.Errorf("finding %v: there is no part %d", f, f.Part)
		}
		if math.IsNaN(f.Score) || math.IsInf(f.Score, 0) {
			t.Errorf("finding %v: score is not a number", f)
		}
		checkRule(t, f, rules)
	}
}

func checkRule(t testing.TB, f scan.Finding, rules []scan.Rule) {
	t.Helper()
	r, ok := lookup(rules, f.Rule)
	if !ok {
		t.Errorf("finding %v: rule %q is not in the catalogue", f, f.Rule)
		return
	}
	if r.Kind != f.Kind {
		t.Errorf("finding %v: rule %q is of kind %v in the catalogue", f, r.Name, r.Kind)
	}
}

// lookup prefers the exact name to a rule that ends in "/*".
func lookup(rules []scan.Rule, name string) (scan.Rule, bool) {
	if i := slices.IndexFunc(rules, func(r scan.Rule) bool { return r.Name == name }); i >= 0 {
		return rules[i], true
	}
	i := slices.IndexFunc(rules, func(r scan.Rule) bool {
		stem, open := strings.CutSuffix(r.Name, "*")
		return open && strings.HasPrefix(name, stem)
	})
	if i < 0 {
		return scan.Rule{}, false
	}
	return rules[i], true
}

func checkName(t *testing.T, s scan.Scanner) {
	if !slices.Contains(words, word(s)) {
		t.Errorf("name %q does not begin with one of %v", s.Name(), words)
	}
	if first, second := s.Name(), s.Name(); first != second {
		t.Errorf("the name changes from %q to %q", first, second)
	}
}

func word(s scan.Scanner) string {
	w, _, _ := strings.Cut(s.Name(), "/")
	return w
}

func unfit(r rune) bool { return r <= ' ' || r > '~' }
