package directory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/address"
)

// Walk says which persons to list.
type Walk struct {
	Domains []policy.Domain // people of these, by their main address; nil for all
	After   string          // the main address after which to begin; "" for the first
	Like    string          // a part of an address, a name or a group; a whole address is looked up; "" for all
	Limit   int             // how many are listed at most
	Looks   int             // how many are looked at at most
}

// roll is the people whose main address is in a domain, by that.
type roll struct {
	key string // see keyOf
	at  []int32
}

// keyOf returns a domain so that those below it come right after it, and all that begins with the key of a
// domain and a zero is below it.
func keyOf(domain string) string {
	labels := strings.Split(domain, ".")
	slices.Reverse(labels)
	return strings.Join(labels, "\x00")
}

// enroll puts all people in order.
func (a *assembly) enroll() {
	by := map[string][]int32{}
	for at := range a.people {
		_, domain, _ := cutAddress(a.people[at].ID)
		by[domain] = append(by[domain], int32(at))
	}
	for domain, list := range by {
		slices.SortFunc(list, func(x, y int32) int { return cmp.Compare(a.people[x].ID, a.people[y].ID) })
		a.rolls = append(a.rolls, roll{keyOf(strings.TrimPrefix(domain, "@")), list})
	}
	slices.SortFunc(a.rolls, func(x, y roll) int { return cmp.Compare(x.key, y.key) })
}

// List returns people in the order of their domains and then of their main addresses. next is where another walk
// goes on after this one; "" where that is all. A walk that has looked at enough people ends before its list
// is full.
func (d *Directory) List(w Walk) (list []Person, next string) {
	s := d.now.Load()
	if s == nil {
		return nil, ""
	}
	if w.Like = strings.ToLower(strings.TrimSpace(w.Like)); w.After == "" && strings.Contains(w.Like, "@") {
		if at, ok := s.person(w.Like); ok && s.people[at].has(w.Like) && within(w.Domains, s.people[at].ID) {
			return []Person{s.people[at]}, ""
		}
	}
	looked, last := 0, ""
	_, domain, _ := cutAddress(w.After)
	from := keyOf(strings.TrimPrefix(domain, "@"))
	for _, r := range s.within(w.Domains) {
		at := r.at
		switch {
		case w.After == "" || r.key > from:
		case r.key < from:
			continue
		default:
			i, found := slices.BinarySearchFunc(at, w.After, func(x int32, id string) int { return cmp.Compare(s.people[x].ID, id) })
			if found {
				i++
			}
			at = at[i:]
		}
		for _, one := range at {
			if looked == w.Looks || len(list) == w.Limit {
				return list, last
			}
			looked, last = looked+1, s.people[one].ID
			if s.people[one].like(w.Like) {
				list = append(list, s.people[one])
			}
		}
	}
	return list, ""
}

// within returns the rolls of domains, in order.
func (s *snapshot) within(domains []policy.Domain) []roll {
	if domains == nil {
		return s.rolls
	}
	var chosen []int
	for _, d := range domains {
		name, below := strings.CutPrefix(string(d), ".")
		key := keyOf(name)
		i, found := slices.BinarySearchFunc(s.rolls, key, func(r roll, key string) int { return cmp.Compare(r.key, key) })
		switch {
		case !below && found:
			chosen = append(chosen, i)
		case below && found:
			i++
		}
		for ; below && i < len(s.rolls) && strings.HasPrefix(s.rolls[i].key, key+"\x00"); i++ {
			chosen = append(chosen, i)
		}
	}
	slices.Sort(chosen)
	var list []roll
	for _, i := range slices.Compact(chosen) {
		list = append(list, s.rolls[i])
	}
	return list
}

// within reports whether an address is in domains; nil are all.
func within(domains []policy.Domain, address string) bool {
	return domains == nil || (policy.Local{Domains: domains}).Has(address)
}

// has reports whether an address is one that is listed for the person.
func (p Person) has(written string) bool {
	folded, err := address.Fold(written)
	return err == nil && slices.Contains(p.Addresses, folded)
}

// like reports whether a text, in lower case, is a part of an address, the name or a group of the person.
func (p Person) like(text string) bool {
	in := func(s string) bool { return strings.Contains(s, text) }
	return text == "" || slices.ContainsFunc(p.Addresses, in) || in(strings.ToLower(p.Name)) || slices.ContainsFunc(p.Groups, in)
}
