package markup

import (
	"bytes"
	"math"
)

// starts finds what may be tags within other tokens. Where literal text, comments and CDATA
// sections begin and end depends on what browsers make of the elements around them: style is
// markup in svg and, in some, in select; noscript is literal where scripts run (WHATWG HTML,
// sections 13.2.6.4 and 13.2.6.5). A page can be written so that no single way to split it
// finds what each client shows. But whatever a client takes for a tag begins with "<" and a
// letter. So from the first such element on, each place where a tag may begin is tried.
type starts struct {
	doubt bool // clients split the rest of the page differently
	tried int  // bytes

	at, end int   // what is left of a token, in bytes from its beginning
	from    int64 // where the token begins
	read    int   // from where on the token is read as markup next: of tags there, only those that end after it are missed

	outer extent // a tag that was found; those in it come first
	given extent // the tag that was given last; the text after it comes next
	name  string // of that tag, if its text is literal
}

// extent is a range of bytes of a token, and of what comes after it.
type extent struct{ start, end int }

// Bounds of what is tried in one page.
const (
	mostAhead = 64 << 10 // bytes after a token that may belong to a tag in it
	mostTried = 64 << 20 // bytes in all
)

// in begins to look into a token, if it may hold tags.
func (s *starts) in(t *Token, l *layer) {
	raw := l.z.raw()
	if len(raw) < len(t.raw) || t.Kind == Text && !bytes.HasPrefix(raw, []byte("<![")) {
		return
	}
	s.at, s.end, s.from, s.read = len("<"), len(t.raw), t.Span.Start, math.MaxInt
	switch {
	case t.Kind == Literal:
		s.at = 0
	case t.Kind == Text, t.short > 0 && l.over == nil:
		s.end = len(raw)
	}
	if l.over != nil {
		s.read = int(l.from - s.from)
	}
}

// more reports whether there is more to look at.
func (s *starts) more() bool { return s.at < s.end || s.given.end > 0 }

// maybe makes what comes next of the places in a token where a tag may begin the current
// token, and reports false if there is nothing more.
func (r *Reader) maybe(z *splitter) bool {
	s := &r.starts
	for s.tried <= mostTried {
		if s.given.end > 0 && r.giveText(z) {
			return true
		}
		if s.outer.end == 0 {
			at := s.next(z, s.end)
			if at < 0 {
				return false
			}
			s.outer = r.tagAt(z, at)
		}
		if at := s.next(z, min(s.outer.end, s.end)); at >= 0 {
			if r.giveTag(z, r.tagAt(z, at)) {
				return true
			}
			continue
		}
		tag := s.outer
		s.outer, s.at = extent{}, tag.end
		if r.giveTag(z, tag) {
			s.given = tag
			return true
		}
	}
	r.cut = true
	s.at, s.outer, s.given = s.end, extent{}, extent{}
	return false
}

// next returns where the next tag may begin before an end, -1 for none, and goes on after
// there.
func (s *starts) next(z *splitter, end int) int {
	for window := z.peek(0); s.at < end; {
		i := bytes.IndexByte(window[s.at:end], '<')
		if i < 0 {
			break
		}
		at := s.at + i
		s.at = at + 1
		if at+len("</a") > len(window) {
			window = z.peek(len("</a"))
		}
		name := bytes.TrimPrefix(window[at+1:], []byte("/"))
		if len(name) > 0 && isLetter(name[0]) {
			return at
		}
	}
	s.at = max(s.at, end)
	return -1
}

// tagAt returns the extent of what may be a tag.
func (r *Reader) tagAt(z *splitter, at int) extent {
	for _, ahead := range [...]int{0, mostAhead} {
		window := z.peek(ahead)
		s := attrScanner{tag: window[at:]}
		s.at = min(tagName(s.tag), len(s.tag))
		for ok := true; ok; {
			_, ok = s.next()
		}
		r.starts.tried += s.at
		if s.at < len(s.tag) {
			return extent{at, at + s.at + 1}
		}
	}
	return r.extent(z, at)
}

// extent returns what there is from a place on of something that has no end.
func (r *Reader) extent(z *splitter, at int) extent {
	window := z.peek(mostAhead)
	r.cut = r.cut || len(window)-r.starts.end >= mostAhead
	return extent{at, len(window)}
}

// giveTag makes a tag the current token, if it is not read at another time.
func (r *Reader) giveTag(z *splitter, tag extent) bool {
	if tag.start >= r.starts.read && tag.end <= r.starts.end {
		return false
	}
	r.give(z, StartTag, tag)
	r.token.takeTag()
	r.starts.name = ""
	if name := r.token.Name; r.token.Kind == StartTag && (name == "script" || name == "style") {
		r.starts.name = name
	}
	return true
}

// give makes a piece of a token, and of what comes after it, the current token.
func (r *Reader) give(z *splitter, kind Kind, piece extent) {
	s := &r.starts
	r.token = Token{Kind: kind, Name: s.name, Span: Span{s.from + int64(piece.start), s.from + int64(piece.end)}, Second: true, Maybe: true,
		raw: z.peek(0)[piece.start:piece.end], source: &r.source}
}

// giveText makes the text after the tag that was given last the current token, if there is any.
func (r *Reader) giveText(z *splitter) bool {
	s := &r.starts
	text := extent{s.given.end, s.given.end}
	s.given = extent{}
	kind := Text
	if s.name != "" {
		kind = Literal
	}
	window := z.peek(0)
	switch n := s.textLength(window[text.start:]); {
	case n >= 0:
		text.end += n
	case kind == Literal:
		text = r.extent(z, text.start)
	default:
		text.end = len(window)
	}
	if text.end == text.start {
		return false
	}
	s.tried += text.end - text.start
	r.give(z, kind, text)
	return true
}

// textLength returns the length of the text at the beginning of b, -1 if it has no end there.
func (s *starts) textLength(b []byte) int {
	for n := 0; ; n++ {
		i := bytes.IndexByte(b[n:], '<')
		if i < 0 {
			return -1
		}
		if n += i; s.name == "" || hasPrefixFold(string(b[n:min(n+longestEndTag, len(b))]), "</"+s.name) {
			return n
		}
	}
}
