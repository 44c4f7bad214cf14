package entity

import (
	"bytes"
	"slices"
)

// body reads on to the next delimiter, or to the end of b.
func (p *Parser) body(b []byte, r rest) (n int, stuck bool) {
	if p.full || len(p.open) == 0 {
		p.content(b)
		return len(b), false
	}
	for i := nextDashes(b, 0); i >= 0; {
		ahead := b[i:]
		if r == more && len(ahead) < p.window && (len(ahead) < 2 || bytes.IndexByte(ahead, '\n') < 0) {
			p.content(b[:i])
			return i, i == 0
		}
		ahead = ahead[:min(len(ahead), p.window)]
		p.at = p.off + int64(i)
		run := countDashes(ahead)
		if skip, found := p.delimiter(ahead, run, p.before(b, i)); found {
			p.noteLineEnd(ahead)
			p.content(b[:i+skip])
			p.hit.end = p.off - p.lineEndBefore()
			p.mode = inDelimiter
			return i + skip, false
		}
		if run == p.window {
			run -= p.window / 2 // what follows may begin within the run
		}
		i = nextDashes(b, i+run)
	}
	p.content(b)
	return len(b), false
}

// delimiterLine passes over the line of a delimiter. Blanks may fill it (RFC
// 2046, section 5.1.1); what a line longer than the window holds after them is
// text outside the parts.
func (p *Parser) delimiterLine(b []byte, r rest) (n int, stuck bool) {
	n, whole := p.lineEnd(b, r)
	if n == 0 {
		return 0, true
	}
	from := min(max(p.at+int64(p.window)-p.off, 0), int64(n))
	if beyond := bytes.TrimRight(b[from:n], " \t\r\n"); len(beyond) > 0 {
		p.hit.tail = Span{p.at + int64(p.window), p.off + from + int64(len(beyond))}
	}
	p.off += int64(n)
	if whole {
		p.delimited()
	}
	return n, false
}

// nextDashes returns the index of the next two dashes in b from i on, or of a single
// one at its end, or -1.
func nextDashes(b []byte, i int) int {
	for i < len(b) {
		d := bytes.IndexByte(b[i:], '-')
		if d < 0 {
			return -1
		}
		i += d
		if i+1 == len(b) || b[i+1] == '-' {
			return i
		}
		i += 2
	}
	return -1
}

func countDashes(b []byte) int {
	n := 0
	for n < len(b) && b[n] == '-' {
		n++
	}
	return n
}

// before returns the byte before b[i].
func (p *Parser) before(b []byte, i int) byte {
	if i == 0 {
		return p.last[1]
	}
	return b[i-1]
}

// content moves on after bytes that are not structure.
func (p *Parser) content(b []byte) {
	p.off += int64(len(b))
	p.watch.feed(b)
	if p.early != nil {
		p.early.content(b, p.last)
	}
	switch len(b) {
	case 0:
	case 1:
		p.last = [2]byte{p.last[1], b[0]}
	default:
		p.last = [2]byte{b[len(b)-2], b[len(b)-1]}
	}
}

// lineEndBefore returns the length of the line end right before off, which belongs
// to the delimiter that follows (RFC 2046, section 5.1.1).
func (p *Parser) lineEndBefore() int64 {
	n := int64(0)
	switch {
	case p.last[1] == '\n' && p.last[0] == '\r':
		n = 2
	case p.last[1] == '\n', p.last[1] == '\r' && p.dialect&crEnds != 0:
		n = 1
	}
	return min(n, p.off-p.from)
}

// delimiter reports whether a delimiter begins in the run of dashes at the
// start of ahead, after so many of them, and remembers whose it is. Where
// clients may disagree about it, that is noted.
func (p *Parser) delimiter(ahead []byte, run int, before byte) (skip int, found bool) {
	if run < 2 {
		return 0, false
	}
	if before == '\n' || before == '\r' && p.dialect&crEnds != 0 {
		if p.lineDelimiter(p.lineOf(ahead)) {
			return 0, true
		}
		if p.dialect&anywhere == 0 {
			return 0, false
		}
	}
	return p.inLine(ahead, run, before)
}

// lineEnds are the ways in which lines have ended.
type lineEnds struct{ lf, crlf, odd bool }

// noteLineEnd notes delimiters that end in different ways, or have blanks
// after them.
func (p *Parser) noteLineEnd(ahead []byte) {
	line, _, whole := bytes.Cut(ahead, []byte{'\n'})
	text := bytes.TrimRight(line, "\r")
	switch crs := len(line) - len(text); {
	case crs > 1:
		p.ends.odd = true
	case whole && crs == 1:
		p.ends.crlf = true
	case whole:
		p.ends.lf = true
	}
	if p.ends.odd || p.ends.lf && p.ends.crlf {
		p.books.note(p.root, "line-ends-mixed", p.here(), "")
	}
	if isSpace(text[len(text)-1]) {
		p.books.note(p.root, "delimiter-padding", p.here(), "")
	}
}

// lineOf returns the line at the start of ahead, without blanks at its end.
func (p *Parser) lineOf(ahead []byte) []byte {
	if i := bytes.IndexByte(ahead, '\n'); i >= 0 {
		ahead = ahead[:i]
	}
	if p.dialect&crEnds != 0 {
		if i := bytes.IndexByte(ahead, '\r'); i >= 0 {
			ahead = ahead[:i]
		}
	}
	return bytes.TrimRight(ahead, " \t\r")
}

// here returns where the delimiter that is looked at begins.
func (p *Parser) here() Span { return Span{p.at, p.at} }

// isDelimiter reports whether a line of a header is a delimiter after all.
func (p *Parser) isDelimiter(text []byte) bool {
	p.at = p.off
	return len(p.open) > 0 && !p.full && p.lineDelimiter(bytes.TrimRight(text, " \t\r"))
}

// lineDelimiter reports whether a line that begins with two dashes is the
// delimiter of a composite being read: of the innermost it fits, unless the
// dialect says otherwise.
func (p *Parser) lineDelimiter(line []byte) bool {
	run, text := trimDashes(line)
	var longer *Entity
	for _, i := range p.fitting(text) {
		f := &p.open[i]
		if extra := run - 2 - f.dashes; extra < 0 || extra > 0 && f.dashes < len(f.boundary) {
			continue
		}
		tail := line[2+len(f.boundary):]
		switch {
		case f.closed:
			if len(tail) == 0 {
				p.books.suspect(f.entity, afterClose, "parts-after-close", p.here(), f.boundary)
			}
			continue
		case len(tail) == 0, string(tail) == "--", p.dialect&prefixes != 0, len(f.boundary) == p.books.limits.BoundaryBytes:
			p.hit = hit{frame: i, close: bytes.HasPrefix(tail, dashes)}
			return true
		}
		longer = f.entity
	}
	if longer != nil {
		p.books.suspect(longer, delimiterTail, "delimiter-tail", p.here(), string(line[:min(len(line), 80)]))
	} else if len(p.ended) > 0 {
		p.stray(line[2:])
	}
	return false
}

// fitting returns the indices of the open multiparts whose boundaries, without
// their first dashes, text begins with, in the order to try them.
func (p *Parser) fitting(text []byte) []int {
	p.looks++
	fits := p.bounds.of(text)
	if p.dialect&outerFirst != 0 {
		slices.Reverse(fits)
	}
	if p.dialect&innerOnly != 0 {
		last := innermost(p.open)
		fits = slices.DeleteFunc(fits, func(i int) bool { return i < last })
	}
	return fits
}

// stray notes the delimiter of a multipart that has ended.
func (p *Parser) stray(line []byte) {
	if around := p.ended[string(line)]; around != nil {
		p.books.suspect(around, strayDelimiter, "boundary-stray", p.here(), string(line))
	}
}

// inLine looks for a delimiter where none should be: not at the start of a
// line.
func (p *Parser) inLine(ahead []byte, run int, before byte) (skip int, found bool) {
	for _, i := range p.fitting(ahead[run:]) {
		f := &p.open[i]
		skip = run - 2 - f.dashes
		if f.closed || skip < 0 || !endsDelimiter(ahead[skip+2+len(f.boundary):]) {
			continue
		}
		if p.dialect&anywhere != 0 {
			p.hit = hit{frame: i, close: bytes.HasPrefix(ahead[skip+2+len(f.boundary):], dashes)}
			return skip, true
		}
		s, code := delimiterInLine, "delimiter-in-line"
		if before == '\r' && skip == 0 {
			s, code = delimiterAfterCR, "delimiter-line-end"
		}
		p.books.suspect(f.entity, s, code, p.here(), f.boundary)
	}
	return 0, false
}

// endsDelimiter reports whether a boundary that is followed by b is complete.
func endsDelimiter(b []byte) bool {
	return len(b) == 0 || b[0] == '\r' || b[0] == '\n' || isSpace(b[0]) || bytes.HasPrefix(b, dashes)
}
