package policy

import (
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// foresee works out what mails are asked about the rules again and again.
func (p *Policy) foresee() {
	for _, r := range p.rules {
		for s := range p.refuses {
			may := r.mayRefuse(scan.Stage(s))
			p.refuses[s] = p.refuses[s] || may && !r.byList
			p.refusesListed[s] = p.refusesListed[s] || may && r.byList
		}
		p.edits = p.edits || r.Outcome.Edit != NoEdit || r.Outcome.Banner != ""
	}
}

// RefusesOn reports whether Decide may refuse at RCPT for any of some findings.
// Where it does not, the pipeline need not wait there for the scanner that makes
// them. A finding is followed down the rules to the first that decides about it in
// any mail.
func (p *Policy) RefusesOn(listed []scan.Rule) bool {
	return slices.ContainsFunc(listed, func(l scan.Rule) bool {
		for _, r := range p.rules {
			switch {
			case r.Mode != Decides:
			case r.refusesOn(l):
				return true
			case r.settles(l):
				return false
			}
		}
		return false
	})
}

// refusesOn reports whether the rule may refuse for a finding before the message
// is there.
func (r *rule) refusesOn(l scan.Rule) bool {
	late := r.waits() || len(r.Scope.HeaderFrom)+len(r.parts)+len(r.Grounds.Unless) > 0 || r.Scope.Size != (SizeRange{})
	about := func(c Condition) bool { return c.aboutFinding() && c.CanMatch([]scan.Rule{l}) }
	return r.Outcome.mayRefuse() && !late && (slices.ContainsFunc(r.Grounds.When, about) || slices.ContainsFunc(r.Grounds.Requires, about))
}

// mayRefuse reports whether the outcome, or what becomes of an edit that cannot be
// made, is a refusal.
func (o Outcome) mayRefuse() bool {
	if o.Answer == Reject || o.Answer == Tempfail {
		return true
	}
	return o.Edit != NoEdit && (o.Else == nil || o.Else.mayRefuse())
}

// settles reports whether the rule decides about a finding whatever mail it is in.
func (r *rule) settles(l scan.Rule) bool {
	if len(r.Scope.words())+len(r.parts)+len(r.Grounds.Requires)+len(r.Grounds.Unless)+len(r.Grounds.Not) > 0 {
		return false
	}
	if r.blanket() {
		return !r.opens() || l.Kind != scan.Infected && l.Kind != scan.Failed
	}
	return slices.ContainsFunc(r.Grounds.When, func(c Condition) bool {
		// An open name is met by one as open, and what the score will be is not known.
		return c.compare == "" && c.matches(scan.Finding{Kind: l.Kind, Rule: l.Name})
	})
}
