package scan

import (
	"strings"
	"testing"
)

// TestSieveKeepsWhatMatters feeds a sieve with more than it keeps: what is about a
// part, a recipient or of a kind that nothing else is about must come through.
func TestSieveKeepsWhatMatters(t *testing.T) {
	type shape struct{ rules, parts, repeats, detail int }
	for _, c := range []shape{{1, 1, 10, 10}, {1, 10_000, 1, 5000}, {1, 1, 10_000, 5000}, {30, 300, 10, 5000}, {3, 300, 100, 100}} {
		var s Sieve
		all, score := map[[2]any]bool{}, 0.0
		for range c.repeats {
			for part := range c.parts {
				for rule := range c.rules {
					name := strings.Repeat("r", rule+1)
					s.Add(Finding{Kind: Forbidden, Rule: name, Part: part, Detail: strings.Repeat("ä", c.detail), Score: 0.5})
					all[[2]any{name, part}] = true
					score += 0.5
				}
			}
		}
		bytes, got := 0, 0.0
		for _, f := range s.Findings() {
			delete(all, [2]any{f.Rule, f.Part})
			bytes += len(f.Detail)
			got += f.Score
		}
		if len(all) > 0 || got != score {
			t.Errorf("%+v: %d findings are lost, the score is %v of %v", c, len(all), got, score)
		}
		if n := len(s.Findings()); n > c.rules*(wholeFindings+c.parts+1) || bytes > c.rules*(wholeFindings+1)*(longestDetail+3) {
			t.Errorf("%+v: %d findings with %d bytes are kept", c, n, bytes)
		}
	}
}

func TestSieveSaysHowManyMore(t *testing.T) {
	many := make([]Finding, 1000)
	for i := range many {
		many[i] = Finding{Kind: Suspicious, Rule: "content/link-look-alike", Part: 2}
	}
	many = append(many, Finding{Kind: Suspicious, Rule: "content/link-look-alike", Part: 3}, Finding{Kind: Infected, Rule: "content/link-look-alike", Part: 2})
	found := sieved(many)
	last := found[len(found)-1]
	if len(found) != wholeFindings+3 || last.Rule != MoreFindings || last.Detail != "800 more of content/link-look-alike" {
		t.Errorf("%d findings, the last is %+v", len(found), last)
	}
	if found[len(found)-2].Kind != Infected || found[len(found)-3].Part != 3 {
		t.Error("what is about something else was left out")
	}
}

func TestFailuresAreNotCut(t *testing.T) {
	if long := strings.Repeat("x", 5000); sieved([]Finding{{Kind: Failed, Rule: "virus/failed", Detail: long}})[0].Detail != long {
		t.Error("the detail of a failure was cut")
	}
}
