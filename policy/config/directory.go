package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people/directory"
	"github.com/milterscan/milterscan/scan/units"
)

// Directory is the part of the section [people] that says who is who.
type Directory struct {
	// The signs after which the rest of the user part of an address makes no
	// difference, as recipient_delimiter of Postfix: "ann+news@example.com" is
	// "ann@example.com"; "" for none.
	Delimiter string `toml:"delimiter"`
	// Who is who: addresses, groups, languages and delegates. What several sources say
	// adds up. All of it is loaded now and then and answered from memory; what was loaded
	// last stays in force while a source does not answer, also after a restart.
	Sources []directory.Source `toml:"source"`
}

func defaultDirectory() Directory { return Directory{Delimiter: "+"} }

// mostOfDelimiter is how many signs can end the user part of an address.
const mostOfDelimiter = 8

// checkDirectory returns the errors of the keys of [people] that say who is who.
func (d Directory) checkDirectory(check *units.Check) {
	strange := func(r rune) bool { return r <= ' ' || r > '~' || r == '@' }
	check.If(len(d.Delimiter) > mostOfDelimiter || strings.ContainsFunc(d.Delimiter, strange),
		"delimiter", "%q cannot be in an address; write one such as \"+\"", d.Delimiter)
	for i, s := range d.Sources {
		check.Entry("source", i, s.Name, nil) // the entry itself is asked, too
	}
}

// Complete reports whether some source has all addresses of a domain.
func (d Directory) Complete() bool {
	return slices.ContainsFunc(d.Sources, func(s directory.Source) bool { return len(s.Domains) > 0 })
}

// Groups returns the names of all groups of people that rules go by.
func (c *Config) Groups() (names []string) {
	for _, r := range c.allOwn() {
		for _, g := range r.compiled.Scope.Groups() {
			if !slices.Contains(names, g) {
				names = append(names, g)
			}
		}
	}
	return names
}

// withoutPeople returns an error for each rule that goes by a group while no source says who is in it.
func (c *Config) withoutPeople(rules []Rule) (found Problems) {
	if len(c.People.Sources) > 0 {
		return nil
	}
	for _, r := range rules {
		if groups := r.compiled.Scope.Groups(); len(groups) > 0 {
			found = append(found, note(r.origin, "rule", "%q goes by the group %q, and no [[people.source]] says who is in it", r.Name, groups[0]))
		}
	}
	return found
}

// UnknownGroups returns each rule that goes by a group that is not known to be one.
func (c *Config) UnknownGroups(known func(group string) bool) (found Problems) {
	for _, r := range c.allOwn() {
		for _, g := range r.compiled.Scope.Groups() {
			if !known(g) {
				found = append(found, note(r.origin, "rule", "%q goes by the group %q, and nobody is in a group of that name; "+
					"\"milterscan people check\" lists those there are", r.Name, g))
			}
		}
	}
	return found.sorted()
}

// checkPeople wants sources to have all addresses of domains of ours only.
func (b *binder) checkPeople(c *Config) {
	for i, s := range c.People.Sources {
		for j, d := range s.Domains {
			if !slices.ContainsFunc(c.Local.Domains, func(own policy.Domain) bool { return policy.Everybody(d).In(own) }) {
				b.wrong(fmt.Sprintf("people.source[%d].domains[%d]", i, j), "%s is not in local.domains; nobody is unknown elsewhere", d)
			}
		}
	}
}
