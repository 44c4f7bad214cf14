package pdf

import "bytes"

// token is the kind of a token.
type token int

// The tokens of PDF (ISO 32000-1, section 7.2 and 7.3).
const (
	endOfData token = iota
	nameToken
	stringToken
	numberToken
	keyword
	closing // a keyword that shows that an object was never ended; it stays unread
	dictBegin
	dictEnd
	arrayBegin
	arrayEnd
	lonelyEnd // one ">" without the other
)

// longestToken bounds the kept text of one token, in bytes; the lexer skips the rest.
const longestToken = 64 << 10

// lexer cuts a source into tokens.
type lexer struct {
	source
	text    []byte // of a name, string, number or keyword, escapes undone
	loose   bool   // unclear bytes are read the other way
	unclear bool   // readers differ in how they read something
}

// The classes of characters, section 7.2.2. A vertical tab is regular to viewers, and
// a blank to readers that ask the C library.
const (
	regular = iota
	blank
	delimiter
	vertical
)

var classes = func() (c [256]byte) {
	for i := range c {
		switch {
		case i == '\v':
			c[i] = vertical
		case isSpace(byte(i)):
			c[i] = blank
		case bytes.IndexByte([]byte("()<>[]{}/%"), byte(i)) >= 0:
			c[i] = delimiter
		}
	}
	return c
}()

// token reads the next token.
func (l *lexer) token() token {
	l.text = l.text[:0]
	b, ok := l.skipBlanks()
	if !ok {
		return endOfData
	}
	if classes[b] != delimiter {
		return l.word()
	}
	l.pos++
	switch b {
	case '/':
		l.name()
		return nameToken
	case '(':
		l.literal()
		return stringToken
	case '[':
		return arrayBegin
	case ']':
		return arrayEnd
	case '<':
		return l.less()
	case '>':
		if l.follows('>') {
			return dictEnd
		}
		return lonelyEnd
	}
	return keyword
}

// follows reads a byte if it is the next one.
func (l *lexer) follows(b byte) bool {
	next, ok := l.peek()
	if ok = ok && next == b; ok {
		l.pos++
	}
	return ok
}

// less reads what begins with "<": a dictionary or a string in hexadecimal.
func (l *lexer) less() token {
	if l.follows('<') {
		return dictBegin
	}
	l.hexadecimal()
	return stringToken
}

// skipBlanks skips blanks and comments and returns the byte after them, unread.
func (l *lexer) skipBlanks() (byte, bool) {
	comment := false
	for b := l.rest(); b != nil; b = l.rest() {
		for i, c := range b {
			switch {
			case c == '\n' || c == '\r':
				comment = false
			case c == '%':
				comment = true
			case !comment && classes[c] != blank && !(classes[c] == vertical && l.verticalBlank()):
				l.pos += int64(i)
				return c, true
			}
		}
		l.pos += int64(len(b))
	}
	return 0, false
}

// keep adds to the text of a token.
func (l *lexer) keep(b ...byte) {
	l.text = append(l.text, b[:min(len(b), longestToken-len(l.text))]...)
}

// regulars reads regular characters.
func (l *lexer) regulars() {
	for b := l.rest(); b != nil; b = l.rest() {
		n := 0
		for n < len(b) && (classes[b[n]] == regular || classes[b[n]] == vertical && !l.verticalBlank()) {
			n++
		}
		l.keep(b[:n]...)
		l.pos += int64(n)
		if n < len(b) {
			return
		}
	}
}

// verticalBlank reports whether a vertical tab is a blank.
func (l *lexer) verticalBlank() bool {
	l.unclear = true
	return l.loose
}

// name reads a name after its slash; "#41" in it is "A" (section 7.3.5).
func (l *lexer) name() {
	l.regulars()
	if bytes.IndexByte(l.text, '#') >= 0 {
		l.text = unescaped(l.text)
	}
}

func unescaped(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '#' && i+2 < len(b) {
			high, ok1 := digit(b[i+1])
			low, ok2 := digit(b[i+2])
			if ok1 && ok2 {
				out = append(out, high<<4|low)
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

// word reads a number or a keyword.
func (l *lexer) word() token {
	at := l.pos
	l.regulars()
	if isNumber(l.text) {
		return numberToken
	}
	switch string(l.text) {
	case "endobj", "stream", "obj", "xref", "trailer":
		l.pos = at
		return closing
	}
	return keyword
}

func isNumber(text []byte) bool {
	for _, b := range text {
		if !isNumeric(b) {
			return false
		}
	}
	return true
}

func isNumeric(b byte) bool { return b >= '0' && b <= '9' || b == '+' || b == '-' || b == '.' }

// literal reads a string in parentheses, which may hold balanced ones (section
// 7.3.4.2).
func (l *lexer) literal() {
	for depth := 1; ; {
		b, ok := l.peek()
		if !ok {
			return
		}
		l.pos++
		switch b {
		case '\\':
			l.escape()
			continue
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return
			}
		}
		l.keep(b)
	}
}

// escape reads what follows a backslash in a string.
func (l *lexer) escape() {
	b, ok := l.peek()
	if !ok {
		return
	}
	l.pos++
	i := bytes.IndexByte([]byte("nrtbf"), b)
	switch {
	case b >= '0' && b <= '7':
		l.octal(b - '0')
	case b == '\r', b == '\n': // the line goes on
	case i >= 0:
		l.keep("\n\r\t\b\f"[i])
	default:
		l.keep(b)
	}
}

// octal reads up to two more digits.
func (l *lexer) octal(n byte) {
	for range 2 {
		d, ok := l.peek()
		if !ok || d < '0' || d > '7' {
			break
		}
		n = n<<3 | (d - '0')
		l.pos++
	}
	l.keep(n)
}

// hexadecimal reads a string in hexadecimal digits after its "<". An odd digit at
// the end counts sixteen times.
func (l *lexer) hexadecimal() {
	var high byte
	odd := false
	for {
		b, ok := l.peek()
		if ok {
			l.pos++
		}
		d, isDigit := digit(b)
		switch {
		case !ok || b == '>':
			if odd {
				l.keep(high << 4)
			}
			return
		case !isDigit:
		case odd:
			l.keep(high<<4 | d)
			odd = false
		default:
			high, odd = d, true
		}
	}
}
