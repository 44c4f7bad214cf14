package policy

import (
	"slices"

	"github.com/milterscan/milterscan/scan"
)

// PartFound is the rule of the findings that Named makes.
const PartFound = "policy/part"

// Named finds the parts that rules ask for by name and type alone: those with part
// and without when, as far as they may be for mail with such an envelope. A rule is
// about findings, and this gives it one about each part that it names.
func (p *Policy) Named(e scan.Envelope, parts []scan.Part) []scan.Finding {
	lists := p.named(e)
	if len(lists) == 0 {
		return nil
	}
	var found []scan.Finding
	for i, part := range parts {
		names := knownAs(part)
		if slices.ContainsFunc(lists, func(l partList) bool { return matchesAny(l.patterns, names) }) {
			found = append(found, scan.Finding{Kind: scan.Note, Scanner: "policy", Rule: PartFound, Part: i,
				Detail: "a rule asks for parts of this name or type"})
		}
	}
	return found
}

// named returns the patterns of rules for parts by name alone.
func (p *Policy) named(e scan.Envelope) []partList {
	if len(p.byName.rules) == 0 {
		return nil
	}
	var lists []partList
	seen := map[int]bool{}
	p.byName.each(e, func(r *rule) bool {
		if !seen[r.list] {
			seen[r.list] = true
			lists = append(lists, partList{r.list, r.parts})
		}
		return true
	})
	return lists
}

// byName reports whether the rule is for parts whatever is found in them.
func (r *rule) byName() bool { return len(r.parts) > 0 && len(r.Grounds.When) == 0 }
