package policy

import "slices"

// index finds the rules that may be for a recipient, so that ten thousand rules
// for as many domains cost a message no more than the few that are for its
// recipients. It holds places in the list of rules.
type index struct {
	always []int            // rules for any recipient, or with patterns that cannot be looked up
	any    map[int]bool     // the same
	by     map[string][]int // by address, domain, or ".domain" for subdomains
}

func newIndex(rules []*rule) index {
	x := index{any: map[int]bool{}, by: map[string][]int{}}
	for _, r := range rules {
		keys, ok := r.to.keys()
		if !ok {
			x.always = append(x.always, r.place)
			x.any[r.place] = true
		}
		for _, k := range keys {
			x.by[k] = append(x.by[k], r.place)
		}
	}
	return x
}

// keys returns what a list of patterns can be looked up by; false if it holds any
// pattern that cannot be, or is empty.
func (l addresses) keys() ([]string, bool) {
	if l.all || l.null || len(l.globs)+len(l.groups) > 0 || len(l.exact)+len(l.domains) == 0 {
		return nil, false
	}
	var keys []string
	for a := range l.exact {
		keys = append(keys, a.local+"@"+a.domain)
	}
	for d := range l.domains {
		keys = append(keys, d)
	}
	return keys, true
}

// places returns those of all rules that may be for a, in order.
func (x index) places(a address) []int {
	list := slices.Concat(x.always, x.own(a))
	slices.Sort(list)
	return slices.Compact(list)
}

// own returns the places of the rules that were looked up for a.
func (x index) own(a address) []int {
	list := slices.Concat(x.by[a.local+"@"+a.domain], x.by[a.domain])
	for i := range len(a.domain) {
		if a.domain[i] == '.' {
			list = append(list, x.by[a.domain[i:]]...)
		}
	}
	return list
}
