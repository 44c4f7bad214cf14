// Package words finds any of many words in a text in one pass over it, however
// many they are.
package words

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stem is how many characters of a word the automaton knows. The rest is compared
// where they stand: an automaton of whole words would not fit into a processor's
// cache, and be slower.
const stem = 5

// Matcher is an automaton (Aho and Corasick, 1975) over the stems of words. It is
// never changed, and any number of goroutines may use it.
type Matcher struct {
	words []string // sorted, each once
	ids   [][]int  // of each, the places in the list given to New
	stems []group  // sorted

	class  [256]uint16
	stride int      // classes; class 0 is every byte that is in no stem
	rows   []uint32 // for each state and class, the row where the next state begins, and whether a stem ends there
	ends   []int32  // the stem that ends at a state, or -1
	link   []int32  // the next shorter state at which one ends, or 0
	after  []uint64 // of the stem that ends at a state, the bytes that may follow, by their last six bits
}

// group is the words that begin with one stem.
type group struct {
	stem     string
	from, to int // in words
}

// ending marks the row of a state at which a stem ends.
const ending = 1 << 31

// New returns a matcher for words. Empty ones are never found.
func New(words []string) *Matcher {
	m := &Matcher{}
	m.sort(words)
	m.group()
	m.classify()
	m.connect(m.grow())
	return m
}

// sort takes the words in, each once.
func (m *Matcher) sort(words []string) {
	ids := map[string][]int{}
	for i, w := range words {
		if w != "" {
			ids[w] = append(ids[w], i)
		}
	}
	for w := range ids {
		m.words = append(m.words, w)
	}
	slices.Sort(m.words)
	for _, w := range m.words {
		m.ids = append(m.ids, ids[w])
	}
}

// group puts words with the same stem together.
func (m *Matcher) group() {
	for i, w := range m.words {
		s := stemOf(w)
		if n := len(m.stems); n > 0 && m.stems[n-1].stem == s {
			m.stems[n-1].to = i + 1
			continue
		}
		m.stems = append(m.stems, group{s, i, i + 1})
	}
}

// stemOf is the first characters of a word.
func stemOf(w string) string {
	n := 0
	for i := range w {
		if n == stem {
			return w[:i]
		}
		n++
	}
	return w
}

// classify gives every byte that is in a stem a class of its own.
func (m *Matcher) classify() {
	used := [256]bool{}
	for _, g := range m.stems {
		for i := range len(g.stem) {
			used[g.stem[i]] = true
		}
	}
	m.stride = 1
	for c, u := range used {
		if u {
			m.class[c] = uint16(m.stride)
			m.stride++
		}
	}
}

// state is the stems that share a beginning.
type state struct {
	from, to, depth int
	children        []child
}

type child struct {
	class uint16
	state int
}

// grow makes the states, breadth first.
func (m *Matcher) grow() []state {
	states := []state{{to: len(m.stems)}}
	for s := 0; s < len(states); s++ {
		at := states[s]
		end, after := int32(-1), uint64(0)
		if at.depth > 0 && len(m.stems[at.from].stem) == at.depth {
			end, after = int32(at.from), m.follow(m.stems[at.from])
			at.from++
		}
		m.ends = append(m.ends, end)
		m.after = append(m.after, after)
		for at.from < at.to {
			c := m.stems[at.from].stem[at.depth]
			to := at.from + 1
			for to < at.to && m.stems[to].stem[at.depth] == c {
				to++
			}
			states[s].children = append(states[s].children, child{m.class[c], len(states)})
			states = append(states, state{from: at.from, to: to, depth: at.depth + 1})
			at.from = to
		}
	}
	return states
}

func (m *Matcher) follow(g group) (set uint64) {
	for _, w := range m.words[g.from:g.to] {
		set |= following(w, len(g.stem))
	}
	return set
}

// following is the byte at a place in a text as a set; where the text ends, all.
func following(text string, at int) uint64 {
	if at == len(text) {
		return ^uint64(0)
	}
	return 1 << (text[at] & 63)
}

// connect fills the rows: where the text does not go on as a state wants, it goes
// on as the longest suffix does that is a state too.
func (m *Matcher) connect(states []state) {
	m.rows = make([]uint32, len(states)*m.stride)
	m.link = make([]int32, len(states))
	fail := make([]int, len(states))
	for s := range states {
		row := m.rows[s*m.stride : (s+1)*m.stride]
		if s > 0 {
			copy(row, m.rows[fail[s]*m.stride:][:m.stride])
		}
		for _, c := range states[s].children {
			if s > 0 {
				fail[c.state] = int(row[c.class]&^ending) / m.stride
			}
			m.link[c.state] = m.nearest(fail[c.state])
			row[c.class] = uint32(c.state * m.stride)
			if m.ends[c.state] >= 0 || m.link[c.state] > 0 {
				row[c.class] |= ending
			}
		}
	}
}

// nearest is s, or the next shorter state at which a stem ends.
func (m *Matcher) nearest(s int) int32 {
	if m.ends[s] >= 0 {
		return int32(s)
	}
	return m.link[s]
}

// Found is called with a word's place in the list given to New, and where it
// begins and ends in the text. It returns false to end the search.
type Found func(word, from, to int) bool

// Find calls found for every word in the text at every place it stands.
func (m *Matcher) Find(text string, found Found) {
	row := uint32(0)
	for i := range len(text) {
		row = m.rows[row+uint32(m.class[text[i]])]
		if row&ending == 0 {
			continue
		}
		row &^= ending
		if !m.compare(int(row)/m.stride, text, i+1, found) {
			return
		}
	}
}

// compare looks at the words whose stems end here.
func (m *Matcher) compare(s int, text string, at int, found Found) bool {
	next := following(text, at)
	for t := m.nearest(s); t > 0; t = m.link[t] {
		if m.after[t]&next == 0 {
			continue
		}
		g := &m.stems[m.ends[t]]
		from := at - len(g.stem)
		for w := g.from; w < g.to; w++ {
			if strings.HasPrefix(text[from:], m.words[w]) && !m.report(w, from, found) {
				return false
			}
		}
	}
	return true
}

func (m *Matcher) report(w, from int, found Found) bool {
	for _, id := range m.ids[w] {
		if !found(id, from, from+len(m.words[w])) {
			return false
		}
	}
	return true
}

// Whole reports whether text[from:to] stands for itself: no letter, digit or mark
// goes on at either end.
func Whole(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	first, _ := utf8.DecodeRuneInString(text[from:to])
	last, _ := utf8.DecodeLastRuneInString(text[from:to])
	return !(goesOn(before) && goesOn(first)) && !(goesOn(after) && goesOn(last))
}

func goesOn(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}
