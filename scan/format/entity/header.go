package entity

import (
	"bytes"
	"strings"
)

// header reads a line of a header, or a piece of one that is longer than the
// window.
func (p *Parser) header(b []byte, r rest) (n int, stuck bool) {
	n, whole := p.lineEnd(b[:min(len(b), p.window)], r)
	switch {
	case whole, p.wide:
	case len(b) >= p.window:
		n = p.window
	case r == more:
		return 0, true
	}
	if p.wide {
		if n == 0 {
			return 0, true
		}
		p.wide = !whole
		p.keep(b[:n])
		return n, false
	}
	p.wide = !whole
	return p.headerLine(b[:n]), false
}

// lineEnd returns the length of the first line of b with its line end. If there is
// none, whole is false and n the number of bytes that surely belong to the
// line.
func (p *Parser) lineEnd(b []byte, r rest) (n int, whole bool) {
	if p.dialect&crEnds == 0 {
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			return i + 1, true
		}
		return len(b), false
	}
	i := bytes.IndexAny(b, "\r\n")
	switch {
	case i < 0:
		return len(b), false
	case b[i] == '\n':
		return i + 1, true
	case i+1 == len(b) && r == more:
		return i, false
	case i+1 < len(b) && b[i+1] == '\n':
		return i + 2, true
	}
	return i + 1, true
}

// headerLine reads a line of the header and returns how much of it that took:
// nothing, if the line belongs to the body.
func (p *Parser) headerLine(line []byte) int {
	p.lines++
	p.looks++
	text := bytes.TrimRight(line, "\r\n")
	switch {
	case len(text) == 0:
		if !p.emptyLine(line) {
			break
		}
		p.keep(line)
		p.endHeader()
		return len(line)
	case bytes.HasPrefix(text, dashes) && p.isDelimiter(text):
		p.books.note(p.cur, "header-unended", Span{p.off, p.off}, "")
		p.endHeader()
		return 0
	case !p.belongs(text):
		p.endHeader()
		return 0
	}
	p.keep(line)
	return len(line)
}

var dashes = []byte("--")

// emptyLine reports whether a line without text ends the header.
func (p *Parser) emptyLine(line []byte) bool {
	if bytes.Count(line, []byte{'\r'}) > 1 && p.dialect&crEnds == 0 {
		p.suspectHeader(crLine, "header-line-end")
		if p.own()&crLineGoesOn != 0 {
			return false
		}
	}
	if p.own()&pastBlank != 0 && p.passed < 0 || p.passed == p.lines-1 {
		p.passed = p.lines
		return false
	}
	return true
}

// own returns the dialect that applies to the header being read.
func (p *Parser) own() dialect {
	if p.cur == p.root {
		return p.dialect
	}
	return p.dialect & ofSubtree
}

// belongs reports whether a line with text belongs to the header.
func (p *Parser) belongs(text []byte) bool {
	first := p.lines == 1
	switch {
	case isSpace(text[0]) && len(bytes.Trim(text, " \t\r")) == 0:
		p.suspectHeader(blankLine, "header-blank-line")
		return !first && p.own()&blanksEnd == 0
	case isSpace(text[0]) && !first:
		if c := bytes.TrimLeft(text, " \t\x00"); len(c) > 0 && c[0]|0x20 == 'c' && foldsField(string(c[:min(len(c), 200)])) {
			p.suspectHeader(foldedField, "field-name-damaged")
		}
		return true
	case isFieldLine(text):
		return true
	case first && isMboxLine(string(text[:min(len(text), 6)])):
		p.books.note(p.cur, "mbox-line", Span{p.off, p.off}, "")
		return true
	case first && p.own()&junkJoins == 0:
		p.cur.seen |= noField
		p.books.note(p.cur, "header-missing", Span{p.off, p.off}, string(text[:min(len(text), 40)]))
		return false
	}
	p.suspectHeader(junkLine, "header-junk-line")
	return p.own()&junkEnds == 0
}

func (p *Parser) suspectHeader(s suspicion, code string) {
	p.books.suspect(p.cur, s, code, Span{p.off, p.off}, "")
}

// isFieldLine reports whether a line is a field, damaged or not.
func isFieldLine(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return false
	}
	if plainName(line[:colon]) {
		return true
	}
	name, _, _ := fieldName(string(line[:colon+1]))
	return name != ""
}

// keep adds bytes to the block and moves on after them.
func (p *Parser) keep(b []byte) {
	p.off += int64(len(b))
	room := min(p.books.limits.HeaderBytes-len(p.block), p.books.limits.HeaderTotal-p.books.header)
	if len(b) > room {
		b = b[:max(room, 0)]
		p.over = true
	}
	p.block = append(p.block, b...)
	p.books.header += len(b)
}

// parseBlock makes the fields of e from the block.
func (p *Parser) parseBlock(e *Entity) {
	if p.over {
		p.books.note(e, "header-limit", e.Head, "")
	}
	if len(p.block) == 0 {
		return
	}
	k := block{text: string(p.block), start: e.Head.Start, dialect: p.own(), limits: &p.books.limits}
	k.parse()
	e.Header.Fields = k.fields
	if k.over != "" {
		p.books.note(e, k.over, e.Head, "")
	}
	if k.seen != 0 {
		p.books.suspect(e, k.seen, "field-name-damaged", e.Head, "")
	}
	if hasLoneCR(k.text) {
		p.books.suspect(e, loneCR, "header-line-end", e.Head, "")
	}
	if n := strings.Count(k.text, "\r\n"); n > 0 && n < strings.Count(k.text, "\n") {
		p.books.note(e, "line-ends-mixed", e.Head, "")
	}
	if strings.IndexByte(k.text, 0) >= 0 {
		p.books.note(e, "header-nul", e.Head, "")
	}
}

// hasLoneCR reports whether s holds a CR that no LF follows.
func hasLoneCR(s string) bool {
	for {
		i := strings.IndexByte(s, '\r')
		if i < 0 {
			return false
		}
		if s = s[i+1:]; s == "" || s[0] != '\n' {
			return true
		}
	}
}
