package markup

import "strings"

// isBlock reports whether an element stands on lines of its own, in HTML or, with
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
