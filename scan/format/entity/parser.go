package entity

import (
	"io"
	"math"
	"strconv"
)

// Parser reads a message that is written to it in chunks of any size. It keeps
// offsets, headers and a bounded amount of state, never bodies. What it makes
// of the bytes does not depend on how they are cut into chunks.
type Parser struct {
	books   *books
	dialect dialect
	root    *Entity
	pinned  *pin // decisions about the root made beforehand; nil in the first reading
	window  int  // so many bytes of a line are enough to judge it

	off    int64      // offset of the next byte that was not read yet
	held   []byte     // bytes from off on that could not be judged yet
	open   []frame    // the composites being read, outermost first
	bounds boundaries // theirs
	cur    *Entity    // whose header or body is being read; nil: text outside the parts
	mode   mode
	full   bool // no room for further parts: all the rest is text outside

	block   []byte // the header being read, as far as it is kept
	lines   int    // of the header so far
	wide    bool   // the rest of a line longer than the window is being read
	over    bool   // the block was cut
	passed  int    // the last empty line that pastBlank passed over; -1: none yet
	watch   watcher
	to      func() io.WriteCloser // where bodies are decoded to while they are read; nil if they are not
	early   *early                // the body that is decoded; nil if none is
	ready   []*Entity             // those whose bodies were
	meaning meaning

	last  [2]byte  // the bytes before off, within the body
	from  int64    // where the current body or text outside began
	at    int64    // where the dashes that are looked at begin
	hit   hit      // a delimiter whose line has not ended yet
	ends  lineEnds // how delimiters have ended so far
	dots  dots
	looks int                // lines of headers and dashes looked at
	ended map[string]*Entity // by boundary: the multipart around one that ended
}

// mode is what the parser expects next.
type mode int

const (
	inHeader mode = iota
	inBody
	inDelimiter
)

// frame is a composite that is being read.
type frame struct {
	entity   *Entity
	boundary string // "" for a message
	dashes   int    // how many dashes the boundary begins with
	prefix   string // of the numbers of its children
	closed   bool   // its closing delimiter was met
	parts    int    // delimiters met that begin a part
}

// hit is a delimiter.
type hit struct {
	frame int   // index into open
	close bool  // it is the last one
	end   int64 // where the content before it ends
	tail  Span  // the rest of its line after blanks that fill the window
}

// NewParser returns a parser for one message. Limits that are 0 have their
// default.
func NewParser(l Limits) *Parser { return newMessage(newBooks(l)) }

// Inner returns a parser for a message that was decoded from a leaf of t. Both
// share the limits.
func (t *Tree) Inner() *Parser { return newMessage(t.books.inner()) }

// InnerBody returns a parser for the decoded body of e, a leaf of t that is a
// composite with a transfer encoding. The numbers in its tree count within e.
func (t *Tree) InnerBody(e *Entity) *Parser {
	if !isMultipart(e.Type) {
		return t.Inner()
	}
	k := t.books.inner()
	k.parts++
	return newBodyParser(k, &Entity{Type: e.Type, Boundary: e.Boundary, message: true}, 0)
}

func newMessage(k *books) *Parser {
	k.parts++
	return newParser(k, &Entity{message: true}, 0)
}

// newBodyParser returns a parser for the body of root, which begins at offset
// at.
func newBodyParser(k *books, root *Entity, at int64) *Parser {
	p := newParser(k, root, at)
	root.Head, root.Body = Span{at, at}, Span{at, at}
	if !p.composite(root) {
		p.beginContent(math.MaxInt)
	}
	return p
}

// usualHeader is as long as the header of most parts.
const usualHeader = 1 << 10

// newParser returns a parser for what begins at offset at.
func newParser(k *books, root *Entity, at int64) *Parser {
	p := &Parser{books: k, root: root, off: at, window: k.limits.BoundaryBytes + 256, block: make([]byte, 0, usualHeader)}
	p.begin(root)
	return p
}

// Write takes the next bytes. It never fails.
func (p *Parser) Write(b []byte) (int, error) {
	n := len(b)
	p.dots.feed(b)
	for len(b) > 0 {
		if len(p.held) > 0 {
			b = b[p.join(b):]
		} else if taken, stuck := p.step(b, more); stuck {
			p.held = append(p.held, b...)
			break
		} else {
			b = b[taken:]
		}
	}
	return n, nil
}

// join reads the held bytes with as many of b as it takes to judge them, and
// returns how many of b that were.
func (p *Parser) join(b []byte) int {
	have := len(p.held)
	add := min(len(b), p.window)
	p.held = append(p.held, b[:add]...)
	n, stuck := p.step(p.held, more)
	switch {
	case stuck:
		return add
	case n >= have:
		p.held = p.held[:0]
		return n - have
	}
	p.held = p.held[:copy(p.held, p.held[n:have])]
	return 0
}

// Close ends the message and returns the first reading.
func (p *Parser) Close() *Tree {
	for len(p.held) > 0 {
		n, _ := p.step(p.held, end)
		p.held = p.held[n:]
	}
	if p.mode == inDelimiter {
		p.delimited()
	}
	for p.mode == inHeader {
		p.endHeader()
	}
	p.endContent(p.off)
	p.popTo(0, p.off)
	if p.dots.marked() && p.root.Reading == "" && p.pinned == nil {
		p.books.note(p.root, "smuggling-mark", Span{}, "")
	}
	return &Tree{Root: p.root, Size: p.off, books: p.books}
}

// rest says whether bytes may follow those at hand.
type rest int

const (
	more rest = iota
	end
)

// step reads some of b, which starts at off, and returns how many bytes it
// read. It is stuck if it can say nothing before there are more bytes; it never
// is when b is as long as the window or r is end.
func (p *Parser) step(b []byte, r rest) (n int, stuck bool) {
	switch p.mode {
	case inHeader:
		return p.header(b, r)
	case inBody:
		return p.body(b, r)
	}
	return p.delimiterLine(b, r)
}

// begin starts to read e, whose header is at off.
func (p *Parser) begin(e *Entity) {
	e.Head.Start = p.off
	p.cur, p.mode = e, inHeader
	p.block, p.lines, p.wide, p.over, p.passed = p.block[:0], 0, false, false, -1
}

// beginText starts to read the text outside the parts of the innermost
// composite.
func (p *Parser) beginText() {
	p.cur = nil
	p.beginContent(math.MaxInt)
}

// beginContent starts to read bytes that are not taken apart. So many lines of
// them are looked at.
func (p *Parser) beginContent(look int) {
	p.mode, p.from = inBody, p.off
	p.last = [2]byte{'\n', '\n'}
	p.watch.begin(look)
}

// endHeader takes the header apart and decides how to read the body.
func (p *Parser) endHeader() {
	e := p.cur
	e.Head.End = p.off
	e.Body = Span{p.off, p.off}
	p.parseBlock(e)
	p.books.describe(e, &p.meaning, p.defaultType())
	if p.pinned != nil && e == p.root {
		p.pinned.apply(e)
	}
	if e.message {
		p.books.noteMessage(e)
	}
	if p.composite(e) {
		return
	}
	if e.message {
		e.Number = e.prefix + "1"
	}
	look := math.MaxInt
	if e.Encoding != Identity {
		look = firstLines
	}
	p.beginContent(look)
	p.beginEarly(e)
}

// defaultType returns the type of an entity that declares none here.
func (p *Parser) defaultType() string {
	switch {
	case len(p.open) > 0:
		return defaultType(p.open[len(p.open)-1].entity)
	case p.pinned != nil:
		return p.pinned.byDefault
	}
	return "text/plain"
}

// delimited goes on after the line of a delimiter.
func (p *Parser) delimited() {
	h := p.hit
	p.endContent(h.end)
	p.popTo(h.frame+1, h.end)
	f := &p.open[h.frame]
	if h.tail.Len() > 0 {
		f.entity.Loose = append(f.entity.Loose, h.tail)
		p.books.weighText(f.entity, h.tail, holdsText)
	}
	if h.close {
		f.closed = p.dialect&closeGoesOn == 0
		p.beginText()
		return
	}
	f.parts++
	child := p.room(f.entity)
	if child == nil {
		p.beginText()
		return
	}
	child.Number = f.prefix + strconv.Itoa(f.parts)
	f.entity.Children = append(f.entity.Children, child)
	p.begin(child)
}

// endContent ends the body or the text outside that is being read.
func (p *Parser) endContent(at int64) {
	p.watch.end()
	if p.cur != nil {
		p.cur.Body.End = at
		p.endEarly()
		p.books.weighLeaf(p.cur, p.watch.seen)
		return
	}
	e := p.open[len(p.open)-1].entity
	if at <= p.from {
		return
	}
	seen := p.watch.seen
	if p.full {
		seen |= holdsText // there was no room to take it apart
	}
	e.Loose = append(e.Loose, Span{p.from, at})
	p.books.weighText(e, Span{p.from, at}, seen)
}
