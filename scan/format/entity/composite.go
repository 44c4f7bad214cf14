package entity

import (
	"math"
	"strings"
)

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
	if e.message {
		e.Number = ""
	} else {
		f.prefix = within(e.Number)
	}
	e.composite = true
	p.open = append(p.open, f)
	p.bounds.set(p.open)
	p.beginText()
}

// within returns the prefix of the numbers of a numbered entity's children.
func within(number string) string {
	if number == "" {
		return ""
	}
	return number + "."
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
	p.open = append(p.open, frame{entity: e, prefix: within(e.Number)})
	inner.message, inner.prefix = true, within(e.Number)
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

// popTo leaves the composites from index n on, which end at offset at.
func (p *Parser) popTo(n int, at int64) {
	for len(p.open) > n {
		f := p.open[len(p.open)-1]
		p.open = p.open[:len(p.open)-1]
		f.entity.Body.End = at
		if f.boundary != "" {
			p.bounds.set(p.open)
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
