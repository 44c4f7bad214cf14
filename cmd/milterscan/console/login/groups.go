package login

import (
	"errors"
	"slices"
	"strings"
)

// ErrNoRole is reported for a person who is known elsewhere, and is nothing in the console.
var ErrNoRole = errors.New("none of the groups of this person makes a role")

// Groups say what role the groups make, by which another place knows a person.
type Groups struct {
	Roles   map[string][]string // of groups, by role
	Domains map[string][]string // by group
	Fold    bool                // names of groups that only differ in case are one
}

// RoleOf returns the role of a person who is in groups, and its mail domains: those of the groups, and
// own ones. Of several roles it is the one that may do most. It is empty for a person who has none,
// and for a domain administrator without a domain.
func (g Groups) RoleOf(groups, own []string) (Role, []string) {
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(one string) bool { return g.has(groups, one) })
	}
	for _, role := range Given() {
		if !in(g.Roles[string(role)]) {
			continue
		}
		if role != Domain {
			return role, nil
		}
		domains := slices.Clone(own)
		for group, list := range g.Domains {
			if g.has(groups, group) {
				domains = append(domains, list...)
			}
		}
		slices.Sort(domains)
		if domains = slices.Compact(domains); len(domains) > 0 {
			return role, domains
		}
	}
	return "", nil
}

// has reports whether a group is among groups. One without a name is in none.
func (g Groups) has(groups []string, one string) bool {
	return one != "" && slices.ContainsFunc(groups, func(s string) bool { return s == one || g.Fold && strings.EqualFold(s, one) })
}
