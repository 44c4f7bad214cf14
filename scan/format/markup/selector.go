package markup

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/css"
)

// selector is a chain of compounds, the outermost first. The last is of the element itself.
type selector []compound

// compound is what one element must be.
type compound struct {
	name    string // "" for any
	id      string
	classes []string
	attrs   []attrTest
	child   bool // the compound before it is of the parent, not of any element around
}

// attrTest is what an attribute must be.
type attrTest struct {
	name, value string
	how         css.TokenType // DelimToken for "=", EmptyToken for any value
	fold        bool
}

// weight returns the specificity of a selector as one number.
func (s selector) weight() (n uint32) {
	for _, c := range s {
		if c.id != "" {
			n += 1 << 20
		}
		n += uint32(min(len(c.classes)+len(c.attrs), 1<<9)) << 10
		if c.name != "" {
			n++
		}
	}
	return n
}

// mostCompounds bounds a selector.
const mostCompounds = 16

// parseSelector reads a selector. It reports false for one with anything else than types,
// classes, identifiers and attributes of elements inside each other.
func parseSelector(tokens []cssToken) (selector, bool) {
	var s selector
	this, some, child := compound{}, false, false
	end := func() bool {
		if some {
			this.child = child && len(s) > 0
			s = append(s, this)
			this, some, child = compound{}, false, false
		}
		return len(s) <= mostCompounds
	}
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch t.kind {
		case css.WhitespaceToken:
			if !end() {
				return nil, false
			}
			continue
		case css.IdentToken:
			this.name = strings.ToLower(unescapeCSS(t.text))
		case css.HashToken:
			this.id = unescapeCSS(t.text[1:])
		case css.LeftBracketToken:
			test, n, ok := parseAttrTest(tokens[i+1:])
			if !ok {
				return nil, false
			}
			this.attrs = append(this.attrs, test)
			i += n
		case css.ColonToken:
			if i+1 < len(tokens) && tokens[i+1].kind == css.IdentToken && strings.EqualFold(tokens[i+1].text, "root") {
				this.name = "html"
				i++
				break
			}
			return nil, false
		case css.DelimToken:
			switch {
			case t.text == ".":
				if i++; i >= len(tokens) || tokens[i].kind != css.IdentToken {
					return nil, false
				}
				this.classes = append(this.classes, unescapeCSS(tokens[i].text))
			case t.text == ">":
				if !end() {
					return nil, false
				}
				child = true
				continue
			case t.text != "*":
				return nil, false
			}
		default:
			return nil, false
		}
		some = true
	}
	if !end() || len(s) == 0 {
		return nil, false
	}
	return s, true
}

// parseAttrTest reads the test in brackets, and returns how many tokens it takes.
func parseAttrTest(tokens []cssToken) (t attrTest, n int, ok bool) {
	var parts []cssToken
	for n < len(tokens) && tokens[n].kind != css.RightBracketToken {
		if tokens[n].kind != css.WhitespaceToken {
			parts = append(parts, tokens[n])
		}
		n++
	}
	if n == len(tokens) || len(parts) == 0 || parts[0].kind != css.IdentToken {
		return t, 0, false
	}
	t = attrTest{name: strings.ToLower(unescapeCSS(parts[0].text)), how: css.EmptyToken}
	if len(parts) == 1 {
		return t, n + 1, true
	}
	if len(parts) < 3 {
		return t, 0, false
	}
	t.how = parts[1].kind
	t.value = unescapeCSS(strings.Trim(parts[2].text, "\"'"))
	t.fold = len(parts) > 3 && strings.EqualFold(parts[3].text, "i")
	return t, n + 1, t.how != css.DelimToken || parts[1].text == "="
}

// holds reports whether a value is as wanted.
func (t attrTest) holds(value string) bool {
	want := t.value
	if t.fold {
		value, want = strings.ToLower(value), strings.ToLower(want)
	}
	switch t.how {
	case css.EmptyToken:
		return true
	case css.DelimToken:
		return value == want
	case css.IncludeMatchToken:
		return want != "" && slices.Contains(strings.Fields(value), want)
	case css.DashMatchToken:
		return value == want || strings.HasPrefix(value, want+"-")
	case css.PrefixMatchToken:
		return want != "" && strings.HasPrefix(value, want)
	case css.SuffixMatchToken:
		return want != "" && strings.HasSuffix(value, want)
	case css.SubstringMatchToken:
		return want != "" && strings.Contains(value, want)
	}
	return false
}

// being is an element as selectors see it.
type being struct {
	name, id string
	classes  []string
	attrs    []Attr
}

func newBeing(name string, attrs []Attr) being {
	b := being{name: name, attrs: slices.Clone(attrs)}
	for _, a := range attrs {
		switch a.Name {
		case "id":
			b.id = a.Value
		case "class":
			b.classes = strings.Fields(a.Value)
		}
	}
	return b
}

// is reports whether an element is what a compound asks for.
func (b being) is(c compound) bool {
	if c.name != "" && c.name != b.name || c.id != "" && c.id != b.id {
		return false
	}
	for _, class := range c.classes {
		if !slices.Contains(b.classes, class) {
			return false
		}
	}
	for _, t := range c.attrs {
		if !slices.ContainsFunc(b.attrs, func(a Attr) bool { return a.Name == t.name && t.holds(a.Value) }) {
			return false
		}
	}
	return true
}

// matches reports whether an element, inside others of which the outermost comes first, is
// what the selector is about.
func (s selector) matches(b being, around []look, spend func() bool) bool {
	last := len(s) - 1
	if !b.is(s[last]) {
		return false
	}
	child := s[last].child
	for i, at := last-1, len(around)-1; i >= 0; at-- {
		if at < 0 || !spend() {
			return false
		}
		if around[at].being.is(s[i]) {
			child = s[i].child
			i--
		} else if child {
			return false // QUIRK: the next of several fitting ancestors is not tried
		}
	}
	return true
}

// of returns the declarations about an element, in the order in which they outweigh each
// other.
func (s *sheet) of(b being, around []look) (list []weighed) {
	spend := func() bool {
		s.matches--
		return s.matches > 0
	}
	try := func(rules []int32) {
		for _, i := range rules {
			if !spend() {
				s.over = true
				return
			}
			if r := &s.rules[i]; r.selector.matches(b, around, spend) {
				for _, d := range r.declared {
					list = append(list, weighed{d, uint64(r.weight)<<32 | uint64(i)})
				}
			}
		}
	}
	try(s.any)
	try(s.byName[b.name])
	for _, c := range b.classes {
		try(s.byClass[c])
	}
	if b.id != "" {
		try(s.byID[b.id])
	}
	return list
}

// weighed is a declaration with its weight: specificity and place.
type weighed struct {
	declaration
	weight uint64
}
