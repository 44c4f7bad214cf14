package policy

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// index finds the rules that may be for a mail, so that ten thousand rules for as many
// senders cost it no more than the few that are for its own. Each rule is looked up by the
// one of its conditions that is shared by the fewest others. The index holds places in the list of rules, and
// what it leaves out is for no part of the mail.
type index struct {
	fields []*field
	always []int         // rules with no condition that can be looked up
	by     map[key][]int // by what a condition names
	// waiting has, by field, what a mail meets of whom that is not known yet: of
	// the rules that differ in what they name there only, the first, as the others can say no more.
	waiting map[*field][]int
	all     map[*field][]int // all rules that are looked up by a field
	sizes   sizes
}

// sizes are those of what is looked up by its beginning.
type sizes struct {
	networks []int // bits
	names    []int // bytes
}

// newIndex returns an index of some rules by some fields. Without fields each rule is asked.
func newIndex(rules []*rule, fields []*field) index {
	x := index{fields: fields, by: map[key][]int{}, waiting: map[*field][]int{}, all: map[*field][]int{}}
	shared := map[key]int{}
	for _, r := range rules {
		for _, f := range fields {
			keys, _ := f.named(r)
			for _, k := range keys {
				shared[k]++
			}
		}
	}
	alike := map[form]bool{}
	for _, r := range rules {
		x.add(r, shared, alike)
	}
	return x
}

// add puts a rule into the index, by the field of which the key that most rules share is shared by the fewest.
func (x *index) add(r *rule, shared map[key]int, alike map[form]bool) {
	var best *field
	var by []key
	fewest := 0
	for _, f := range x.fields {
		keys, ok := f.named(r)
		if !ok {
			continue
		}
		most := 0
		for _, k := range keys {
			most = max(most, shared[k])
		}
		if best == nil || most < fewest {
			best, by, fewest = f, keys, most
		}
	}
	if best == nil {
		x.always = append(x.always, r.place)
		return
	}
	for _, k := range by {
		x.by[k] = append(x.by[k], r.place)
		x.sizes.add(k)
	}
	x.all[best] = append(x.all[best], r.place)
	if best.clear == nil {
		return
	}
	if alone := r.without(best); !alike[alone] {
		alike[alone] = true
		x.waiting[best] = append(x.waiting[best], r.place)
	}
}

// add notes the size that a key has.
func (l *sizes) add(k key) {
	if bits := k.network.Bits(); k.network.IsValid() && !slices.Contains(l.networks, bits) {
		l.networks = append(l.networks, bits)
	}
	if n := len(k.text); k.in == namePrefix && !slices.Contains(l.names, n) {
		l.names = append(l.names, n)
	}
}

// form tells rules apart by all that matters of them as long as it is not known whether one condition holds.
type form [sha256.Size]byte

// without returns the form of a rule but for what it names in a field.
func (r *rule) without(f *field) (sum form) {
	scope := r.Scope
	f.clear(&scope)
	h := sha256.New()
	fmt.Fprintf(h, "%p %#v %#v %d %d %d %t", f, scope, r.Grounds, r.Mode, r.Outcome.Answer, r.mildest(), r.Yields)
	h.Sum(sum[:0])
	return sum
}

// general returns the places of the rules that may be for the mail, as far as that does not
// depend on the recipient, in order.
func (x *index) general(f *facts) []int {
	list := slices.Clone(x.always)
	for _, by := range x.fields {
		if !by.personal && len(x.all[by]) > 0 {
			list = x.look(list, by, f, recipient{})
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// personal returns the places of the rules that may be for the mail because of who the recipient is. A place
// may be there more than once.
func (x *index) personal(f *facts, to recipient) (list []int) {
	for _, by := range x.fields {
		if by.personal && len(x.all[by]) > 0 {
			list = x.look(list, by, f, to)
		}
	}
	return list
}

// look appends the places of rules that are looked up by one field.
func (x *index) look(list []int, by *field, f *facts, to recipient) []int {
	switch {
	case by.known(f, to):
		by.has(f, to, x.sizes, func(k key) { list = append(list, x.by[k]...) })
		return list
	case len(f.in.Without) > 0: // the first of those that are alike may be left out
		return append(list, x.all[by]...)
	}
	return append(list, x.waiting[by]...)
}

// merged returns the places of both lists, in order.
func merged(general, personal []int) []int {
	if len(personal) == 0 {
		return general
	}
	list := slices.Concat(general, personal)
	slices.Sort(list)
	return slices.Compact(list)
}
