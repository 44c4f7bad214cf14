package policy

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Interest is the rules that rest on the score or show it, or name one of some
// findings. A scanner of these need not look at a message that no such rule is for.
type Interest struct{ some }

// some are some of a policy's rules, which are looked up by the envelope of a mail.
type some struct {
	policy *Policy
	rules  []*rule
	index  index
}

// some returns the rules that are wanted.
func (p *Policy) some(wanted func(*rule) bool) some {
	s := some{policy: p}
	for _, r := range p.rules {
		if wanted(r) {
			s.rules = append(s.rules, r)
		}
	}
	s.index = newIndex(s.rules, scopeFields)
	return s
}

// each calls do for each rule that may be for mail with such an envelope, once or more often, until it returns false.
func (s some) each(e scan.Envelope, do func(*rule) bool) {
	f := s.policy.facts(&Input{Stage: scan.StageRcpt, Envelope: e, People: anyPeople{}, Lists: anyLists{}})
	var to []recipient
	for _, a := range e.Recipients {
		to = append(to, f.recipient(a))
	}
	if len(to) == 0 {
		to = []recipient{f.towards(recipient{known: true})} // as in a file
	}
	general := s.index.general(f)
	for _, to := range to {
		for _, place := range merged(general, s.index.personal(f, to)) {
			r := s.policy.rules[place]
			if s.policy.general(f, r) != no && r.forRecipient(f, to) != no && !do(r) {
				return
			}
		}
	}
}

// Interest returns the interest in the score and in the findings listed. A rule for
// a whole kind of finding, as profiles have, shows none in particular.
func (p *Policy) Interest(listed []scan.Rule) Interest {
	return Interest{p.some(func(r *rule) bool {
		if r.byList && r.opens() && r.Outcome.silent() {
			return false // what only lets pass needs no scanner
		}
		all := slices.Concat(r.Grounds.When, r.Grounds.Requires, r.Grounds.Unless)
		return r.Outcome.showsScore() || slices.ContainsFunc(all, func(c Condition) bool { return c.names(listed) })
	})}
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
func (i Interest) Covers(e scan.Envelope) (covers bool) {
	if i.Any() {
		i.each(e, func(*rule) bool { covers = true; return false })
	}
	return covers
}

// Any reports whether there is any mail that a rule may be for.
func (i Interest) Any() bool { return len(i.rules) > 0 }
