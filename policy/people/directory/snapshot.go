package directory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/scan/format/skeleton"
)

// snapshot is all that is known at one time. It never changes.
type snapshot struct {
	people    []Person
	byAddress map[string]int32   // every address, and "@example.com"; everyone for a domain that takes any address
	acting    map[string][]int32 // those that an address may act for as a delegate
	groups    map[string][]int32 // groups by their names, long and short
	called    map[string]int32   // one of the persons who have a name, by its forms
	rolls     []roll             // all people, in order
	sources   []*source
	delimiter string
	conflicts conflicts
}

// everyone marks a domain that takes mail for any address, where no person is to get it.
const everyone = -1

// conflicts are what the sources say in more than one way.
type conflicts struct {
	Count int
	Named []string // some of them
}

func (c *conflicts) add(format string, args ...any) {
	c.Count++
	if len(c.Named) < mostOfProblems {
		c.Named = append(c.Named, shorten(fmt.Sprintf(format, args...)))
	}
}

// assembly is the making of a snapshot.
type assembly struct {
	*snapshot
	claims    map[string][]int32 // aliases, by who has them
	aliases   [][]string         // of each person
	delegates [][]string
	said      []saying // where the name and the language of a person come from
}

// saying holds the sources of what only one can say.
type saying struct{ name, language *source }

// assemble makes a snapshot of what the sources said last. Where two say something else, the first
// holds.
func assemble(sources []*source, delimiter string) *snapshot {
	a := &assembly{snapshot: &snapshot{byAddress: map[string]int32{}, acting: map[string][]int32{}, groups: map[string][]int32{},
		called: map[string]int32{}, sources: sources, delimiter: delimiter}, claims: map[string][]int32{}}
	for _, s := range sources {
		for _, r := range s.rows {
			a.person(s, r)
		}
	}
	a.claim()
	a.settle()
	a.delegate()
	a.inGroups()
	a.name()
	a.enroll()
	return a.snapshot
}

// name notes how persons are called.
func (a *assembly) name() {
	for at, p := range a.people {
		for _, form := range skeleton.Names(p.Name) {
			if _, taken := a.called[form]; !taken {
				a.called[form] = int32(at)
			}
		}
	}
}

// person adds what a row says.
func (a *assembly) person(s *source, r Row) {
	if r.Address[0] == '@' { // no person in particular
		a.byAddress[r.Address] = everyone
		return
	}
	at, ok := a.byAddress[r.Address]
	if !ok {
		at = a.add(r.Address)
	}
	p, said := &a.people[at], &a.said[at]
	a.only(s, &said.name, &p.Name, r.Name, p, "called")
	a.only(s, &said.language, &p.Language, r.Language, p, "said to read")
	for _, g := range r.Groups {
		if !slices.Contains(p.Groups, g) {
			p.Groups = append(p.Groups, g)
		}
	}
	a.aliases[at] = append(a.aliases[at], r.Aliases...)
	a.delegates[at] = append(a.delegates[at], r.Delegates...)
}

// add adds a person with a main address.
func (a *assembly) add(address string) int32 {
	at := int32(len(a.people))
	a.people = append(a.people, Person{ID: address, Addresses: []string{address}})
	a.aliases, a.delegates, a.said = append(a.aliases, nil), append(a.delegates, nil), append(a.said, saying{})
	a.byAddress[address] = at
	return at
}

// only sets what a person can have only one of, unless it is set.
func (a *assembly) only(s *source, by **source, to *string, value string, p *Person, is string) {
	switch {
	case value == "" || value == *to:
	case *to == "":
		*to, *by = value, s
	case *by != s:
		a.conflicts.add("%s is %s %q in %s and %q in %s; the first holds", p.ID, is, *to, (*by).Name, value, s.Name)
	}
}

// claim notes who has which alias.
func (a *assembly) claim() {
	for at, list := range a.aliases {
		for _, alias := range list {
			owner, taken := a.byAddress[alias]
			switch {
			case taken && owner == int32(at):
			case taken && owner != everyone:
				a.conflicts.add("%s is a main address and an alias of %s; it stays by itself", alias, a.people[at].ID)
			case !slices.Contains(a.claims[alias], int32(at)):
				a.claims[alias] = append(a.claims[alias], int32(at))
			}
		}
	}
}

// settle gives each alias to the person who has it. One that several have becomes a person that
// they act for.
func (a *assembly) settle() {
	for at := range len(a.aliases) { // those that are added meanwhile have none
		for _, alias := range a.aliases[at] {
			owners := a.claims[alias]
			delete(a.claims, alias)
			switch {
			case len(owners) == 0:
			case alias[0] == '@' && len(owners) > 1:
				a.byAddress[alias] = everyone
			case alias[0] == '@':
				a.byAddress[alias] = owners[0]
			case len(owners) == 1:
				a.byAddress[alias] = owners[0]
				a.people[owners[0]].Addresses = append(a.people[owners[0]].Addresses, alias)
			default:
				shared := a.add(alias)
				for _, o := range owners {
					a.delegates[shared] = append(a.delegates[shared], a.people[o].ID)
				}
			}
		}
	}
}

// delegate notes who may act for each person.
func (a *assembly) delegate() {
	for at := range a.people {
		p := &a.people[at]
		for _, d := range a.delegates[at] {
			if known, ok := a.find(d); ok && known != everyone {
				d = a.people[known].ID
			}
			if d != p.ID && !slices.Contains(p.Delegates, d) {
				p.Delegates = append(p.Delegates, d)
				a.acting[d] = append(a.acting[d], int32(at))
			}
		}
	}
}

// inGroups notes who is in which group. A group is found by its whole name, and by its short one.
func (a *assembly) inGroups() {
	whole := map[string][]string{} // names, by their short ones
	for at := range a.people {
		p := &a.people[at]
		for i, name := range p.Groups {
			short := shortGroup(name)
			if known := whole[short]; !slices.Contains(known, name) {
				whole[short] = append(known, name)
			}
			a.groups[name] = append(a.groups[name], int32(at))
			if short != name {
				a.groups[short] = append(a.groups[short], int32(at))
			}
			p.Groups[i] = short
		}
		slices.Sort(p.Groups)
		p.Groups = slices.Compact(p.Groups)
	}
	for _, short := range slices.Sorted(maps.Keys(whole)) {
		if names := whole[short]; len(names) > 1 {
			a.conflicts.add("the group %q is %d groups: %q", short, len(names), names)
		}
	}
}

// find returns the person of a folded address: its own, that of the address without what comes after
// the delimiter, or the one who gets the rest of its domain.
func (s *snapshot) find(address string) (int32, bool) {
	if at, ok := s.byAddress[address]; ok {
		return at, true
	}
	local, domain, _ := cutAddress(address)
	if i := strings.IndexAny(local, s.delimiter); i > 0 {
		if at, ok := s.byAddress[local[:i]+domain]; ok {
			return at, true
		}
	}
	at, ok := s.byAddress[domain]
	return at, ok
}

// cutAddress takes an address apart; the domain keeps its "@".
func cutAddress(address string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return address, "", false
	}
	return address[:i], address[i:], true
}

// person returns the person of an address as it is written.
func (s *snapshot) person(written string) (int32, bool) {
	folded, err := address.Fold(written)
	if err != nil {
		return 0, false
	}
	at, ok := s.find(folded)
	return at, ok && at != everyone
}
