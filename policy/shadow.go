package policy

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Hides reports whether r decides all that other could: every mail and every
// finding other is for, r is for as well. If r comes first, other
// never decides anything. Where that is not certain Hides reports false.
func (r Rule) Hides(other Rule) bool {
	if r.Mode != Decides || other.Mode == Watches || r.Outcome.Answer == Deliver && r.Scope.bySender() {
		return false
	}
	return r.Scope.covers(other.Scope) && r.Grounds.covers(other.Grounds, r.Outcome.Answer == Deliver)
}

// LeavesGrave reports whether r delivers, without naming findings, all that other is for
// but viruses and failures: of these alone other can decide.
func (r Rule) LeavesGrave(other Rule) bool {
	if r.Mode != Decides || r.Outcome.Answer != Deliver || len(r.Grounds.When) > 0 || other.Mode == Watches || r.Scope.bySender() {
		return false
	}
	return r.Scope.covers(other.Scope) && r.Grounds.covers(other.Grounds, false)
}

// Shadows finds, among rules in their order, those that may be for all that another is for. A rule that names
// senders, recipients or clients can only be that for rules that name the same, and is looked up by
// them: ten thousand rules are not compared with each other. The zero value has no rules.
type Shadows struct {
	wide []int         // places of the rules that name none, or very many
	by   map[any][]int // places of the others, by what they name
}

// mostNamed bounds what one rule is looked up by: lists in files may be long, and then are few. A mail is looked
// up in such a list itself.
const mostNamed = 1000

// What rules are looked up by.
type (
	senderKey    AddressPattern
	recipientKey AddressPattern
	clientKey    Network
)

// names returns what a scope names first of all: senders, or else recipients, or else clients.
func (s Scope) names() (list []any) {
	switch {
	case len(s.From)+len(s.To)+len(s.Client) > mostNamed:
		return nil
	case len(s.From) > 0:
		for _, v := range s.From {
			list = append(list, senderKey(v))
		}
	case len(s.To) > 0:
		for _, v := range s.To {
			list = append(list, recipientKey(v))
		}
	default:
		for _, v := range s.Client {
			list = append(list, clientKey(v))
		}
	}
	return list
}

// Add adds the rule at a place, which comes after those added before.
func (s *Shadows) Add(place int, r Rule) {
	names := r.Scope.names()
	if len(names) == 0 {
		s.wide = append(s.wide, place)
		return
	}
	if s.by == nil {
		s.by = map[any][]int{}
	}
	for _, n := range names {
		s.by[n] = append(s.by[n], place)
	}
}

// Over returns the places of the rules that may be for all that other is for, in order.
func (s *Shadows) Over(other Rule) []int {
	list := slices.Clone(s.wide)
	if all := other.Scope.From; len(all) > 0 {
		list = append(list, s.by[senderKey(all[0])]...)
	}
	if all := other.Scope.To; len(all) > 0 {
		list = append(list, s.by[recipientKey(all[0])]...)
	}
	if all := other.Scope.Client; len(all) > 0 {
		list = append(list, s.by[clientKey(all[0])]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// covers reports whether every mail in the scope other is in s.
func (s Scope) covers(other Scope) bool {
	return (s.Direction == 0 || other.Direction != 0 && other.Direction&^s.Direction == 0) &&
		holdsAll(s.Client, other.Client) && holdsAll(s.From, other.From) && holdsAll(s.To, other.To) && len(s.NotTo) == 0 &&
		holdsAll(s.Auth, other.Auth) && len(s.HeaderFrom) == 0 && (s.Size == SizeRange{} || s.Size == other.Size) &&
		!s.Lists.any() && holdsAll(s.Hours, other.Hours) &&
		holdsAll(s.Country, other.Country) && holdsAll(s.ASN, other.ASN)
}

// holdsAll reports whether a condition with the values of list holds wherever one
// with those of other does. An empty list is no condition.
func holdsAll[T comparable](list, other []T) bool {
	if len(list) == 0 {
		return true
	}
	return len(other) > 0 && !slices.ContainsFunc(other, func(v T) bool { return !slices.Contains(list, v) })
}

// covers reports whether g holds for every finding that other holds for. opens
// says that the rule delivers: without naming them it is not for viruses and
// failures.
func (g Grounds) covers(other Grounds, opens bool) bool {
	if len(g.Unless)+len(g.Part)+len(g.Not) > 0 || !holdsAll(g.Requires, other.Requires) {
		return false
	}
	if len(g.When) == 0 {
		return !opens || len(other.When) > 0 && !slices.ContainsFunc(other.When, mayBeGrave)
	}
	return len(other.When) > 0 && !slices.ContainsFunc(other.When, func(c Condition) bool {
		return !slices.ContainsFunc(g.When, func(own Condition) bool { return own.implied(c) })
	})
}

// mayBeGrave reports whether the condition can hold for a virus or a failure.
func mayBeGrave(c Condition) bool {
	return c.pattern != "" || c.compare == "" && (c.kind == scan.Infected || c.kind == scan.Failed)
}

// Grave reports whether some finding of the catalogue that meets the condition is a
// virus or a failure.
func (c Condition) Grave(catalogue []scan.Rule) bool {
	return slices.ContainsFunc(catalogue, func(r scan.Rule) bool {
		return (r.Kind == scan.Infected || r.Kind == scan.Failed) && !c.AboutScore() && c.CanMatch([]scan.Rule{r})
	})
}

// Covers reports whether c holds for every finding that other holds for.
func (c Condition) Covers(other Condition) bool { return c.implied(other) }

// AboutScore reports whether the condition compares the score of the message, not that
// of a finding.
func (c Condition) AboutScore() bool { return c.compare != "" && c.pattern == "" }

// AboutKind reports whether the condition asks for findings of a kind.
func (c Condition) AboutKind() bool { return c.compare == "" && c.pattern == "" }

// implied reports whether c holds wherever other does.
func (c Condition) implied(other Condition) bool {
	if c == other || c.pattern == "" || other.pattern == "" || !matchGlob(c.pattern, other.pattern) {
		return c == other
	}
	return c.compare == "" || c.compare == other.compare && c.limit == other.limit
}

// Unknown lists the conditions that no finding of the catalogue can meet.
func (g Grounds) Unknown(catalogue []scan.Rule) []Condition {
	return slices.DeleteFunc(slices.Concat(g.Requires, g.Unless, g.When), func(c Condition) bool { return c.CanMatch(catalogue) })
}

// Impossible says why no message can meet the grounds, "" if some can. Every
// finding there is is in the catalogue.
func (g Grounds) Impossible(catalogue []scan.Rule) string {
	for _, c := range slices.Concat(g.Requires, g.Unless, g.When) {
		if !c.CanMatch(catalogue) {
			return c.String() + " is no finding that is ever made"
		}
	}
	for _, c := range g.Requires {
		for _, u := range g.Unless {
			if u.implied(c) {
				return "it requires " + c.String() + " and rules it out by " + u.String()
			}
		}
	}
	if low, high, ok := scoreRange(g.Requires); !ok {
		return "no score meets " + low.String() + " and " + high.String()
	}
	return ""
}

// scoreRange looks for two comparisons of the score that no number meets.
func scoreRange(list []Condition) (low, high Condition, ok bool) {
	for _, a := range list {
		for _, b := range list {
			if a.pattern != b.pattern || strings.Contains(a.pattern, "*") {
				continue // of several findings one may have a high score and another a low one
			}
			least, most := a.compare == ">=" || a.compare == ">", b.compare == "<=" || b.compare == "<"
			if least && most && !a.own && !b.own && (a.limit > b.limit || a.limit == b.limit && a.compare+b.compare != ">=<=") {
				return a, b, false
			}
		}
	}
	return low, high, true
}
