package policy

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/milterscan/milterscan/scan"
)

// many is mail made to cost: findings of some rules, all in parts of their own, to
// recipients with rules of their own.
type many struct {
	findings, names, parts, recipients, rules int
	own                                       func(i int) Rule // of the i-th recipient's domain
}

func (m many) String() string {
	return fmt.Sprintf("%d findings of %d names in %d parts, %d recipients, %d rules", m.findings, m.names, m.parts, m.recipients, m.rules)
}

func (m many) policy(t testing.TB) *Policy {
	var rules []Rule
	for i := range m.recipients {
		r := m.own(i)
		r.Ref.Name, r.Scope.To = fmt.Sprint("own ", i), []AddressPattern{pattern(fmt.Sprintf("@d%d.example", i))}
		rules = append(rules, r)
	}
	for i := range m.rules {
		rules = append(rules, Rule{Ref: RuleRef{Name: fmt.Sprint("general ", i)}, Grounds: Grounds{When: []Condition{Named(fmt.Sprintf("spam/x%d", i))}}, Outcome: marked})
	}
	hosting, err := Profile(ProfileHosting)
	if err != nil {
		t.Fatal(err)
	}
	return mustNew(t, append(rules, hosting...))
}

func (m many) input() Input {
	in := inbound()
	in.Parts, in.Envelope.Recipients, in.Found = nil, nil, nil
	for i := range m.parts {
		in.Parts = append(in.Parts, scan.Part{Parent: -1, Path: fmt.Sprint("1/", i), Names: []string{fmt.Sprintf("%d-%b.docx", i, i)}})
	}
	for i := range m.findings {
		in.Found = append(in.Found, scan.Finding{
			Kind: scan.Forbidden, Scanner: "attachment", Rule: fmt.Sprintf("attachment/x%d", i%m.names), Part: i % m.parts, Detail: fmt.Sprint("finding ", i),
		})
	}
	for i := range m.recipients {
		in.Envelope.Recipients = append(in.Envelope.Recipients, fmt.Sprintf("u@d%d.example", i))
	}
	return in
}

// bound is what a decision on such mail may cost: never findings times recipients.
func (m many) bound(lists int) int {
	groups := min(m.names<<min(lists, 8), maxGroups+m.names) + 1
	rules := m.rules + 30 + 1 // the general ones, those of the profile, and the own one
	return 4*m.findings + m.parts*lists + m.recipients*(2*rules+1) + m.recipients*groups*rules + (lists+1)*m.findings*2
}

// ways are rules a domain may have of its own.
var ways = map[string]func(int) Rule{
	"delivers": func(int) Rule {
		return Rule{Grounds: Grounds{When: named("attachment/*")}, Outcome: Outcome{Tag: "{Program?}"}}
	},
	"tags": func(i int) Rule { return Rule{Outcome: Outcome{Tag: fmt.Sprint(i)}, Mode: Adds} },
	"edits": func(int) Rule {
		return Rule{Grounds: Grounds{When: named("attachment/*")}, Outcome: Outcome{Edit: Replace}}
	},
	"shows": func(i int) Rule {
		h := []HeaderField{{fmt.Sprint("X-", i), "{detail} {scored}"}}
		return Rule{Grounds: Grounds{When: named("attachment/x1*")}, Outcome: Outcome{Headers: h}, Mode: Adds}
	},
	"rejects": func(int) Rule {
		return Rule{Grounds: Grounds{When: named("attachment/*")}, Outcome: Outcome{Answer: Reject}}
	},
	"parts": func(int) Rule {
		return Rule{Grounds: Grounds{When: named("attachment/*"), Part: []string{"*1.docx"}}, Outcome: Outcome{Edit: Replace, Else: &Outcome{Answer: Discard}}}
	},
	"notifies": func(int) Rule {
		return Rule{Grounds: Grounds{When: named("attachment/*")}, Outcome: Outcome{Answer: Reject, Notify: []string{"x@ours.example"}}}
	},
}

func TestDecisionsCostNoMoreThanTheirBound(t *testing.T) {
	for name, own := range ways {
		for _, m := range []many{
			{18_000, 2, 9_000, 1, 0, own},
			{18_000, 2, 9_000, 100, 0, own},
			{9_900, 1, 9_900, 1000, 20, own},
			{5_000, 100, 10_000, 100, 50, own},
			{1_000, 900, 100, 100, 10, own},
			{10, 10, 10, 1000, 10, own},
		} {
			p, in := m.policy(t), m.input()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, steps := p.decide(&in)
			runtime.ReadMemStats(&after)
			if bound := m.bound(1); steps > bound {
				t.Errorf("%s, %v: %d steps, more than %d", name, m, steps, bound)
			}
			if len(d.Verdicts) != m.recipients || matches(d) > maxMatches {
				t.Errorf("%s, %v: %d verdicts with %d matches", name, m, len(d.Verdicts), matches(d))
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 120 {
				t.Errorf("%s, %v: %d MB", name, m, mb)
			}
			if name == "edits" && len(d.Edits) != min(m.findings, m.parts) {
				t.Errorf("%v: only %d parts are edited", m, len(d.Edits))
			}
		}
	}
}

// matches counts those that are listed, shared ones once.
func matches(d Decision) int {
	seen, n := map[*Match]bool{}, 0
	for _, v := range d.Verdicts {
		if len(v.Matches) > 0 && !seen[&v.Matches[0]] {
			seen[&v.Matches[0]] = true
			n += len(v.Matches)
		}
	}
	return n
}

// TestWhatWouldHaveBeenIsBounded looks at the decisions made for an explanation.
func TestWhatWouldHaveBeenIsBounded(t *testing.T) {
	for name, own := range ways {
		m := many{4_900, 3, 4_900, 100, 20, own}
		p, in := m.policy(t), m.input()
		d := p.Decide(in)
		w := newWhatIf(p, in, d)
		w.enough(d)
		if w.steps < -2*m.bound(1) {
			t.Errorf("%s: %d steps too many", name, -w.steps)
		}
	}
}

// TestMixedGroupsAreJudgedStrictly has more groups than are told apart: a rule that
// lets some parts through must not let the others through with them.
func TestMixedGroupsAreJudgedStrictly(t *testing.T) {
	var rules []Rule
	for i := range 12 { // each makes two classes of every class
		r := Rule{Ref: RuleRef{Name: fmt.Sprint(i)}, Grounds: Grounds{When: named("attachment/*"), Part: []string{fmt.Sprintf("*x%d.*", i)}}, Mode: Watches}
		rules = append(rules, r)
	}
	allow := Rule{Ref: RuleRef{Name: "allow"}, Grounds: Grounds{When: named("attachment/*"), Part: []string{"*.good"}}}
	p := mustNew(t, append(rules, allow, Rule{Ref: RuleRef{Name: "deny"}, Grounds: Grounds{When: named("attachment/*")}, Outcome: refuse}))
	for _, bad := range []int{0, 1, 999, 2000, 3999} {
		in := inbound()
		in.Parts, in.Found = nil, nil
		for i := range 4000 {
			name := "f."
			for bit := range 12 {
				if i>>bit&1 == 1 {
					name += fmt.Sprintf("x%d.", bit)
				}
			}
			name += "good"
			if i == bad {
				name += ".exe"
			}
			in.Parts = append(in.Parts, scan.Part{Parent: -1, Names: []string{name}})
			in.Found = append(in.Found, scan.Finding{Kind: scan.Forbidden, Rule: "attachment/name", Part: i})
		}
		if d := p.Decide(in); d.Answer != Reject {
			t.Errorf("part %d is let through with the others", bad)
		}
		in.Found = append(in.Found[:bad:bad], in.Found[bad+1:]...)
		if d := p.Decide(in); d.Answer != Deliver {
			t.Errorf("all good parts: %v", d.Answer)
		}
	}
}

// TestNamesAreMatchedOnce decides again and again about the same parts: what their
// names match is worked out the first time only.
func TestNamesAreMatchedOnce(t *testing.T) {
	m := many{findings: 1000, names: 3, parts: 1000, recipients: 3, own: ways["parts"]}
	p, in := m.policy(t), m.input()
	w := newWhatIf(p, in, p.Decide(in))
	var costs [3]int
	for i := range costs {
		before := w.steps
		w.without(nil)
		costs[i] = before - w.steps
	}
	lists := len(w.in.listed)
	if lists == 0 || costs[1] != costs[2] || costs[0]-costs[1] != lists*m.parts {
		t.Errorf("decisions cost %v steps: %d lists are matched with %d parts more than once, or never", costs, lists, m.parts)
	}
}
