package entity

import (
	"math"
	"strconv"
	"strings"
)

// Parser reads a message that is written to it in chunks of any size. It keeps
// offsets, headers and a bounded amount of state, never bodies. What it makes
// of the bytes does not depend on how they are cut into chunks.
type Parser struct {
	books   *books
	dialect dialect
	root    *Entity
	pinned  *pin // what is decided about the root beforehand; nil in the first reading
	window  int  // so many bytes of a line are enough to judge it

	off  int64   // offset of the next byte that was not read yet
	held []byte  // bytes from off on that could not be judged yet
	open []frame // the composites being read, outermost first
	cur  *Entity // whose header or body is being read; nil: text outside the parts
	mode mode
	full bool // no room for further parts: all the rest is text outside

	block   []byte // the header being read, as far as it is kept
	lines   int    // of the header so far
	wide    bool   // the rest of a line longer than the window is being read
	over    bool   // the block was cut
	passed  int    // the last empty line that pastBlank passed over; -1: none yet
	watch   watcher
	meaning meaning

	last  [2]byte  // the bytes before off, within the body
	from  int64    // where the current body or text outside began
	at    int64    // where the dashes that are looked at begin
	hit   hit      // a delimiter whose line has not ended yet
	ends  lineEnds // how delimiters have ended so far
	dots  dots
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
}

// NewParser returns a parser for one message. Limits that are 0 have their
// default.
func NewParser(l Limits) *Parser {
	k := newBooks(l)
	root := &Entity{message: true}
	k.parts = 1
	return newParser(k, root, 0)
}

// NewBodyParser returns a parser for the decoded body of e: a composite that
// had a transfer encoding, so that it is a leaf. Its numbers count within e.
func NewBodyParser(l Limits, e *Entity) *Parser {
	if !isMultipart(e.Type) {
		return NewParser(l)
	}
	k := newBooks(l)
	k.parts = 1
	return newBodyParser(k, &Entity{Type: e.Type, Boundary: e.Boundary, message: true}, 0)
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

// newParser returns a parser for what begins at offset at.
func newParser(k *books, root *Entity, at int64) *Parser {
	p := &Parser{books: k, root: root, off: at, window: k.limits.BoundaryBytes + 256}
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
	if p.dots.found && p.root.Reading == "" && p.pinned == nil {
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
	n, whole := p.lineEnd(b, r)
	p.off += int64(n)
	if whole {
		p.delimited()
	}
	return n, n == 0
}

// begin starts to read e, whose header is at off.
func (p *Parser) begin(e *Entity) {
	e.Head.Start = p.off
	p.cur, p.mode = e, inHeader
	p.block, p.lines, p.wide, p.over, p.passed = p.block[:0], 0, false, false, -1
}

// beginText starts to read what stands outside the parts of the innermost
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
}

// defaultType is the type of an entity that declares none here.
func (p *Parser) defaultType() string {
	switch {
	case len(p.open) > 0:
		return defaultType(p.open[len(p.open)-1].entity)
	case p.pinned != nil:
		return p.pinned.byDefault
	}
	return "text/plain"
}

// composite goes into e if it is a composite that can be taken apart here.
func (p *Parser) composite(e *Entity) bool {
	multipart := isMultipart(e.Type) && e.Boundary != ""
	switch {
	case !multipart && !isMessage(e.Type), e == p.root && p.pinned != nil && p.pinned.leaf:
		return false
	case len(p.open) >= p.books.limits.Depth:
		p.books.note(e, "depth-limit", e.Head, "")
		return false
	case multipart:
		p.push(e)
		return true
	case e.Encoding != Identity:
		p.books.noteEncodedMessage(e)
		return false
	}
	p.pushMessage(e)
	return true
}

// push goes into a multipart.
func (p *Parser) push(e *Entity) {
	p.noteReuse(e)
	f := frame{entity: e, boundary: e.Boundary, prefix: e.prefix}
	for f.dashes < len(f.boundary) && f.boundary[f.dashes] == '-' {
		f.dashes++
	}
	if !e.message {
		f.prefix = e.Number + "."
	}
	e.composite = true
	p.open = append(p.open, f)
	p.beginText()
}

// noteReuse notes a boundary that one further out begins with, or the other way
// round.
func (p *Parser) noteReuse(e *Entity) {
	for i := range p.open {
		if b := p.open[i].boundary; b != "" && (strings.HasPrefix(b, e.Boundary) || strings.HasPrefix(e.Boundary, b)) {
			p.books.suspect(p.open[i].entity, sameBoundary, "boundary-reused", e.Head, e.Boundary)
		}
	}
}

// pushMessage goes into an attached message.
func (p *Parser) pushMessage(e *Entity) {
	if e.message {
		e.Number = e.prefix + "1"
	}
	inner := p.room(e)
	if inner == nil {
		p.beginContent(math.MaxInt)
		return
	}
	e.composite = true
	p.open = append(p.open, frame{entity: e, prefix: e.Number + "."})
	inner.message, inner.prefix = true, e.Number+"."
	e.Children = append(e.Children, inner)
	p.begin(inner)
}

// room returns a new entity inside e, or nil if there are enough.
func (p *Parser) room(e *Entity) *Entity {
	if p.books.parts >= p.books.limits.Parts {
		p.books.note(e, "parts-limit", Span{p.off, p.off}, "")
		p.full = true
		return nil
	}
	p.books.parts++
	return &Entity{Reading: p.root.Reading}
}

// delimited goes on behind the line of a delimiter.
func (p *Parser) delimited() {
	h := p.hit
	p.endContent(h.end)
	p.popTo(h.frame+1, h.end)
	f := &p.open[h.frame]
	if h.close && p.dialect&closeGoesOn == 0 {
		f.closed = true
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
		p.books.weighLeaf(p.cur, p.watch.seen)
		return
	}
	e := p.open[len(p.open)-1].entity
	if at > p.from {
		e.Loose = append(e.Loose, Span{p.from, at})
		p.books.weighText(e, Span{p.from, at}, p.watch.seen)
	}
}

// popTo leaves the composites from index n on, which end at offset at.
func (p *Parser) popTo(n int, at int64) {
	for len(p.open) > n {
		f := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		f.entity.Body.End = at
		if f.boundary != "" {
			p.endMultipart(&f)
		}
	}
}

// endMultipart judges a multipart that ends. One without delimiters is a leaf:
// that is how clients show it.
func (p *Parser) endMultipart(f *frame) {
	e := f.entity
	if f.parts == 0 {
		p.unsplit(e)
		return
	}
	if !f.closed {
		p.books.note(e, "multipart-unclosed", Span{e.Body.End, e.Body.End}, f.boundary)
	}
	if e.Encoding != Identity {
		p.books.suspect(e, encodedComposite, "encoded-multipart", e.Head, string(e.Encoding))
		e.Encoding = Identity
	}
	if len(p.open) > 0 {
		if p.ended == nil {
			p.ended = map[string]*Entity{}
		}
		p.ended[f.boundary] = p.root
	}
}

// unsplit makes a leaf of a multipart none of whose delimiters was met.
func (p *Parser) unsplit(e *Entity) {
	e.composite, e.Loose = false, nil
	if e.message {
		e.Number = e.prefix + "1"
	}
	if e.Encoding != Identity {
		p.books.note(e, "encoded-multipart", e.Head, string(e.Encoding))
		return
	}
	p.books.suspect(e, boundaryUnused, "boundary-unused", e.Head, e.Boundary)
}
