package markup

import (
	"bytes"
	"errors"
	"io"
	"math"

	"github.com/milterscan/milterscan/scan/scratch"
)

// piece is what a splitter has found.
type piece int

const (
	ended     piece = iota // there is no more; of a tag that has no end, there may be bytes
	textPiece              // also literal text
	startPiece
	endPiece
	commentPiece // also a declaration and a processing instruction
)

// splitter splits HTML into tokens where browsers do (WHATWG HTML, section 13.2.5), as the
// tokenizer of x/net/html does. That one works out every attribute as well, by way of a map;
// here the reader of a token does so, if anybody asks.
type splitter struct {
	r          io.Reader
	buf        []byte
	start, end int    // of the token
	stop       int    // up to where there are bytes that may belong to it
	limit      int    // the longest token
	literal    string // the element whose literal text comes next
	cdata      bool   // CDATA sections are known
	err        error
	readErr    error // comes after what is in buf
	lent       *scratch.Buffer
}

// errTooLong says that a token is longer than the limit.
var errTooLong = errors.New("the token is too long")

func newSplitter(r io.Reader, limit int) *splitter {
	lent := scratch.Lend()
	if limit <= 0 {
		limit = math.MaxInt
	}
	return &splitter{r: r, limit: limit, lent: lent, buf: lent[:0]}
}

// raw returns the bytes of the token. They are good until the next one is read.
func (z *splitter) raw() []byte { return z.buf[z.start:z.end] }

// ahead returns what was read and is of no token yet.
func (z *splitter) ahead() []byte { return z.buf[z.end:] }

// leave gives the buffer back. Nothing more is read.
func (z *splitter) leave() {
	if z.lent != nil {
		z.lent.Return()
	}
	z.lent, z.buf, z.start, z.end, z.stop = nil, nil, 0, 0, 0
}

// next returns the next byte, 0 with an error.
func (z *splitter) next() byte {
	if z.end < z.stop {
		z.end++
		return z.buf[z.end-1]
	}
	return z.more()
}

// more does what next does where bytes have to be read, or the token is too long.
func (z *splitter) more() byte {
	if z.end >= len(z.buf) && !z.fill() {
		return 0
	}
	z.bound()
	z.end++
	if z.end-z.start >= z.limit {
		z.err = errTooLong
		return 0
	}
	return z.buf[z.end-1]
}

// bound says up to where bytes may belong to the token. The one that makes it too long does
// not.
func (z *splitter) bound() { z.stop = min(len(z.buf), z.start+min(z.limit, math.MaxInt-z.start)-1) }

// fill reads on. The bytes of the token, and what was read behind it, stay in one piece.
func (z *splitter) fill() bool {
	if z.err = z.readErr; z.err != nil {
		return false
	}
	held := z.buf[z.start:]
	if room := z.buf[:0]; 2*len(held) > cap(room) {
		z.buf = append(make([]byte, 0, 2*cap(room)), held...)
		if z.lent != nil {
			z.lent.Return()
			z.lent = nil
		}
	} else {
		z.buf = append(room, held...)
	}
	z.start, z.end = 0, z.end-z.start
	var n int
	for tries := 0; n == 0 && z.readErr == nil; tries++ {
		if tries == mostTries {
			z.readErr = io.ErrNoProgress
			break
		}
		n, z.readErr = z.r.Read(z.buf[len(held):cap(z.buf)])
	}
	z.buf = z.buf[:len(held)+n]
	z.bound()
	if n == 0 {
		z.err = z.readErr
	}
	return n > 0
}

// peek reads on until n bytes come after the token, if there are so many, and returns the token
// and what comes after it.
func (z *splitter) peek(n int) []byte {
	err := z.err
	for len(z.buf)-z.end < n && z.fill() {
	}
	z.err = err
	return z.buf[z.start:]
}

// mostTries is how often a reader may return nothing in turn.
const mostTries = 100

// past skips up to a byte and that one, and reports whether it is there.
func (z *splitter) past(c byte) bool {
	for {
		if i := bytes.IndexByte(z.buf[z.end:max(z.end, z.stop)], c); i >= 0 {
			z.end += i + 1
			return true
		}
		z.end = max(z.end, z.stop)
		if got := z.more(); z.err != nil || got == c {
			return z.err == nil
		}
	}
}

// token finds the next token.
func (z *splitter) token() piece {
	z.start = z.end
	z.bound()
	if z.err != nil {
		return ended
	}
	if z.literal != "" {
		if z.text(); z.start < z.end {
			return textPiece
		}
	}
	for z.past('<') {
		c := z.next()
		if z.err != nil {
			break
		}
		if !isLetter(c) && c != '/' && c != '!' && c != '?' {
			z.end--
			continue
		}
		if z.end-z.start > len("<a") {
			z.end -= len("<a")
			return textPiece
		}
		if kind := z.markup(c); kind != textPiece {
			return kind
		}
		break
	}
	if z.start < z.end {
		return textPiece
	}
	return ended
}

// markup reads a token that begins with "<" and c.
func (z *splitter) markup(c byte) piece {
	switch c {
	case '!':
		return z.declaration()
	case '?':
		z.end--
	case '/':
		if c = z.next(); z.err != nil {
			return textPiece
		}
		switch {
		case c == '>':
			return commentPiece
		case isLetter(c):
			return z.tag(endPiece)
		}
		z.end--
	default:
		return z.tag(startPiece)
	}
	z.past('>')
	return commentPiece
}

// tag reads the rest of a tag.
func (z *splitter) tag(kind piece) piece {
	z.name()
	for z.blanks(); z.err == nil; z.blanks() {
		if z.next() == '>' {
			return kind
		}
		if z.err != nil {
			break
		}
		z.end--
		z.attrName()
		z.attrValue()
	}
	return ended
}

// name reads the rest of a tag's name.
func (z *splitter) name() {
	for {
		c := z.next()
		if z.err != nil {
			return
		}
		if isSpace(c) || c == '/' || c == '>' {
			z.end--
			return
		}
	}
}

// blanks skips blanks.
func (z *splitter) blanks() {
	for z.err == nil {
		if c := z.next(); z.err == nil && !isSpace(c) {
			z.end--
			return
		}
	}
}

// attrName reads the name of an attribute. An equals sign may begin one.
func (z *splitter) attrName() {
	for first := true; ; first = false {
		c := z.next()
		switch {
		case z.err != nil:
			return
		case c == '=' && first:
		case c == '=', isSpace(c), c == '/', c == '>':
			z.end--
			return
		}
	}
}

// attrValue reads what follows a name, up to the end of the value if there is one.
func (z *splitter) attrValue() {
	if z.blanks(); z.err != nil {
		return
	}
	c := z.next()
	if z.err != nil || c == '/' {
		return
	}
	if c != '=' {
		z.end--
		return
	}
	if z.blanks(); z.err != nil {
		return
	}
	if c = z.next(); z.err != nil {
		return
	}
	if isQuote(c) {
		z.past(c)
		return
	}
	for z.err == nil {
		if c == '>' || isSpace(c) {
			z.end--
			return
		}
		c = z.next()
	}
}

// declaration reads what begins with "<!": a comment, a DOCTYPE, a CDATA section where it
// is known, or else what counts as a comment.
func (z *splitter) declaration() piece {
	first := z.next()
	if z.err != nil {
		return commentPiece
	}
	second := z.next()
	if z.err != nil {
		return commentPiece
	}
	if first == '-' && second == '-' {
		z.comment()
		return commentPiece
	}
	z.end -= 2
	if z.word("DOCTYPE", true) {
		if z.blanks(); z.err != nil {
			return commentPiece
		}
	} else if z.cdata && z.word("[CDATA[", false) {
		z.section()
		return textPiece
	}
	z.past('>')
	return commentPiece
}

// word reads a word behind "<!", or nothing.
func (z *splitter) word(word string, fold bool) bool {
	for i := range len(word) {
		c := z.next()
		if z.err != nil && z.err != io.EOF {
			return false
		}
		if z.err == nil && (c == word[i] || fold && c == word[i]|0x20) {
			continue
		}
		z.err = nil
		z.end = z.start + len("<!")
		return false
	}
	return true
}

// comment reads the rest of a comment.
func (z *splitter) comment() {
	dashes, beginning := 0, true
	for {
		c := z.next()
		if z.err != nil {
			return
		}
		if c == '!' && dashes >= 2 {
			switch c = z.next(); {
			case z.err != nil, c == '>':
				return
			case c == '-':
				dashes, beginning = 1, false
				continue
			}
			c = 0
		}
		switch {
		case c == '-':
			dashes++
			continue
		case c == '>' && (dashes >= 2 || beginning):
			return
		}
		dashes, beginning = 0, false
	}
}

// section reads the rest of a CDATA section.
func (z *splitter) section() {
	for brackets := 0; ; {
		switch c := z.next(); {
		case z.err != nil, c == '>' && brackets >= 2:
			return
		case c == ']':
			brackets++
		default:
			brackets = 0
		}
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
