package policy

import (
	"math"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// opinions are two engines' scores of one message, and the points of a list.
func opinions(sa, rspamd float64) []scan.Finding {
	of := func(rule string, score float64, opinion bool) scan.Finding {
		return scan.Finding{Scanner: "spam", Rule: rule, Part: scan.WholeMessage, Score: score, Opinion: opinion}
	}
	return []scan.Finding{of("spam/spamassassin", sa, true), of("spam/list/bl", 3, false), of("spam/rspamd", rspamd, true)}
}

// TestOpinions: of several engines the highest score counts, once; each can be asked for its own.
func TestOpinions(t *testing.T) {
	for _, c := range []struct {
		sa, rspamd, want float64
		shown            string
	}{
		{6, 9, 12, "spam/rspamd=9, spam/list/bl=3"},
		{9, 6, 12, "spam/spamassassin=9, spam/list/bl=3"},
		{-4, -1, 2, "spam/list/bl=3, spam/rspamd=-1"},
		{-4, 0, 3, "spam/list/bl=3"},
		{5, 5, 8, "spam/spamassassin=5, spam/list/bl=3"},
		{5, math.Inf(1), 8, "spam/spamassassin=5, spam/list/bl=3"},
	} {
		found := opinions(c.sa, c.rspamd)
		if got := Score(found); got != c.want {
			t.Errorf("%g and %g: score %g, want %g", c.sa, c.rspamd, got, c.want)
		}
		if got := scored(found); got != c.shown {
			t.Errorf("%g and %g: made of %q, want %q", c.sa, c.rspamd, got, c.shown)
		}
	}
}

// TestOwnScore: a condition with a name and a comparison asks for the score of one finding.
func TestOwnScore(t *testing.T) {
	for text, want := range map[string]Answer{
		"spam/rspamd >= 9": Reject, "spam/rspamd > 9": Deliver, "spam/spamassassin >= 9": Deliver, "spam/spamassassin < 7": Reject,
		"spam/* >= 9": Reject, "spam/* >= 10": Deliver, "spam/list/* >= 3": Reject, "spam/gone < 5": Deliver, "score >= 12": Reject,
	} {
		for name, g := range map[string]Grounds{"when": {When: []Condition{condition(t, text)}}, "requires": {Requires: []Condition{condition(t, text)}}} {
			p, err := New([]Rule{{Grounds: g, Outcome: refuse}}, Local{})
			if err != nil {
				t.Fatal(err)
			}
			in := Input{Stage: scan.StageMessage, Found: opinions(6, 9)}
			if got := p.Decide(in).Answer; got != want {
				t.Errorf("%s %q: %v, want %v", name, text, got, want)
			}
		}
	}
}

// TestOwnScoreImpossible: what one engine cannot say at once is said to be impossible, and
// what two findings may say is not.
func TestOwnScoreImpossible(t *testing.T) {
	catalogue := []scan.Rule{{Name: "spam/rspamd"}, {Name: "spam/spamassassin"}}
	for _, c := range []struct {
		low, high string
		possible  bool
	}{
		{"spam/rspamd >= 9", "spam/rspamd < 9", false},
		{"spam/rspamd >= 9", "spam/rspamd < 10", true},
		{"spam/rspamd >= 9", "spam/spamassassin < 5", true},
		{"spam/* >= 9", "spam/* < 5", true},
		{"score >= 9", "spam/rspamd < 5", true},
	} {
		g := Grounds{Requires: []Condition{condition(t, c.low), condition(t, c.high)}}
		if why := g.Impossible(catalogue); (why == "") != c.possible {
			t.Errorf("%s and %s: %q", c.low, c.high, why)
		}
	}
}
