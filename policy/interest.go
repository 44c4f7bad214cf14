package policy

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Interest is the rules that rest on the score or show it, or name one of some
// findings. A scanner of these need not look at a message that no such rule is for.
type Interest struct {
	policy *Policy
	rules  []*rule
}

// Interest returns the interest in the score and in the findings listed. A rule for
// a whole kind of finding, as profiles have, shows none in particular.
func (p *Policy) Interest(listed []scan.Rule) Interest {
	i := Interest{policy: p}
	for _, r := range p.rules {
		if r.byList && r.opens() && r.Outcome.silent() {
			continue // what only lets pass needs no scanner
		}
		all := slices.Concat(r.Grounds.When, r.Grounds.Requires, r.Grounds.Unless)
		if r.Outcome.showsScore() || slices.ContainsFunc(all, func(c Condition) bool { return c.names(listed) }) {
			i.rules = append(i.rules, r)
		}
	}
	return i
}

// showsScore reports whether the outcome writes the score into a header.
func (o Outcome) showsScore() bool {
	shows := func(h HeaderField) bool {
		return strings.Contains(h.Value, "{score}") || strings.Contains(h.Value, "{bar}") || strings.Contains(h.Value, "{scored}")
	}
	return slices.ContainsFunc(o.Headers, shows) || o.Else != nil && o.Else.showsScore()
}

// names reports whether the condition is about the score or the name of a finding
// that is listed.
func (c Condition) names(listed []scan.Rule) bool {
	return c.AboutScore() || c.pattern != "" && c.CanMatch(listed)
}

// Covers reports whether any of the rules may be for mail with such an envelope.
func (i Interest) Covers(e scan.Envelope) bool {
	if len(i.rules) == 0 {
		return false
	}
	f := i.policy.facts(Input{Stage: scan.StageRcpt, Envelope: e, People: anyPeople{}, Lists: anyLists{}})
	var to []recipient
	for _, a := range e.Recipients {
		to = append(to, f.recipient(a))
	}
	if len(to) == 0 {
		to = []recipient{f.towards(recipient{known: true})} // as in a file
	}
	return slices.ContainsFunc(i.rules, func(r *rule) bool {
		return r.forMail(f) != no && slices.ContainsFunc(to, func(to recipient) bool { return r.forRecipient(f, to) != no })
	})
}

// Any reports whether there is any mail that a rule may be for.
func (i Interest) Any() bool { return len(i.rules) > 0 }
