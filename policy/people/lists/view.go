package lists

import (
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// Terms are what a configuration makes of entries and limits.
type Terms struct {
	Lists people.Terms
	Score people.Bounds // of the limits that count
	// Main returns the main address of the person who has an address; "" if the sources have no person with it.
	// Its entries and its limit count for all addresses of the person. nil: each address is a person.
	Main func(address string) string
}

// settled is all that people have settled, which a view is of.
type settled interface {
	Owned(owner string) policy.Owned
	Entry(owner, pattern string, proved bool) (policy.ListEntry, bool)
	Limit(address string) (float64, bool)
}

// view is what people have settled, under some terms. It is a policy.Lists.
type view struct {
	settled
	by   Terms
	firm [2]bool
}

// view returns what people have settled under the terms.
func (t Terms) view(s settled) view {
	v := view{settled: s, by: t}
	for _, word := range t.Lists.Firm {
		v.firm[index(word == string(people.Block))] = true
	}
	return v
}

func index(blocks bool) int {
	if blocks {
		return 1
	}
	return 0
}

// Firm implements policy.Lists.
func (v view) Firm(blocks bool) bool { return v.firm[index(blocks)] }

// Owners implements policy.Lists. The person comes after the address that mail is for.
func (v view) Owners(recipient string) []string {
	list := policy.OwnersOf(recipient, people.Host)
	if main := v.main(recipient); main != "" && main != list[0] {
		list = slices.Insert(list, 1, main)
	}
	return list
}

// main returns the main address of the person who gets mail as a recipient, "" if none is known.
func (v view) main(recipient string) string {
	if v.by.Main == nil {
		return ""
	}
	return v.by.Main(recipient)
}

// Limit implements policy.Lists.
func (v view) Limit(recipient string) (policy.OwnLimit, bool) {
	if !v.by.Score.On() {
		return policy.OwnLimit{}, false
	}
	person := v.main(recipient)
	if person == "" {
		var err error
		if person, err = people.Fold(recipient); err != nil {
			return policy.OwnLimit{}, false
		}
	}
	score, ok := v.settled.Limit(person)
	return policy.OwnLimit{Owner: person, Score: v.by.Score.Within(score)}, ok
}
