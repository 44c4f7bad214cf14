package config

import (
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// heldNotes returns a note for each rule that leaves mail to the MTA for which an engine has no verdict yet: when
// that comes, nothing but the quarantine can be released from.
func (c *Config) heldNotes() (notes Problems) {
	for _, v := range c.Virus {
		if !v.Later() {
			continue
		}
		pending := scan.Finding{Kind: scan.Failed, Rule: scan.PendingRule(virus.NameOf(v)), Part: scan.WholeMessage}
		for _, r := range c.allOwn() {
			if holds(r.compiled, pending) {
				notes = append(notes, note(r.origin, "rule.action",
					"%q leaves mail to the MTA for which engine %q has no verdict yet, and the "+
						"verdict cannot release it there; write action = \"quarantine\"", r.Name, v.Name))
			}
		}
	}
	return notes
}

// holds reports whether a rule has the MTA hold mail because of a finding.
func holds(r policy.Rule, f scan.Finding) bool {
	return r.Mode != policy.Watches && r.Outcome.Answer == policy.Hold &&
		slices.ContainsFunc(r.Grounds.When, func(c policy.Condition) bool { return c.Matches(f) })
}
