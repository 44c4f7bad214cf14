package entity

import (
	"fmt"
	"io"
	"slices"

	"github.com/milterscan/milterscan/scan/scratch"
)

const deepest = 3 // readings of readings of readings are enough

// Reread reads again what some client might read differently and enters it as
// Entity.Also, and takes wrapped files out of texts, as
// Entity.Carved. c holds the bytes that were parsed. A leaf that two readings
// share is entered once. Deviations of class Ambiguous that turn out to make no
// difference become Malformed. In ordinary mail there is nothing to do, and c
// is not read. If c fails, the deviation "reread-limit" says that something was
// not read.
func (t *Tree) Reread(c io.ReaderAt) {
	if t.books == nil || !t.books.dubious {
		return
	}
	t.books.dubious = false
	t.books.root = t.Root
	buf := scratch.Lend()
	defer buf.Return()
	r := newRereader(t.books, c, buf)
	for e := range t.Leaves() {
		r.first.add(e)
		r.seen.add(e)
	}
	r.entity(t.Root, "text/plain", 0, 0)
	r.carve(t)
}

// rereader is at work on one message.
type rereader struct {
	*books
	content io.ReaderAt
	first   leafSet          // the leaves of the first reading
	seen    leafSet          // those of all readings so far
	tried   map[attempt]bool // whether a reading had new leaves
	buf     []byte
	labels  int
	spent   bool // the budget is used up

	doubtful bool   // clients read the message differently
	carvedAt []Span // what was carved
}

func newRereader(k *books, c io.ReaderAt, buf *scratch.Buffer) *rereader {
	return &rereader{
		books:   k,
		content: c,
		first:   leafSet{},
		seen:    leafSet{},
		tried:   map[attempt]bool{},
		buf:     buf[:],
	}
}

// pin is what another reading decides about the entity it begins with.
type pin struct {
	choice
	why       suspicion
	mild      bool   // the reading is kept, but its leaves are no other ones
	byDefault string // the media type if the header has none
}

// choice is what makes a reading different. Its zero value is the first one.
type choice struct {
	dialect  dialect
	typ      string   // "": as the header says
	boundary string   // "": as the header says
	encoding Encoding // if recode is set
	recode   bool
	leaf     bool // do not take it apart
}

// apply puts the decisions in place of what the header says.
func (n *pin) apply(e *Entity) {
	if n.typ != "" {
		e.Type = n.typ
	}
	if n.boundary != "" {
		e.Boundary = n.boundary
	}
	if n.recode {
		e.Encoding = n.encoding
	}
}

// attempt identifies a reading, so that none is tried twice.
type attempt struct {
	at Span
	choice
}

// entity reads e, and all in it, in the other ways. What done holds was dealt
// with further up. It reports whether any reading had new leaves.
func (r *rereader) entity(e *Entity, byDefault string, done suspicion, level int) bool {
	differs := false
	if open := e.seen &^ done &^ carvable; open != 0 && level < deepest {
		var confirmed suspicion
		for _, n := range r.readings(e, open) {
			n.byDefault = byDefault
			if r.try(e, &n, done|n.why, level) && !n.mild {
				confirmed |= n.why
			}
		}
		r.settle(e, confirmed, open)
		differs = confirmed != 0
	}
	for _, child := range e.Children {
		if r.entity(child, defaultType(e), done&ofBelow, level) {
			differs = true
		}
	}
	return differs
}

// ofBelow are the sights that a reading deals with in all it holds.
const ofBelow = delimiterTail | delimiterInLine | delimiterAfterCR | afterClose | strayDelimiter | sameBoundary | loneCR

// try reads e as n says, keeps the new leaves, and reports whether the first
// reading of the message lacks one.
func (r *rereader) try(e *Entity, n *pin, done suspicion, level int) bool {
	key := attempt{Span{e.Head.Start, e.Body.End}, n.choice}
	if differs, again := r.tried[key]; again {
		return differs
	}
	if len(e.Also) >= r.limits.Readings {
		r.note(e, "readings-limit", e.Head, "")
		return true
	}
	parts, header := r.parts, r.header
	other, ok := r.read(e, n, key.at)
	if !ok {
		return true
	}
	differs := r.differs(other) && !n.idle(e, other)
	n.mild = n.mild || n.moves(e, other)
	fresh := differs && r.prune(other)
	if fresh {
		r.label(other)
	}
	if r.entity(other, n.byDefault, done, level+1) {
		differs = true
	}
	r.tried[key] = differs
	if fresh {
		hush(other)
		e.Also = append(e.Also, other)
		return differs
	}
	r.parts, r.header = parts, header
	r.lift(e, other)
	return differs
}

// idle reports whether fields in a body, taken for a header, change nothing
// about how the rest of the body is shown.
func (n *pin) idle(e, other *Entity) bool {
	return n.why == fieldsInBody && !other.composite && other.Encoding == e.Encoding && slices.Equal(other.Names, e.Names)
}

// moves reports whether a reading only ends the header elsewhere, so that a
// plain text begins sooner or later.
func (n *pin) moves(e, other *Entity) bool {
	return n.why&(blankLine|junkLine|crLine) != 0 && !e.composite && !other.composite &&
		e.Encoding == Identity && other.Encoding == Identity && e.Type == other.Type && slices.Equal(e.Names, other.Names)
}

// lift keeps the readings below one that is not kept itself.
func (r *rereader) lift(e, dropped *Entity) {
	e.Also = append(e.Also, dropped.Also...)
	for _, child := range dropped.Children {
		r.lift(e, child)
	}
}

// read parses the bytes of e again as n says.
func (r *rereader) read(e *Entity, n *pin, at Span) (other *Entity, ok bool) {
	before := r.parts
	if !r.spend(at.Len()) || !r.another() {
		return nil, false
	}
	root := &Entity{Number: e.Number, message: e.message, prefix: e.prefix}
	p := newParser(r.books, root, at.Start)
	p.pinned, p.dialect = n, n.dialect
	if !r.copy(p, at) {
		return nil, false
	}
	p.Close()
	r.reread += int64(p.looks)*lookCost + int64(r.parts-before)*partCost
	return root, true
}

// another takes a part off the budget, if there is one.
func (r *rereader) another() bool {
	if r.parts >= r.limits.Parts {
		r.note(r.root, "parts-limit", Span{}, "")
		return false
	}
	r.parts++
	return true
}

// copy writes a span of the content to p.
func (r *rereader) copy(p *Parser, at Span) bool {
	for at.Len() > 0 {
		n, err := r.content.ReadAt(r.buf[:min(int64(len(r.buf)), at.Len())], at.Start)
		if n == 0 {
			r.stop(fmt.Sprint("reading at ", at.Start, ": ", err))
			return false
		}
		p.Write(r.buf[:n])
		at.Start += int64(n)
	}
	return true
}

// The cost of other work than reading, in bytes that could be read meanwhile.
const (
	tryCost  = 32 << 10 // another reading, however short
	partCost = 8 << 10  // an entity in it
	lookCost = 128      // a line of a header, or dashes that are no delimiter
)

// spend takes bytes off the budget, if they are there.
func (r *rereader) spend(n int64) bool {
	n += tryCost
	if r.reread+n > r.limits.RereadBytes {
		r.stop("")
	}
	r.reread += n
	return !r.spent
}

// stop ends the rereading for good.
func (r *rereader) stop(why string) {
	r.spent = true
	r.note(r.root, "reread-limit", Span{}, why)
}

// label gives a reading its name in all it holds.
func (r *rereader) label(e *Entity) {
	r.labels++
	mark(e, readingName(r.labels))
}

func mark(e *Entity, name string) {
	e.Reading = name
	for _, child := range e.Children {
		mark(child, name)
	}
}

// readingName returns the name of the n-th other reading: b, c … z, ba, bb …
func readingName(n int) string {
	if n < 26 {
		return string(rune('a' + n))
	}
	return readingName(n/26) + string(rune('a'+n%26))
}

// settle makes what turned out to be harmless Malformed.
func (r *rereader) settle(e *Entity, confirmed, examined suspicion) {
	if r.spent {
		return
	}
	for i := range e.Notes {
		n := &e.Notes[i]
		s := sightOf(n.Code)
		if n.Class == Ambiguous && s&examined != 0 && s&confirmed == 0 {
			n.Class = Malformed
		}
	}
}

// differs reports whether a reading has leaves that the first one has not.
func (r *rereader) differs(e *Entity) bool {
	if !e.composite {
		return e.Body.Len() > 0 && !r.first.has(e)
	}
	for _, child := range e.Children {
		if r.differs(child) {
			return true
		}
	}
	return false
}

// prune takes out of a reading the leaves that others have, and reports whether
// any are left.
func (r *rereader) prune(e *Entity) bool {
	if !e.composite {
		if e.Body.Len() == 0 || r.seen.has(e) {
			return false
		}
		r.seen.add(e)
		return true
	}
	e.Children = slices.DeleteFunc(e.Children, func(child *Entity) bool { return !r.prune(child) })
	return len(e.Children) > 0
}
