package policy

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// maxGroups bounds how many groups of findings, other than those about one
// recipient, the rules are asked about. A message with more is judged strictly;
// see group.mixed.
const maxGroups = 256

// group is findings that no rule at hand can tell apart: they are of one rule and
// kind, about the same recipient, and in parts that the same patterns match and
// that can be edited alike. So the rules are asked once for all of them, and a
// message with ten thousand findings of a kind costs what one with a single
// finding does.
type group struct {
	members []int // indices into Input.Found
	first   int   // the member to name: the least by compareFindings
	class   string
	// mixed says that the parts are not alike after all. A rule that lets mail
	// through has to be about each of them, and any other about one.
	mixed bool
}

// groupKey is what rules can tell of a finding.
type groupKey struct {
	kind            scan.Kind
	rule, recipient string
	score           float64
	class           string // of its part; see classOf
}

// gather puts the findings into groups. lists are the part patterns that rules
// for this mail ask for.
func (f *facts) gather(lists []partList) {
	f.lists = lists
	f.classes = make([]string, len(f.in.Parts))
	f.shared, f.personal = []int{itself}, map[string][]int{}
	index := map[groupKey]int{}
	for i, found := range f.in.Found {
		key := groupKey{found.Kind, found.Rule, found.Recipient, counted(found), f.classOf(found.Part)}
		at, ok := index[key]
		mixed := !ok && found.Recipient == "" && len(f.shared) > maxGroups
		if mixed {
			key.class = "*"
			at, ok = index[key]
		}
		if !ok {
			at = f.newGroup(key, i, mixed)
			index[key] = at
		}
		g := &f.groups[at]
		g.members = append(g.members, i)
		if f.compareFindings(i, g.first) < 0 {
			g.first = i
		}
	}
	f.steps += len(f.in.Found)
}

func (f *facts) newGroup(key groupKey, first int, mixed bool) int {
	at := len(f.groups)
	f.groups = append(f.groups, group{first: first, class: key.class, mixed: mixed})
	if key.recipient == "" {
		f.shared = append(f.shared, at)
	} else {
		f.personal[key.recipient] = append(f.personal[key.recipient], at)
	}
	return at
}

// partList is the part patterns of one or more rules.
type partList struct {
	id       int
	patterns []string // lower case
}

// lists returns the part patterns of the rules that may be for this mail.
func (p *Policy) lists(f *facts, to []recipient) []partList {
	if !p.parts {
		return nil
	}
	places := slices.Clone(f.general)
	for _, r := range to {
		places = append(places, p.index.personal(f, r)...)
	}
	slices.Sort(places)
	var lists []partList
	seen := map[int]bool{}
	for _, place := range slices.Compact(places) {
		r := p.rules[place]
		if len(r.parts) > 0 && !seen[r.list] && p.general(f, r) != no {
			seen[r.list] = true
			lists = append(lists, partList{r.list, r.parts})
		}
	}
	return lists
}

// The bits of a class that are no list of patterns: which edits of the part
// cannot be made.
const classHead = 1

// classOf tells parts apart that rules can tell apart: a byte for the edits that
// cannot be made, and a bit for each list of patterns.
func (f *facts) classOf(part int) string {
	if part < 0 || part >= len(f.in.Parts) {
		return string([]byte{f.fixedEdits(part)})
	}
	if f.classes[part] == "" {
		f.classes[part] = f.makeClass(part)
	}
	return f.classes[part]
}

func (f *facts) makeClass(part int) string {
	class := make([]byte, classHead+(len(f.lists)+7)/8)
	if up := f.in.Parts[part].Parent; up >= 0 && up < part { // a container comes before what it holds
		copy(class, f.classOf(up))
	}
	class[0] = f.fixedEdits(part)
	for i, l := range f.lists {
		if f.isListed(l, part) {
			class[classHead+i/8] |= 1 << (i % 8)
		}
	}
	return string(class)
}

// listed holds which parts match which lists of patterns, as far as known, by the list:
// for each part yes, no, or perhaps as long as it is not known. Decisions about the
// same parts share it: names may be long and many.
type listed map[int][]truth

// isListed reports whether a part matches a list.
func (f *facts) isListed(l partList, part int) bool {
	known := f.in.listed[l.id]
	if known == nil {
		known = slices.Repeat([]truth{perhaps}, len(f.in.Parts))
		f.in.listed[l.id] = known
	}
	if known[part] == perhaps {
		f.steps++
		known[part] = truthOf(matchesAny(l.patterns, knownAs(f.in.Parts[part])))
	}
	return known[part] == yes
}

// knownAs returns all that a part goes by, in lower case: its path, its names, and
// its types as declared and as its content shows.
func knownAs(p scan.Part) []string {
	names := []string{strings.ToLower(p.Path)}
	for _, name := range append([]string{p.Type, p.Sniffed}, p.Names...) {
		if name != "" {
			names = append(names, strings.ToLower(name))
		}
	}
	return names
}

func matchesAny(patterns, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return matchGlob(p, name) })
	})
}

// inParts reports whether the parts of a group match the rule's patterns.
func (f *facts) inParts(r *rule, g *group) bool {
	at := slices.IndexFunc(f.lists, func(l partList) bool { return l.id == r.list })
	if at < 0 {
		return false
	}
	has := func(class string) bool {
		i := classHead + at/8
		return i < len(class) && class[i]&(1<<(at%8)) != 0
	}
	if !g.mixed {
		return has(g.class)
	}
	f.steps += len(g.members)
	in := func(i int) bool { return has(f.classOf(f.in.Found[i].Part)) }
	if r.opens() {
		return !slices.ContainsFunc(g.members, func(i int) bool { return !in(i) })
	}
	return slices.ContainsFunc(g.members, in)
}

// fixedEdits has a bit for each kind of edit that cannot be made of a part. The
// message as a whole has none: an edit is of a part.
func (f *facts) fixedEdits(part int) byte {
	if part < 0 || f.fixed[scan.WholeMessage] == allEdits {
		return allEdits
	}
	return f.fixed[part]
}

const allEdits = 1<<(Replace+1) - 1

// fixedParts notes which edits cannot be made, by part.
func fixedParts(in *Input) map[int]byte {
	fixed := map[int]byte{}
	for _, part := range in.Fixed {
		fixed[part] = allEdits
	}
	for _, e := range in.Refused {
		if e.Kind >= 0 && e.Kind <= Replace {
			fixed[e.Part] |= 1 << e.Kind
		}
	}
	return fixed
}

// isFixed reports whether an edit cannot be made of any member of a group.
func (f *facts) isFixed(g *group, kind EditKind) bool {
	if g.mixed {
		return slices.ContainsFunc(g.members, func(i int) bool { return f.fixedEdits(f.in.Found[i].Part)&(1<<kind) != 0 })
	}
	return g.class[0]&(1<<kind) != 0
}
