package markup

import (
	"slices"
	"strings"
)

// builder makes a page of tokens.
type builder struct {
	source Source
	limits Limits
	page   *Page
	text   textWriter
	looks  looks
	first  openLink // the link being shown, as browsers read the page
	second openLink // the same, in what only some clients read
	data   dataRun
}

func newBuilder(s Source, l Limits) *builder {
	return &builder{
		source: s,
		limits: l,
		page:   &Page{Charset: s.Charset, Decoded: s.Decoded},
		text:   textWriter{limit: int(l.Text)},
		looks:  looks{open: map[string]int{}},
		first:  openLink{at: -1},
		second: openLink{at: -1},
	}
}

// finish closes what is open and resolves what had to wait.
func (b *builder) finish() *Page {
	b.closeLink(&b.first, Span{})
	b.closeLink(&b.second, Span{})
	p := b.page
	for i := range p.Links {
		p.Links[i].Target = Resolve(p.Base, p.Links[i].Href)
	}
	p.Text = b.text.String()
	p.Cut = p.Cut || b.text.cut
	p.Data = b.data.longest
	return p
}

// token takes in one token of HTML.
func (b *builder) token(t *Token) {
	if !t.Second && b.second.at >= 0 {
		b.closeLink(&b.second, t.Span)
	}
	switch t.Kind {
	case Text:
		b.shown(t)
	case Literal:
		b.literal(t)
	case StartTag:
		b.startTag(t)
	case EndTag:
		b.endTag(t)
	}
}

// shown takes in text that a reader sees, or that a style hides.
func (b *builder) shown(t *Token) {
	b.data.feed(t.raw)
	s := t.Text()
	if b.looks.hidden() {
		b.page.Hidden += letters(s)
		return
	}
	b.page.Letters += letters(s)
	b.text.add(s)
	if o := b.open(t); o.at >= 0 {
		o.add(s)
	} else if strings.Contains(s, "://") || strings.Contains(s, "www.") {
		b.bareLinks(s, t)
	}
}

// bareLinks adds the addresses in a text: clients make links of them.
func (b *builder) bareLinks(s string, t *Token) {
	for _, word := range strings.FieldsFunc(s, betweenWords) {
		if href, ok := textLink(word); ok {
			b.link(Link{Href: href, Text: href, Where: InText, Tag: t.Span, Second: t.Second})
		}
	}
}

// open is the link that a token's text belongs to.
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
		b.styleLinks(t.Text(), t, t.Span)
	case "textarea", "xmp":
		b.shown(t)
	}
}

func (b *builder) startTag(t *Token) {
	attrs := t.Attrs()
	b.page.Cut = b.page.Cut || len(attrs) >= maxAttrs
	b.looks.start(t.Name, attrs)
	e := Element{Name: t.Name, Attrs: attrs, Tag: t.Span, Hidden: b.looks.hidden() || b.looks.last, Second: t.Second}
	if isBlock(t.Name) {
		b.text.line()
		b.open(t).blank()
	}
	keep := Kept(t.Name)
	for _, a := range attrs {
		keep = b.attr(e, a, t) || keep
	}
	b.elementLinks(e, t)
	if keep {
		b.keep(e)
	}
}

// attr looks at what any element may have, and reports whether the element is to
// be kept for it.
func (b *builder) attr(e Element, a Attr, t *Token) bool {
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
	for i, a := range e.Attrs {
		e.Attrs[i].Value = keptOf(a.Value)
	}
	b.page.Elements = append(b.page.Elements, e)
}

// longestKept bounds what is kept of a value; images are written in attributes.
const longestKept = 8 << 10

func keptOf(value string) string {
	if len(value) <= longestKept {
		return value
	}
	return strings.Clone(value[:longestKept])
}

func (b *builder) endTag(t *Token) {
	b.looks.end(t.Name)
	if isBlock(t.Name) {
		b.text.line()
		b.open(t).blank()
	}
	if o := b.open(t); o.at >= 0 && o.name == t.Name {
		b.closeLink(o, t.Span)
	}
}

// calls notes which words of interest a script uses.
func (b *builder) calls(script string) {
	for _, w := range calls {
		if strings.Contains(script, w) && !slices.Contains(b.page.Calls, w) {
			b.page.Calls = append(b.page.Calls, w)
		}
	}
}

// calls are the words by which scripts make files and pages of data.
var calls = []string{
	"atob", "Blob", "createObjectURL", "msSaveOrOpenBlob", "msSaveBlob", "download", "File(",
	"fromCharCode", "charCodeAt", "Uint8Array", "ArrayBuffer", "FileReader", "showSaveFilePicker",
	"document.write", "innerHTML", "srcdoc", "insertAdjacentHTML", "unescape", "decodeURIComponent", "eval", "Function(",
	"click(", "dispatchEvent", "location", "XMLHttpRequest", "fetch(", "data:application/", "data:text/html",
}

// isBlock reports whether an element stands on lines of its own.
func isBlock(name string) bool {
	switch name {
	case "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "dir", "div", "dl", "dt",
		"fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "body",
		"li", "main", "menu", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul":
		return true
	}
	return false
}

// textWriter collects text as it shows: a line for each block, blanks folded.
type textWriter struct {
	strings.Builder
	limit   int
	cut     bool
	pending byte // the blank or line end that stands before the next word
}

// add adds running text.
func (w *textWriter) add(s string) {
	for s != "" && !w.cut {
		n := strings.IndexFunc(s, isBlankRune)
		switch {
		case n < 0:
			n = len(s)
		case n == 0:
			n = strings.IndexFunc(s, func(r rune) bool { return !isBlankRune(r) })
			if n < 0 {
				n = len(s)
			}
			if w.pending == 0 {
				w.pending = ' '
			}
			s = s[n:]
			continue
		}
		w.word(s[:n])
		s = s[n:]
	}
}

func (w *textWriter) word(s string) {
	if w.Len()+len(s) >= w.limit {
		w.cut = true
		return
	}
	if w.pending != 0 && w.Len() > 0 {
		w.WriteByte(w.pending)
	}
	w.pending = 0
	w.WriteString(s)
}

// line begins a new line.
func (w *textWriter) line() { w.pending = '\n' }

func isBlankRune(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' || r == 0xa0 || r == 0x3000 }

// minData is the shortest attribute that is looked at for data, and minPiece the
// shortest piece of a text that may go on in the next line.
const (
	minData  = 256
	minPiece = 40
)

// dataRun measures the longest run of base64, or of numbers between commas.
type dataRun struct{ longest, total, piece, numbers int }

// feed takes in a text by itself.
func (d *dataRun) feed(p []byte) {
	d.total, d.piece, d.numbers = 0, 0, 0
	if len(p) < minData {
		return
	}
	for _, c := range p {
		k := dataKinds[c]
		if k&number != 0 {
			d.numbers++
		} else {
			d.longest, d.numbers = max(d.longest, d.numbers), 0
		}
		switch {
		case k&base64Digit != 0:
			d.piece++
		case k&joint != 0:
			d.join()
		default:
			d.longest, d.total, d.piece = max(d.longest, d.total+d.piece), 0, 0
		}
	}
	d.longest = max(d.longest, d.total+d.piece, d.numbers)
}

// join goes on with the next piece, if the last was no word.
func (d *dataRun) join() {
	switch {
	case d.piece >= minPiece:
		d.total += d.piece
	case d.piece > len("+="): // no more than the sign that joins two strings
		d.longest, d.total = max(d.longest, d.total+d.piece), 0
	}
	d.piece = 0
}

const (
	base64Digit = 1 << iota
	joint
	number
)

// dataKinds says of each byte what it may be part of.
var dataKinds = func() (kinds [256]byte) {
	for c := range kinds {
		if isAlphanumeric(byte(c)) || c == '+' || c == '/' || c == '=' {
			kinds[c] |= base64Digit
		}
		if strings.IndexByte("\"' \t\r\n\\,", byte(c)) >= 0 {
			kinds[c] |= joint
		}
		if isHex(byte(c)) || strings.IndexByte("xX, \t\r\n", byte(c)) >= 0 {
			kinds[c] |= number
		}
	}
	return kinds
}()
