package markup

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Kind is what a token is.
type Kind int

// The kinds of token.
const (
	Text     Kind = iota
	Literal       // text in which markup means nothing: of a script, a style sheet
	StartTag      // also one that closes itself
	EndTag
	Comment // also a declaration and a processing instruction
)

// Token is a piece of HTML. It is good until the next one is read.
type Token struct {
	Kind   Kind
	Name   string // of a tag, lower case; of literal text, the element it belongs to
	Span   Span   // in the source
	Second bool   // it is in what some clients do not read as markup: a conditional comment, what an unclosed element swallows
	Maybe  bool   // it is Second, and in other tokens: where a page is split elsewhere it begins there

	raw    []byte
	source *Source
	short  int64 // length of a tag that swallows what follows it; 0 for others
}

// takeTag makes the token the start tag or end tag that its bytes are.
func (t *Token) takeTag() {
	from := len("<")
	if t.Kind = StartTag; t.raw[from] == '/' {
		t.Kind, from = EndTag, len("</")
	}
	t.Name = nameOf(t.raw[from:tagName(t.raw)])
}

// Tag returns the place of a tag: its span, but for one with a quote too many, which
// takes the rest of the page with it and ends at its first ">" all the same.
func (t *Token) Tag() Span {
	if t.short > 0 {
		return Span{t.Span.Start, t.Span.Start + t.short}
	}
	return t.Span
}

// Text returns the token's text as a reader sees it: charset decoded and, unless it is
// literal, character references resolved.
func (t *Token) Text() string { return string(t.text()) }

// text returns the same in bytes, which are those of the source where nothing is different.
func (t *Token) text() []byte {
	s := t.source.utf8(t.raw)
	literal := t.Kind == Literal && t.Name != "title" && t.Name != "textarea"
	if literal || bytes.IndexByte(s, '&') < 0 {
		return s
	}
	return []byte(html.UnescapeString(string(s)))
}

// maxAttrs bounds the attributes of one tag.
const maxAttrs = 4096

// Attrs returns the attributes of a tag in their order, the first 4096 of them. Where
// a name is there twice both are returned; see Obeyed.
func (t *Token) Attrs() []Attr { return t.appendAttrs(nil) }

// appendAttrs returns the attributes in a slice that may be none.
func (t *Token) appendAttrs(attrs []Attr) []Attr {
	if t.Kind != StartTag {
		return attrs
	}
	s := attrScanner{tag: t.raw, at: tagName(t.raw)}
	for len(attrs) < maxAttrs {
		a, ok := s.next()
		if !ok {
			break
		}
		attrs = append(attrs, t.attr(a))
	}
	return attrs
}

func (t *Token) attr(a rawAttr) Attr {
	value := t.raw[a.value.Start:a.value.End]
	if bytes.IndexByte(value, '\r') >= 0 {
		value = bytes.ReplaceAll(value, []byte("\r\n"), []byte("\n"))
		value = bytes.ReplaceAll(value, []byte("\r"), []byte("\n"))
	}
	text := t.source.text(value)
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "\ufffd")
	}
	return Attr{
		Name:  nameOf(t.raw[a.name.Start:a.name.End]),
		Value: unescapeValue(text),
		Span:  t.within(a.whole),
		At:    t.within(a.value),
	}
}

// within returns a place in the token as one in the source.
func (t *Token) within(s Span) Span { return Span{t.Span.Start + s.Start, t.Span.Start + s.End} }

// tagName returns where the name of a tag ends.
func tagName(raw []byte) int {
	for i := 1; i < len(raw); i++ {
		if c := raw[i]; isSpace(c) || c == '>' || c == '/' && i > 1 {
			return i
		}
	}
	return len(raw)
}

// nameOf returns the name of a tag or an attribute in lower case. NULs in it are what
// browsers make of them.
func nameOf(b []byte) string {
	if bytes.IndexByte(b, 0) >= 0 {
		b = bytes.ReplaceAll(b, []byte{0}, []byte("\ufffd"))
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			lower := bytes.Clone(b)
			lowerASCII(lower[i:])
			b = lower
			break
		}
	}
	if a := atom.Lookup(b); a != 0 {
		return a.String()
	}
	return string(b)
}

func lowerASCII(b []byte) {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}
