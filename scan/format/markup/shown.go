package markup

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// isBlock reports whether an element is on separate lines, in HTML or, with
// a prefix, in an office document.
func isBlock(name string) bool {
	if _, local, ok := strings.Cut(name, ":"); ok {
		name = local
	}
	switch name {
	case "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "dir", "div", "dl", "dt",
		"fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "body",
		"li", "main", "menu", "nav", "ol", "option", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
		"h", "si", "tab", "line-break":
		return true
	}
	return false
}

// isVoid reports elements that hold nothing and have no end tag.
func isVoid(name string) bool {
	switch name {
	case "area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "img", "image", "input", "keygen",
		"link", "meta", "param", "source", "track", "wbr":
		return true
	}
	return false
}

// closesItself reports elements that end where the next of their kind begins.
func closesItself(name string) bool {
	switch name {
	case "p", "li", "td", "th", "tr", "option", "dd", "dt":
		return true
	}
	return false
}

// textWriter collects text as it shows: a line for each block, blanks folded.
type textWriter struct {
	strings.Builder
	limit   int
	cut     bool
	pending byte // the blank or line end that is before the next word
}

// add adds running text.
func (w *textWriter) add(s []byte) {
	if w.limit == 0 {
		return
	}
	for len(s) > 0 && !w.cut {
		n := even(s)
		if n == 0 {
			n = len(s) - len(bytes.TrimLeftFunc(s, isBlankRune))
			if w.pending == 0 {
				w.pending = ' '
			}
		} else {
			w.word(s[:n])
		}
		s = s[n:]
	}
}

// even returns the length of the words at the beginning of s that need no folding:
// there is one space between each two of them.
func even(s []byte) int {
	space := -2 // where the last one is
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c > ' ' && c < utf8.RuneSelf {
			continue
		}
		if c == ' ' && i > 0 && space != i-1 {
			space = i
			continue
		}
		if r, n := utf8.DecodeRune(s[i:]); !isBlankRune(r) {
			i += n - 1
			continue
		}
		if space == i-1 {
			return space
		}
		return i
	}
	if space == len(s)-1 && space > 0 {
		return space
	}
	return len(s)
}

// word adds one word or several, as many as there is room for.
func (w *textWriter) word(s []byte) {
	if room := w.limit - w.Len() - 1; len(s) > room {
		w.cut = true
		s = s[:max(0, bytes.LastIndexByte(s[:max(0, room)], ' '))]
	}
	if len(s) == 0 {
		return
	}
	if w.pending != 0 && w.Len() > 0 {
		w.WriteByte(w.pending)
	}
	w.pending = 0
	w.Write(s)
}

// line begins a new line.
func (w *textWriter) line() { w.pending = '\n' }

func isBlankRune(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' || r == 0xa0 || r == 0x3000 }
