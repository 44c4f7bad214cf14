package policy

import (
	"errors"
	"slices"
	"strings"
)

// People knows who is in which group, as it was at one moment. Rules ask it about recipients and
// senders.
type People interface {
	// Group reports whether the person who has an address is in a group.
	Group(name, address string) bool
}

// anyPeople are people that nothing is known of: each may be in any group.
type anyPeople struct{}

func (anyPeople) Group(string, string) bool { return true }

// Groups of people are written as patterns of addresses: "group:finance". groupMark is in the place
// of the domain.
const (
	groupPrefix = "group:"
	groupMark   = groupPrefix
)

// mostOfGroup is how long the name of a group may be.
const mostOfGroup = 1024

// groupPattern returns the pattern of a group of people.
func groupPattern(name string) (AddressPattern, error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || len(name) > mostOfGroup {
		return AddressPattern{}, errors.New("the name of a group is missing, or too long; write \"group:finance\"")
	}
	return AddressPattern{local: name, domain: groupMark}, nil
}

// Group returns the name of the group that the pattern is for, "" if it is for addresses.
func (p AddressPattern) Group() string {
	if p.domain != groupMark {
		return ""
	}
	return p.local
}

// Groups returns the names of all groups that a scope asks for.
func (s Scope) Groups() (names []string) {
	for _, p := range slices.Concat(s.From, s.To, s.NotTo, s.HeaderFrom) {
		if g := p.Group(); g != "" && !slices.Contains(names, g) {
			names = append(names, g)
		}
	}
	return names
}

// inGroups says whether the person of an address is in one of some groups.
func (f *facts) inGroups(groups []string, a address) truth {
	if f.in.People == nil || a == (address{}) || len(groups) == 0 {
		return no
	}
	f.steps += len(groups)
	whole := a.local + "@" + a.domain
	if !slices.ContainsFunc(groups, func(g string) bool { return f.in.People.Group(g, whole) }) {
		return no
	}
	if _, unknown := f.in.People.(anyPeople); unknown {
		return perhaps
	}
	return yes
}

// holds says whether an address is in the list.
func (l addresses) holds(f *facts, a address) truth {
	if l.match(a) {
		return yes
	}
	return f.inGroups(l.groups, a)
}

// sentBy says whether an address that a sender names is in the list. Anybody can write that of a member of
// a group: a rule that lets mail through goes by groups only for mail from us.
func (r *rule) sentBy(f *facts, l addresses, a address) truth {
	t := l.holds(f, a)
	if t != no && r.opens() && !l.match(a) {
		t = min(t, f.trusted())
	}
	return t
}

// bySender reports whether the rule goes by groups that the sender is in.
func (s Scope) bySender() bool {
	grouped := func(p AddressPattern) bool { return p.Group() != "" }
	return slices.ContainsFunc(s.From, grouped) || slices.ContainsFunc(s.HeaderFrom, grouped)
}
