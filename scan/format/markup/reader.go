package markup

import (
	"bytes"
	"io"
)

// maxLayers bounds how deep text that is read a second time may hold such text
// again.
const maxLayers = 4

// longestEndTag is as long as the end tags of elements with literal text are,
// and a bit; tokens may be cut at no less.
const longestEndTag = 16

// Reader reads HTML token by token, in memory bounded by the longest token. It
// splits the source as browsers do. What some clients read as markup and others
// do not – conditional comments, what an element or a comment without end
// swallows – it reads both ways: once as one token, then again as markup, each
// token of which is Second. In a page that clients split differently all through, it
// also gives what may be tags in other tokens: see starts.
type Reader struct {
	source Source
	limit  int // longest token in bytes
	layers []layer
	token  Token
	starts starts
	cut    bool
}

// layer is a text being read: the source, or a piece of it.
type layer struct {
	z    *splitter
	r    io.Reader
	at   int64  // where its next token is
	raw  string // the element whose literal text comes next
	xml  bool   // it knows CDATA sections
	over []byte // to be read again, as a separate layer, after the current token
	from int64  // where over begins
	held []byte // is before what the tokenizer goes on with
}

// NewReader returns a reader of HTML. Tokens longer than limit bytes are cut.
func NewReader(s Source, limit int) *Reader {
	return &Reader{source: s, limit: limit, layers: []layer{newLayer(s.r, s.base, limit, "")}}
}

// NewXMLReader does what NewReader does for XHTML and SVG, in which CDATA sections are text.
func NewXMLReader(s Source, limit int) *Reader {
	r := NewReader(s, limit)
	r.layers[0].xml, r.layers[0].z.cdata = true, true
	r.starts.doubt = true
	return r
}

// newLayer begins within an element whose text is literal, or in none.
func newLayer(r io.Reader, at int64, limit int, within string) layer {
	z := newSplitter(r, limit)
	z.literal = within
	return layer{z: z, r: r, at: at, raw: within}
}

// Cut reports whether a token was too long, so that not all of it was seen.
func (r *Reader) Cut() bool { return r.cut }

// Next returns the next token, which is good until the one after it is read, or
// an error: io.EOF at the end, else the one of the source.
func (r *Reader) Next() (*Token, error) {
	for {
		l := &r.layers[len(r.layers)-1]
		if r.starts.more() && r.maybe(l.z) {
			return &r.token, nil
		}
		if l.over != nil {
			inner := newLayer(bytes.NewReader(l.over), l.from, r.limit, "")
			l.over = nil
			r.layers = append(r.layers, inner)
			continue
		}
		if r.read(l) {
			if r.starts.doubt {
				r.starts.in(&r.token, l)
			}
			return &r.token, nil
		}
		switch err := l.z.err; {
		case err == errTooLong:
			r.reopen(l)
		case err != io.EOF:
			return nil, err
		case len(r.layers) == 1:
			l.z.leave()
			return nil, io.EOF
		default:
			l.z.leave()
			r.layers = r.layers[:len(r.layers)-1]
		}
	}
}

// read makes the next token of a layer the current one.
func (r *Reader) read(l *layer) bool {
	kind := l.z.token()
	raw := l.z.raw()
	t := &r.token
	*t = Token{Span: Span{l.at, l.at + int64(len(raw))}, Second: len(r.layers) > 1, raw: raw, source: &r.source}
	literal := l.raw
	l.raw = ""
	switch kind {
	case textPiece:
		r.text(l, literal)
	case startPiece:
		r.startTag(l)
	case endPiece:
		t.takeTag()
	case commentPiece:
		t.Kind = Comment
		r.comment(l)
	case ended:
		l.raw = literal
		return r.unfinished(l)
	}
	l.at = t.Span.End
	return true
}

// text reads literal text where an element says so. One that has no end swallows the
// rest of the page in a browser, and not in every client.
func (r *Reader) text(l *layer, element string) {
	t := &r.token
	if l.xml {
		t.raw = bytes.TrimSuffix(bytes.TrimPrefix(t.raw, []byte("<![CDATA[")), []byte("]]>"))
	}
	if element == "" {
		return
	}
	t.Kind, t.Name = Literal, element
	switch {
	case bytes.HasPrefix(l.z.ahead(), []byte("</")):
	case len(t.raw) >= r.limit:
		l.raw = element // it goes on, and how deep in a comment a script is then is forgotten
		r.starts.doubt = r.starts.doubt || element == "script"
		l.hold(t)
	default:
		r.again(l, t.raw, 0)
	}
}

// hold takes back from a cut text what may be the beginning of its end tag.
func (l *layer) hold(t *Token) {
	from := len(t.raw) - longestEndTag
	i := bytes.LastIndexByte(t.raw[from:], '<')
	if i < 0 {
		return
	}
	l.held = bytes.Clone(t.raw[from+i:])
	t.raw = t.raw[:from+i]
	t.Span.End -= int64(len(l.held))
}

// startTag notes what elements hold literal text. Clients without scripts show
// the contents of noscript; all of them have forgotten plaintext.
func (r *Reader) startTag(l *layer) {
	t := &r.token
	t.takeTag()
	switch t.Name {
	case "iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp":
		l.raw, l.z.literal = t.Name, t.Name
	case "svg", "math", "noscript", "select", "frameset":
		r.starts.doubt = true
	}
}

// comment arranges that conditional comments, which Outlook reads, and comments
// without end are read again.
func (r *Reader) comment(l *layer) {
	raw := r.token.raw
	const open, end = "<!--", "-->"
	if !bytes.HasPrefix(raw, []byte(open)) {
		return
	}
	r.cut = r.cut || len(raw) >= r.limit
	switch {
	case l.z.err != nil:
		r.again(l, raw, len(open))
	case bytes.HasPrefix(bytes.TrimLeft(raw[len(open):], " \t\r\n"), []byte("[if")):
		if condition := bytes.Index(raw, []byte("]>")); condition > 0 {
			r.again(l, raw[:len(raw)-len(end)], condition+len("]>"))
		}
	}
}

// unfinished makes a token of a tag that the end of the page, or the limit, cut
// off. At the end of the page there was a quote too many: the tag ends at the
// first ">" then, and what follows is read again.
func (r *Reader) unfinished(l *layer) bool {
	t := &r.token
	exceeded := l.z.err == errTooLong
	if len(t.raw) < 2 || !exceeded && l.z.err != io.EOF {
		return false
	}
	l.at += int64(len(t.raw))
	if end := bytes.IndexByte(t.raw, '>'); end >= 0 && !exceeded {
		r.again(l, t.raw, end+1)
		t.raw, t.short = t.raw[:end], int64(end)+1
	}
	if exceeded {
		r.skipTag(l)
	}
	t.Second = t.Second || !exceeded
	t.takeTag()
	return true
}

// again arranges that raw, from an offset on, is read as markup after the current
// token. Where that would be too deep, it is looked at for what may be tags.
func (r *Reader) again(l *layer, raw []byte, from int) {
	if len(r.layers) >= maxLayers {
		r.starts.doubt = true
		return
	}
	if from >= len(raw) {
		return
	}
	l.over, l.from = bytes.Clone(raw[from:]), r.token.Span.Start+int64(from)
}

// reopen goes on after a token that was cut.
func (r *Reader) reopen(l *layer) {
	rest := io.MultiReader(bytes.NewReader(l.held), bytes.NewReader(bytes.Clone(l.z.ahead())), l.r)
	l.held = nil
	r.renew(l, rest)
}

// renew gives a layer a new tokenizer for the rest of its text.
func (r *Reader) renew(l *layer, rest io.Reader) {
	next := newLayer(rest, l.at, r.limit, l.raw)
	next.xml, next.z.cdata = l.xml, l.xml
	l.z.leave()
	*l = next
}

// skipTag skips the rest of a tag that was cut.
func (r *Reader) skipTag(l *layer) {
	s := attrScanner{tag: r.token.raw, at: tagName(r.token.raw)}
	for ok := true; ok; {
		_, ok = s.next()
	}
	rest := &skipper{r: io.MultiReader(bytes.NewReader(bytes.Clone(l.z.ahead())), l.r), quote: s.quote}
	r.token.raw = bytes.Clone(r.token.raw)
	skipped := rest.skip()
	l.at += skipped
	r.token.Span.End += skipped
	r.renew(l, io.MultiReader(bytes.NewReader(rest.buf), rest.r))
	r.cut = true
}

// skipper reads on to the end of a tag.
type skipper struct {
	r     io.Reader
	buf   []byte // read and not skipped
	quote byte   // the value that goes on ends with it; 0 outside quotes
}

// skip returns how many bytes it skipped.
func (s *skipper) skip() (n int64) {
	var block [32 << 10]byte
	for {
		got, err := s.r.Read(block[:])
		for i, c := range block[:got] {
			switch {
			case s.quote != 0 && c == s.quote:
				s.quote = 0
			case s.quote == 0 && c == '>':
				s.buf = bytes.Clone(block[i+1 : got])
				return n + int64(i) + 1
			case s.quote == 0 && isQuote(c):
				s.quote = c
			}
		}
		n += int64(got)
		if err != nil {
			s.r = errorReader{err}
			return n
		}
	}
}

// errorReader gives an error again that was met already.
type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }
