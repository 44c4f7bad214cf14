package document

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// pdfValue is an object of PDF (ISO 32000-1, section 7.3), of which one field is
// set. Booleans and null are keywords.
type pdfValue struct {
	name string
	text string
	num  int64
	ref  int // number of the object referred to; 0 for none
	list []pdfValue
	dict pdfDict

	several bool // list holds the values of a key that stands several times
}

type pdfDict map[string]pdfValue

// What one object may be made of. Beyond that it is read on, but not kept.
const (
	deepestValue = 60
	longestList  = 4096
	largestDict  = 4096
)

// pdfParser makes values out of tokens.
type pdfParser struct {
	pdfLexer
	deep bool // something stood deeper than is looked at
}

// value reads the value that begins with a token already read. A keyword that is
// no value is left as keyword.
func (p *pdfParser) value(t pdfToken, depth int) (v pdfValue, keyword string) {
	switch t {
	case pdfName:
		v.name = string(p.text)
	case pdfString:
		v.text = string(p.text)
	case pdfNumber:
		v.num = integer(p.text)
		p.reference(&v)
	case pdfDictBegin:
		v.dict = p.dictionary(depth + 1)
	case pdfArrayBegin:
		v.list = p.array(depth + 1)
	case pdfKeyword:
		return v, string(p.text)
	}
	return v, ""
}

// integer is a number without its fraction.
func integer(text []byte) int64 {
	whole, _, _ := strings.Cut(string(text), ".")
	n, err := strconv.ParseInt(strings.TrimPrefix(whole, "+"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// reference makes a number a reference, if a generation and an R follow.
func (p *pdfParser) reference(v *pdfValue) {
	const largest = 1 << 31
	at := p.pos
	if v.num > 0 && v.num < largest && p.token() == pdfNumber && p.token() == pdfKeyword && string(p.text) == "R" {
		v.ref, v.num = int(v.num), 0
		return
	}
	p.pos = at
}

// dictionary reads the entries behind "<<". Of a key that stands twice, readers
// differ in which they take: the values become a list.
func (p *pdfParser) dictionary(depth int) pdfDict {
	d := pdfDict{}
	p.deep = p.deep || depth > deepestValue
	for {
		switch p.token() {
		case pdfEnd, pdfDictEnd:
			return d
		case pdfName:
			key := string(p.text)
			t := p.token()
			if t == pdfEnd || t == pdfDictEnd || depth > deepestValue && (t == pdfDictBegin || t == pdfArrayBegin) {
				return d
			}
			at := p.pos
			v, keyword := p.value(t, depth)
			if p.closes(keyword) {
				p.pos = at - int64(len(keyword))
				return d
			}
			d.put(key, v)
		case pdfKeyword:
			if p.closes(string(p.text)) {
				p.pos -= int64(len(p.text))
				return d
			}
		}
	}
}

func (d pdfDict) keys() []string { return slices.Sorted(maps.Keys(d)) }

func (d pdfDict) has(key string) bool { _, ok := d[key]; return ok }

// put enters a value.
func (d pdfDict) put(key string, v pdfValue) {
	old, twice := d[key]
	switch {
	case twice && old.several && len(old.list) >= longestList:
		return
	case twice && old.several:
		v = pdfValue{list: append(old.list, v), several: true}
	case twice:
		v = pdfValue{list: []pdfValue{old, v}, several: true}
	case !twice && len(d) >= largestDict:
		return
	}
	d[key] = v
}

// closes reports whether a keyword shows that a value was never ended.
func (p *pdfParser) closes(keyword string) bool {
	return keyword == "endobj" || keyword == "stream" || keyword == "obj" || keyword == "xref" || keyword == "trailer"
}

// array reads the values behind "[". Numbers are read over: long lists are of
// them, and none of them matters.
func (p *pdfParser) array(depth int) []pdfValue {
	var list []pdfValue
	p.deep = p.deep || depth > deepestValue
	for {
		t := p.token()
		if t == pdfEnd || t == pdfArrayEnd || depth > deepestValue && (t == pdfDictBegin || t == pdfArrayBegin) {
			return list
		}
		v, keyword := p.value(t, depth)
		if p.closes(keyword) {
			p.pos -= int64(len(keyword))
			return list
		}
		if number := t == pdfNumber && v.ref == 0; !number && keyword == "" && len(list) < longestList {
			list = append(list, v)
		}
	}
}

// each calls look with every dictionary in a value, in the same order each time.
func (v pdfValue) each(look func(pdfDict)) {
	if v.dict != nil {
		look(v.dict)
		for _, key := range v.dict.keys() {
			v.dict[key].each(look)
		}
	}
	for _, inner := range v.list {
		inner.each(look)
	}
}
