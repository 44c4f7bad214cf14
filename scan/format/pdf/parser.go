package pdf

// What one object may be made of.
const (
	deepest     = 60
	longestList = 4096    // values in an array that hold no others
	mostValues  = 1 << 18 // in all
)

// parser makes objects out of tokens. It is lenient: what makes no sense is
// skipped.
type parser struct {
	lexer
	names   map[string]any // of type Name, so that those that come often are there once
	entries []Entry        // of the dictionaries being read, the inner ones after the outer ones
	list    []any          // of the arrays being read, likewise
	values  int            // kept of this object

	deep    bool // something was deeper than is looked at
	crowded bool // an object had more values than are kept
}

// value reads the value that begins with a token already read.
func (p *parser) value(t token, depth int) any {
	p.values++
	switch t {
	case nameToken:
		return p.named()
	case stringToken:
		return String(p.text)
	case numberToken:
		n, isRef := p.number()
		if isRef {
			return Ref(n)
		}
		return n
	case dictBegin:
		return p.dict(depth + 1)
	case arrayBegin:
		return p.array(depth + 1)
	case keyword:
		if word := string(p.text); word == "true" || word == "false" {
			return word == "true"
		}
	}
	return nil
}

// named returns the name that was just read.
func (p *parser) named() any {
	const most, longest = 1 << 10, 64
	if name, ok := p.names[string(p.text)]; ok {
		return name
	}
	name := Name(p.text)
	if len(p.names) < most && len(name) <= longest {
		if p.names == nil {
			p.names = map[string]any{}
		}
		p.names[string(name)] = name
	}
	return name
}

// number reads on after a number: if a generation and an R follow, it is that of a
// reference.
func (p *parser) number() (n int64, isRef bool) {
	n, after := integer(p.text), p.pos
	if n >= 0 && p.numberFollows() && p.token() == numberToken {
		if b, ok := p.skipBlanks(); ok && b == 'R' && p.token() == keyword && len(p.text) == 1 {
			return n, true
		}
	}
	p.pos = after
	return n, false
}

func (p *parser) numberFollows() bool {
	b, ok := p.skipBlanks()
	return ok && isNumeric(b)
}

// integer returns a number without its fraction, 0 for a text that is no number and
// for a number that is too large.
func integer(text []byte) int64 {
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	var n int64
	for _, b := range text {
		if b == '.' {
			break
		}
		if b < '0' || b > '9' || n > (1<<63-1-9)/10 {
			return 0
		}
		n = 10*n + int64(b-'0')
	}
	if negative {
		return -n
	}
	return n
}

// ends reports whether a token shows that a container is over that was not ended.
func (p *parser) ends(t token, depth int) bool {
	if depth >= deepest && (t == dictBegin || t == arrayBegin) {
		p.deep = true
		return true
	}
	return t == endOfData || t == closing
}

// full reports whether nothing further of an object is kept.
func (p *parser) full() bool {
	if p.values < mostValues {
		return false
	}
	p.crowded = true
	return true
}

// dict reads the entries after "<<".
func (p *parser) dict(depth int) Dict {
	from := len(p.entries)
	for p.entry(depth) {
	}
	d := append(Dict{}, p.entries[from:]...)
	clear(p.entries[from:])
	p.entries = p.entries[:from]
	return d
}

// entry reads a key and its value, or the token in their place. It returns false at
// the end of the dictionary.
func (p *parser) entry(depth int) bool {
	switch t := p.token(); {
	case t == dictEnd || p.ends(t, depth):
		return false
	case t == nameToken:
		key := p.named().(Name)
		t := p.token()
		if t == dictEnd || p.ends(t, depth) {
			return false
		}
		if v := p.value(t, depth); !p.full() {
			p.entries = append(p.entries, Entry{key, v})
		}
	case t == dictBegin || t == arrayBegin:
		if p.unclear = true; p.loose {
			p.value(t, depth)
		}
	case t == arrayEnd || t == lonelyEnd:
		p.unclear = true
		return !p.loose
	}
	return true
}

// array reads the values after "[".
func (p *parser) array(depth int) Array {
	from := len(p.list)
	for p.element(depth, from) {
	}
	a := append(Array{}, p.list[from:]...)
	clear(p.list[from:])
	p.list = p.list[:from]
	return a
}

// element reads a value of the array that begins at from, and keeps it unless it is a
// number; false at the end of the array.
func (p *parser) element(depth, from int) bool {
	switch t := p.token(); {
	case t == arrayEnd || p.ends(t, depth):
		return false
	case t == dictEnd || t == lonelyEnd:
		return p.foreignEnd(t)
	case t == numberToken:
		if n, isRef := p.number(); isRef {
			p.keepScalar(Ref(n), from)
		}
	case t == dictBegin || t == arrayBegin:
		if v := p.value(t, depth); !p.full() {
			p.list = append(p.list, v)
		}
	default:
		p.keepScalar(p.value(t, depth), from)
	}
	return true
}

// foreignEnd skips the end of a dictionary in an array. It means nothing to some
// readers and ends the array, too, to others.
func (p *parser) foreignEnd(t token) bool {
	p.unclear = true
	if p.loose && t == dictEnd {
		p.pos -= int64(len(">>"))
	}
	return !p.loose
}

// keepScalar puts what holds no other values on the list that begins at from.
func (p *parser) keepScalar(v any, from int) {
	if len(p.list)-from < longestList && !p.full() {
		p.list = append(p.list, v)
	}
}
