package document

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/milterscan/milterscan/scan"
)

// pdfSource is bytes to be read forwards, with jumps. Errors and the end of the
// data look alike to who reads; err tells them apart.
type pdfSource struct {
	ctx   context.Context
	c     scan.Content
	buf   []byte
	start int64 // offset of buf
	pos   int64
	err   error
	left  int64 // bytes that may still be read, jumps back included
}

// errTooLong is the error of a source whose reader went back too often.
var errTooLong = errors.New("its objects overlap too often")

// newPDFSource returns a source that may be read several times over: objects of
// hostile files overlap.
func newPDFSource(ctx context.Context, c scan.Content) *pdfSource {
	const times, extra = 8, 16 << 20
	return &pdfSource{ctx: ctx, c: c, left: times*c.Size() + extra}
}

// peek is the next byte, without reading it.
func (s *pdfSource) peek() (byte, bool) {
	if i := s.pos - s.start; i >= 0 && i < int64(len(s.buf)) {
		return s.buf[i], true
	}
	return s.fill()
}

// fill reads a window at pos.
func (s *pdfSource) fill() (byte, bool) {
	const window = 32 << 10
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err == nil && s.left <= 0 {
		s.err = errTooLong
	}
	if s.err != nil || s.pos < 0 || s.pos >= s.c.Size() {
		return 0, false
	}
	if cap(s.buf) < window {
		s.buf = make([]byte, window)
	}
	n, err := s.c.ReadAt(s.buf[:cap(s.buf)][:min(window, s.c.Size()-s.pos)], s.pos)
	s.buf, s.start = s.buf[:n], s.pos
	s.left -= int64(n)
	if n == 0 {
		if err != io.EOF {
			s.err = err
		}
		return 0, false
	}
	return s.buf[0], true
}

// pdfToken is the kind of a token.
type pdfToken int

// The tokens of PDF (ISO 32000-1, section 7.2 and 7.3).
const (
	pdfEnd pdfToken = iota
	pdfName
	pdfString
	pdfNumber
	pdfKeyword
	pdfDictBegin
	pdfDictEnd
	pdfArrayBegin
	pdfArrayEnd
)

// longestToken is what is kept of one token in bytes; the rest is read over.
const longestToken = 8 << 10

// pdfLexer cuts a source into tokens.
type pdfLexer struct {
	*pdfSource
	text []byte // of a name, string, number or keyword, escapes undone
}

func isPDFSpace(b byte) bool {
	return b == ' ' || b == '\n' || b == '\r' || b == '\t' || b == '\f' || b == 0
}

func isPDFDelimiter(b byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), b) >= 0 }

// token reads the next token.
func (l *pdfLexer) token() pdfToken {
	l.text = l.text[:0]
	b, ok := l.skipBlanks()
	if !ok {
		return pdfEnd
	}
	l.pos++
	switch b {
	case '/':
		l.name()
		return pdfName
	case '(':
		l.literal()
		return pdfString
	case '[':
		return pdfArrayBegin
	case ']':
		return pdfArrayEnd
	case '<':
		return l.less()
	case '>':
		if b, ok := l.peek(); ok && b == '>' {
			l.pos++
			return pdfDictEnd
		}
		return pdfKeyword
	case ')', '{', '}':
		return pdfKeyword
	}
	l.pos--
	return l.regular()
}

// less reads what begins with "<": a dictionary or a string in hexadecimal.
func (l *pdfLexer) less() pdfToken {
	if b, ok := l.peek(); ok && b == '<' {
		l.pos++
		return pdfDictBegin
	}
	l.hexadecimal()
	return pdfString
}

// skipBlanks reads over blanks and comments and is the byte behind them, unread.
func (l *pdfLexer) skipBlanks() (byte, bool) {
	comment := false
	for {
		b, ok := l.peek()
		switch {
		case !ok:
			return 0, false
		case b == '\n' || b == '\r':
			comment = false
		case b == '%':
			comment = true
		case !comment && !isPDFSpace(b):
			return b, true
		}
		l.pos++
	}
}

func (l *pdfLexer) keep(b byte) {
	if len(l.text) < longestToken {
		l.text = append(l.text, b)
	}
}

// name reads a name behind its slash; "#41" in it is "A" (section 7.3.5).
func (l *pdfLexer) name() {
	for {
		b, ok := l.peek()
		if !ok || isPDFSpace(b) || isPDFDelimiter(b) {
			break
		}
		l.pos++
		l.keep(b)
	}
	if bytes.IndexByte(l.text, '#') >= 0 {
		l.text = unescapeName(l.text)
	}
}

func unescapeName(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '#' && i+2 < len(b) {
			hi, ok1 := hexValue(b[i+1])
			lo, ok2 := hexValue(b[i+2])
			if ok1 && ok2 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

func hexValue(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}

// literal reads a string in parentheses, which may hold balanced ones.
func (l *pdfLexer) literal() {
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

// escape reads what stands behind a backslash in a string.
func (l *pdfLexer) escape() {
	b, ok := l.peek()
	if !ok {
		return
	}
	l.pos++
	switch {
	case b >= '0' && b <= '7':
		n := int(b - '0')
		for range 2 {
			if d, ok := l.peek(); ok && d >= '0' && d <= '7' {
				n = n<<3 | int(d-'0')
				l.pos++
			}
		}
		l.keep(byte(n))
	case b == '\r', b == '\n':
	default:
		if plain, known := pdfEscapes[b]; known {
			b = plain
		}
		l.keep(b)
	}
}

var pdfEscapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}

// hexadecimal reads a string in hexadecimal digits behind its "<".
func (l *pdfLexer) hexadecimal() {
	var high byte
	odd := false
	for {
		b, ok := l.peek()
		if !ok {
			return
		}
		l.pos++
		if b == '>' {
			if odd {
				l.keep(high << 4)
			}
			return
		}
		v, ok := hexValue(b)
		switch {
		case !ok:
		case odd:
			l.keep(high<<4 | v)
			odd = false
		default:
			high, odd = v, true
		}
	}
}

// regular reads a number or a keyword.
func (l *pdfLexer) regular() pdfToken {
	digits := true
	for {
		b, ok := l.peek()
		if !ok || isPDFSpace(b) || isPDFDelimiter(b) {
			break
		}
		digits = digits && (b >= '0' && b <= '9' || b == '+' || b == '-' || b == '.')
		l.pos++
		l.keep(b)
	}
	if digits {
		return pdfNumber
	}
	return pdfKeyword
}
