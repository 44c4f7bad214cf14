package markup

// text reads literal text up to the end tag of its element.
func (z *splitter) text() {
	element := z.literal
	z.literal = ""
	if element == "script" {
		z.script(element)
		return
	}
	for z.past('<') {
		c := z.next()
		if z.err != nil {
			return
		}
		if c != '/' {
			z.end--
		} else if z.closes(element) || z.err != nil {
			return
		}
	}
}

// closes reports whether a name behind "</" is that of an element, and goes back to before
// both if it is.
func (z *splitter) closes(element string) bool {
	for i := range len(element) {
		c := z.next()
		if z.err != nil {
			return false
		}
		if c != element[i] && c != element[i]-('a'-'A') {
			z.end--
			return false
		}
	}
	c := z.next()
	if z.err != nil {
		return false
	}
	if isSpace(c) || c == '/' || c == '>' {
		z.end -= len("</") + len(element) + 1
		return true
	}
	z.end--
	return false
}

// depth is how far inside a comment a script is: browsers hide end tags there (WHATWG HTML,
// section 13.2.5.15 and those after it).
type depth int

const (
	open    depth = iota
	hidden        // in a comment
	nested        // in a script in a comment
	through       // at the end of the script
)

// script reads a script.
func (z *splitter) script(element string) {
	deep, dashes := open, 0
	for deep != through {
		if deep == open {
			if !z.past('<') {
				return
			}
			deep, dashes = z.behindAngle(element, deep)
			continue
		}
		switch c := z.next(); {
		case z.err != nil:
			return
		case c == '-':
			dashes++
		case c == '>' && dashes >= 2:
			deep = open
		case c == '<':
			deep, dashes = z.behindAngle(element, deep)
		default:
			dashes = 0
		}
	}
}

// behindAngle looks at what follows "<" in a script, and returns how deep it is then, behind
// how many dashes.
func (z *splitter) behindAngle(element string, deep depth) (depth, int) {
	c := z.next()
	switch {
	case z.err != nil:
		return through, 0
	case c == '/':
		return z.behindSlash(element, deep), 0
	case c == '!' && deep == open:
		return z.opensComment()
	case deep == hidden && isLetter(c):
		z.end--
		return z.opensScript(), 0
	}
	z.end--
	return deep, 0
}

// behindSlash looks at what follows "</" in a script.
func (z *splitter) behindSlash(element string, deep depth) depth {
	closes := z.closes(element)
	switch {
	case z.err != nil, closes && deep != nested:
		return through
	case closes:
		z.end += len("</") + len(element) + 1
		return hidden
	}
	return deep
}

// opensComment looks at what follows "<!" in a script.
func (z *splitter) opensComment() (depth, int) {
	for dashes := range 2 {
		switch c := z.next(); {
		case z.err != nil:
			return through, 0
		case c != '-':
			z.end--
			return open, dashes
		}
	}
	return hidden, 2
}

// opensScript looks at a name behind "<" in a comment of a script.
func (z *splitter) opensScript() depth {
	for i := range len("script") {
		c := z.next()
		if z.err != nil {
			return through
		}
		if c|0x20 != "script"[i] {
			z.end--
			return hidden
		}
	}
	switch c := z.next(); {
	case z.err != nil:
		return through
	case isSpace(c), c == '/', c == '>':
		return nested
	}
	z.end--
	return hidden
}
