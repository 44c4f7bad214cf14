package archive

import (
	"bytes"
	"encoding/hex"
	"strconv"
)

// The kinds of object that matter here, ISO 32000-1 section 7.3: beside these
// int64 for numbers, bool, pdfArray, pdfDict, and nil for all others.
type (
	pdfName   string
	pdfString string
	pdfRef    int64 // the number of an indirect object
	pdfArray  []any
	pdfDict   []pdfEntry
)

// pdfEntry is a key of a dictionary. A key may come several times.
type pdfEntry struct {
	key   pdfName
	value any
}

// get is the value of a key, the last one if there are several.
func (d pdfDict) get(key pdfName) any {
	var value any
	for _, e := range d {
		if e.key == key {
			value = e.value
		}
	}
	return value
}

// pdfDepth bounds objects inside each other.
const pdfDepth = 32

// pdfParser reads objects from a piece of a file. It is lenient: what makes no
// sense is skipped.
type pdfParser struct {
	b     []byte
	at    int
	depth int
	short bool // the piece ended inside an object
	deep  bool // an object was nested too deeply
}

func isPDFSpace(c byte) bool { return c <= ' ' && (c == ' ' || c >= 9 && c <= 13 || c == 0) }

func isPDFDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// space skips blanks and comments; false at the end of the piece.
func (p *pdfParser) space() bool {
	for ; p.at < len(p.b); p.at++ {
		switch c := p.b[p.at]; {
		case c == '%':
			for p.at+1 < len(p.b) && p.b[p.at+1] != '\n' && p.b[p.at+1] != '\r' {
				p.at++
			}
		case !isPDFSpace(c):
			return true
		}
	}
	p.short = true
	return false
}

func (p *pdfParser) has(s string) bool { return bytes.HasPrefix(p.b[p.at:], []byte(s)) }

// streamMark stands behind the dictionary of a stream.
const streamMark = "stream"

// whole reads an object and up to what follows it, which is seen whole, with an
// end of line, if it is the mark of a stream.
func (p *pdfParser) whole() any {
	value, _ := p.object()
	p.space()
	if len(p.b)-p.at < len(streamMark)+2 {
		p.short = true
	}
	return value
}

// object reads the next object; ok is false at an end mark, which stays.
func (p *pdfParser) object() (value any, ok bool) {
	if !p.space() {
		return nil, false
	}
	switch c := p.b[p.at]; {
	case p.has("<<"):
		return p.nested(func() any { p.at += 2; return p.dict() })
	case c == '[':
		return p.nested(func() any { p.at++; return p.array() })
	case c == '/':
		return p.name(), true
	case c == '(':
		return p.literal(), true
	case c == '<':
		return p.hexString(), true
	case c == ']' || c == '>':
		return nil, false
	case c == ')' || c == '{' || c == '}':
		p.at++
		return nil, true
	}
	return p.word()
}

func (p *pdfParser) nested(read func() any) (any, bool) {
	if p.depth >= pdfDepth {
		p.deep = true
		return nil, false
	}
	p.depth++
	defer func() { p.depth-- }()
	return read(), true
}

// word reads a number, a reference or a keyword. Keywords that end an object are
// no objects.
func (p *pdfParser) word() (any, bool) {
	start := p.at
	word := p.token()
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		switch word {
		case "endobj", "stream", "endstream", "obj", "xref", "trailer", "startxref":
			p.at = start
			return nil, false
		case "true", "false":
			return word == "true", true
		}
		return nil, true
	}
	after := p.at
	if p.space() && isDigit(p.b[p.at]) {
		if _, err := strconv.ParseUint(p.token(), 10, 32); err == nil && p.space() && p.b[p.at] == 'R' && (p.at+1 == len(p.b) || !isPDFRegular(p.b[p.at+1])) {
			p.at++
			return pdfRef(n), true
		}
	}
	p.at = after
	return n, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isPDFRegular(c byte) bool { return !isPDFSpace(c) && !isPDFDelimiter(c) }

// token reads regular characters.
func (p *pdfParser) token() string {
	start := p.at
	for p.at < len(p.b) && isPDFRegular(p.b[p.at]) {
		p.at++
	}
	p.short = p.short || p.at == len(p.b)
	return string(p.b[start:p.at])
}

// name reads a name, in which #XX is a byte.
func (p *pdfParser) name() pdfName {
	p.at++
	raw := p.token()
	if !bytes.Contains([]byte(raw), []byte("#")) {
		return pdfName(raw)
	}
	var name []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			if b, err := hex.DecodeString(raw[i+1 : i+3]); err == nil {
				name = append(name, b...)
				i += 2
				continue
			}
		}
		name = append(name, raw[i])
	}
	return pdfName(name)
}

func (p *pdfParser) array() pdfArray {
	var array pdfArray
	for {
		value, ok := p.object()
		if !ok {
			p.end("]")
			return array
		}
		array = append(array, value)
	}
}

func (p *pdfParser) dict() pdfDict {
	var dict pdfDict
	for {
		key, ok := p.object()
		if !ok {
			p.end(">>")
			return dict
		}
		name, ok := key.(pdfName)
		if !ok {
			continue
		}
		value, ok := p.object()
		if !ok {
			p.end(">>")
			return dict
		}
		dict = append(dict, pdfEntry{name, value})
	}
}

// end reads the end mark of a container. Another one that stands there is read
// over, so that nothing is read twice.
func (p *pdfParser) end(mark string) {
	switch {
	case p.at >= len(p.b) || p.deep:
	case p.has(mark):
		p.at += len(mark)
	case p.b[p.at] == ']' || p.b[p.at] == '>':
		p.at++
	}
}
