package markup

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// builder makes a page of tokens.
type builder struct {
	source Source
	meter  Meter
	limits Limits
	page   *Page
	text   textWriter
	looks  looks
	room   *room
	attrs  []Attr   // of the last tag
	first  openLink // the link being shown, as browsers read the page
	second openLink // the same, in what only some clients read
	line   line
	data   dataRun
	drawn  drawer
	media  string // of the style sheet that is read
	whole  bool   // all style sheets were known before
	late   bool   // a style sheet came after text that it may hide
}

func newBuilder(s Source, l Limits) *builder {
	r := rooms.Get().(*room)
	return &builder{
		source: s,
		meter:  s.meter,
		limits: l,
		page:   &Page{Charset: s.Charset, Decoded: s.Decoded},
		text:   textWriter{limit: int(l.Text)},
		looks:  looks{stack: r.stack},
		room:   r,
		attrs:  r.attrs,
		line:   line{text: r.line},
		first:  openLink{at: -1},
		second: openLink{at: -1},
	}
}

// room is what one builder leaves to the next.
type room struct {
	stack []look
	attrs []Attr
	line  []byte
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// most of each that is left to others.
const (
	mostOpenLeft  = 64
	mostAttrsLeft = 32
)

// leave leaves the room of a builder that has made its page, and nothing of the page in it.
func (b *builder) leave() {
	r := b.room
	*r = room{line: b.line.text[:0]}
	if cap(b.looks.stack) <= mostOpenLeft {
		clear(b.looks.stack[:cap(b.looks.stack)])
		r.stack = b.looks.stack[:0]
	}
	if cap(b.attrs) <= mostAttrsLeft {
		clear(b.attrs[:cap(b.attrs)])
		r.attrs = b.attrs[:0]
	}
	b.looks.stack, b.attrs, b.line.text, b.room = nil, nil, nil, nil
	rooms.Put(r)
}

// finish closes open links and lines, and resolves what had to wait.
func (b *builder) finish() *Page {
	b.endLine()
	b.closeLink(&b.first, Span{})
	b.closeLink(&b.second, Span{})
	p := b.page
	for i := range p.Links {
		p.Links[i].Target = Resolve(p.Base, p.Links[i].Href)
	}
	p.Text = b.text.String()
	p.Cut = p.Cut || b.text.cut
	p.Data = b.data.longest
	p.Drawings = b.drawn.drawings()
	p.Cut = p.Cut || b.drawn.over || b.looks.sheet != nil && b.looks.sheet.over
	b.leave()
	return p
}

// token takes in one token of HTML.
func (b *builder) token(t *Token) {
	if !t.Second && b.second.at >= 0 {
		b.closeLink(&b.second, t.Span)
	}
	switch {
	case t.Kind == Literal:
		b.literal(t)
	case t.Maybe:
		b.maybe(t)
	case t.Kind == Text:
		b.shown(t)
	case t.Kind == StartTag:
		b.startTag(t)
	case t.Kind == EndTag:
		b.endTag(t)
	}
}

// maybe takes in what is a tag, or the text behind it, for some clients. It says nothing of
// how other things are shown.
func (b *builder) maybe(t *Token) {
	switch t.Kind {
	case Text:
		b.data.feed(t.raw)
		b.text.line()
		b.read(t, t.text())
	case StartTag:
		attrs := b.attrsOf(t)
		b.element(&Element{Name: t.Name, Attrs: attrs, Tag: t.Span, Second: true}, t)
	case EndTag:
		b.endLink(t)
	}
}

// shown takes in text that a reader sees, or that a style hides.
func (b *builder) shown(t *Token) {
	b.data.feed(t.raw)
	s := t.text()
	if b.looks.hidden() {
		b.page.Hidden += letters(s)
		return
	}
	b.page.Letters += letters(s)
	b.drawn.add(s)
	b.read(t, s)
}

// read takes in text that may be read.
func (b *builder) read(t *Token, s []byte) {
	b.text.add(s)
	if o := b.open(t); o.at >= 0 {
		o.add(s)
		return
	}
	if t.Second != b.line.second || len(b.line.text)+len(s) > maxLine {
		b.endLine()
	}
	b.line.add(s, t)
}

// maxLine bounds the text of a line that is looked at as a whole.
const maxLine = 64 << 10

// line is text outside links up to the end of a block: an address in it may be in
// pieces, as word processors write them.
type line struct {
	text   []byte
	at     Span
	second bool
}

func (l *line) add(s []byte, t *Token) {
	if len(l.text) == 0 {
		l.at, l.second = t.Span, t.Second
	}
	l.text = append(l.text, s...)
	l.at.End = max(l.at.End, t.Span.End)
}

// endLine makes links of the addresses in the line, as clients do.
func (b *builder) endLine() {
	if bytes.Contains(b.line.text, []byte("://")) || bytes.Contains(b.line.text, []byte("www.")) {
		for _, word := range strings.FieldsFunc(string(b.line.text), betweenWords) {
			if href, ok := textLink(word); ok {
				b.link(Link{Href: href, Text: href, Where: InText, Tag: b.line.at, Second: b.line.second})
			}
		}
	}
	b.line.text = b.line.text[:0]
}

// open returns the link that a token's text belongs to.
func (b *builder) open(t *Token) *openLink {
	if t.Second {
		return &b.second
	}
	return &b.first
}

// literal takes in the text of an element that does not show it.
func (b *builder) literal(t *Token) {
	switch t.Name {
	case "script":
		b.data.feed(t.raw)
		b.calls(t.Text())
	case "style":
		css := t.Text()
		b.styleLinks(css, t, t.Span)
		b.styleSheet(css, t.Second)
	case "textarea", "xmp":
		b.shown(t)
	}
}

// attrsOf returns the attributes of a tag that count.
func (b *builder) attrsOf(t *Token) []Attr {
	b.attrs = t.appendAttrs(b.attrs[:0])
	b.spend(len(b.attrs), priceAttr)
	b.page.Cut = b.page.Cut || len(b.attrs) >= maxAttrs
	return Obeyed(b.attrs)
}

func (b *builder) startTag(t *Token) {
	attrs := b.attrsOf(t)
	matches := b.looks.matches()
	b.looks.start(t.Name, attrs)
	b.spend(matches-b.looks.matches(), priceMatch)
	if t.Name == "style" {
		b.media = attrOf(attrs, "media")
	}
	e := Element{Name: t.Name, Attrs: attrs, Tag: t.Tag(), Hidden: b.looks.hidden() || b.looks.last, Second: t.Second}
	if isBlock(t.Name) {
		b.endBlock(t)
	}
	b.drawn.start(t.Name, attrs, b.looks.background())
	b.element(&e, t)
}

// element takes in what an element leads to, and what it could do.
func (b *builder) element(e *Element, t *Token) {
	keep := Kept(t.Name)
	for i := range e.Attrs {
		keep = b.attr(&e.Attrs[i], t) || keep
	}
	b.elementLinks(e, t)
	if keep {
		b.keep(*e)
	}
}

func attrOf(attrs []Attr, name string) string {
	for _, a := range attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// styleSheet takes in a style sheet, if it is for screens. What only some clients read
// is left out.
func (b *builder) styleSheet(css string, second bool) {
	if second || b.whole || !onScreens(b.media) {
		return
	}
	if b.looks.sheet == nil {
		b.looks.sheet = newSheet()
	}
	before := len(b.looks.sheet.rules)
	b.looks.sheet.add(css)
	b.late = b.late || len(b.looks.sheet.rules) > before && b.page.Letters+b.page.Hidden > 0
}

// endBlock ends a line of text.
func (b *builder) endBlock(t *Token) {
	b.endLine()
	b.text.line()
	b.drawn.line()
	b.open(t).blank()
}

// attr looks at what any element may have, and reports whether the element is to
// be kept for it.
func (b *builder) attr(a *Attr, t *Token) bool {
	if len(a.Value) > minData {
		b.data.feed([]byte(a.Value))
	}
	switch {
	case IsHandler(a.Name):
		b.calls(a.Value)
		return true
	case a.Name == "style":
		b.styleLinks(a.Value, t, a.At)
	case a.Name == "srcdoc":
		b.calls(a.Value)
		return true
	}
	return false
}

// IsHandler reports whether an attribute is a handler of events.
func IsHandler(name string) bool {
	return len(name) > 3 && strings.HasPrefix(name, "on") && !strings.ContainsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' })
}

func (b *builder) keep(e Element) {
	if len(b.page.Elements) >= b.limits.Elements {
		b.page.Cut = true
		return
	}
	e.Attrs = slices.Clone(e.Attrs)
	for i, a := range e.Attrs {
		e.Attrs[i].Value = keptOf(a.Value)
	}
	b.page.Elements = append(b.page.Elements, e)
}

// longestKept bounds the kept part of a value; images are written in attributes.
const longestKept = 8 << 10

func keptOf(value string) string {
	if len(value) <= longestKept {
		return value
	}
	return strings.Clone(value[:longestKept])
}

func (b *builder) endTag(t *Token) {
	b.looks.end(t.Name)
	b.drawn.end(t.Name)
	if isBlock(t.Name) {
		b.endBlock(t)
	}
	b.endLink(t)
}

// endLink ends the link that an end tag is of.
func (b *builder) endLink(t *Token) {
	if o := b.open(t); o.at >= 0 && o.name == t.Name {
		b.closeLink(o, t.Span)
	}
}

// calls notes which words of interest a script uses.
func (b *builder) calls(script string) {
	b.spend(len(script), priceByte)
	b.spend(1, priceCalls)
	for _, w := range calls {
		if strings.Contains(script, w) && !slices.Contains(b.page.Calls, w) {
			b.page.Calls = append(b.page.Calls, w)
		}
	}
	if !slices.Contains(b.page.Calls, FetchData) && fetchesData.MatchString(script) {
		b.page.Calls = append(b.page.Calls, FetchData)
	}
}

// FetchData is the word of Page.Calls for a script that fetches an address with data
// in it.
const FetchData = "fetch(data:"

var fetchesData = regexp.MustCompile("(?i)\\bfetch\\s*\\(\\s*(?:new\\s+Request\\s*\\(\\s*)?[\"'`]\\s*data:")

// calls are the words by which scripts make files and pages of data.
var calls = []string{
	"atob", "Blob", "createObjectURL", "msSaveOrOpenBlob", "msSaveBlob", "download", "File(",
	"fromCharCode", "charCodeAt", "Uint8Array", "ArrayBuffer", "FileReader", "showSaveFilePicker",
	"document.write", "innerHTML", "srcdoc", "insertAdjacentHTML", "unescape", "decodeURIComponent", "eval", "Function(",
	"click(", "dispatchEvent", "location", "XMLHttpRequest", "fetch(", "data:application/", "data:text/html",
}
