package markup

import (
	"strconv"
	"strings"
)

// deepest bounds how many open elements are remembered for their style.
const deepest = 200

// looks knows which text is hidden: by inline style, as lures and filters are
// fed. Style sheets are not looked at.
type looks struct {
	stack []look
	open  map[string]int // how often each name is in the stack
	last  bool           // the element that was just begun is hidden, though nothing can be in it
}

// look is an open element.
type look struct {
	name       string
	hidden     bool
	color      string // of its text, as written; "" where nothing says
	background string
}

func (l *looks) hidden() bool { return len(l.stack) > 0 && l.stack[len(l.stack)-1].hidden }

// background returns the colour that is around what comes next; "" if nothing says.
func (l *looks) background() string {
	if len(l.stack) == 0 {
		return ""
	}
	return l.stack[len(l.stack)-1].background
}

// start opens an element.
func (l *looks) start(name string, attrs []Attr) {
	l.last = false
	var top look
	if n := len(l.stack); n > 0 {
		if closesItself(name) && l.stack[n-1].name == name {
			l.cut(n - 1)
		}
		if n = len(l.stack); n > 0 {
			top = l.stack[n-1]
		}
	}
	e := top.with(name, attrs)
	if isVoid(name) {
		l.last = e.hidden
		return
	}
	if len(l.stack) < deepest {
		l.stack = append(l.stack, e)
		l.open[name]++
	}
}

// cut closes all from the n-th element on.
func (l *looks) cut(n int) {
	for _, e := range l.stack[n:] {
		l.open[e.name]--
	}
	l.stack = l.stack[:n]
}

// end closes an element, and those inside that were left open.
func (l *looks) end(name string) {
	if l.open[name] == 0 {
		return
	}
	for i := len(l.stack) - 1; i >= 0; i-- {
		if l.stack[i].name == name {
			l.cut(i)
			return
		}
		if l.stack[i].name == "td" || l.stack[i].name == "table" {
			return // a stray end tag does not reach out of its cell
		}
	}
}

// with returns the look of an element inside another.
func (outer look) with(name string, attrs []Attr) look {
	e := outer
	e.name = name
	own := false
	for _, a := range attrs {
		switch a.Name {
		case "hidden":
			e.hidden = true
		case "bgcolor":
			e.background = color(a.Value)
		case "color":
			e.color, own = color(a.Value), name == "font"
		case "background":
			e.background = "image"
		case "style":
			own = e.style(a.Value) || own
		}
	}
	if own && e.color != "" && e.color == e.shownOn() {
		e.hidden = true
	}
	return e
}

// shownOn returns the colour of the background: white where no style sets one.
func (l look) shownOn() string {
	if l.background == "" {
		return "#ffffff"
	}
	return l.background
}

// style applies inline style, and reports whether it sets the colour of text.
func (l *look) style(css string) (colored bool) {
	for decl := range strings.SplitSeq(plainCSS(css), ";") {
		property, value, _ := strings.Cut(decl, ":")
		property = strings.TrimSpace(property)
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		switch property {
		case "display":
			l.hidden = l.hidden || value == "none"
		case "visibility":
			l.hidden = value == "hidden" || value == "collapse" || l.hidden && value != "visible"
		case "mso-hide":
			l.hidden = l.hidden || value == "all"
		case "opacity", "font-size", "max-height", "max-width":
			l.hidden = l.hidden || tiny(value)
		case "text-indent":
			l.hidden = l.hidden || strings.HasPrefix(value, "-999")
		case "color":
			l.color, colored = color(value), true
		case "background", "background-color":
			l.background = color(value)
		}
	}
	return colored
}

// tiny reports whether a size is at most one of its unit, other than of those
// that are large.
func tiny(value string) bool {
	number := strings.TrimRight(value, "abcdefghijklmnopqrstuvwxyz%")
	n, err := strconv.ParseFloat(number, 64)
	unit := value[len(number):]
	return err == nil && (n == 0 || n <= 1 && (unit == "px" || unit == "pt" || unit == "%"))
}

// plainCSS returns style in lower case, without comments and escapes, by which words
// in it are hidden.
func plainCSS(css string) string {
	css = strings.ToLower(css)
	if strings.Contains(css, "/*") {
		css = withoutComments(css)
	}
	if strings.Contains(css, "\\") {
		css = unescapeCSS(css)
	}
	return css
}

func withoutComments(css string) string {
	var b strings.Builder
	for {
		before, behind, found := strings.Cut(css, "/*")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, css, _ = strings.Cut(behind, "*/")
	}
}

// unescapeCSS resolves escapes (CSS Syntax, section 4.3.7).
func unescapeCSS(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		end := i + 1
		for end < len(s) && end < i+7 && isHex(s[end]) {
			end++
		}
		if end == i+1 {
			continue // what follows represents itself
		}
		n, _ := strconv.ParseUint(s[i+1:end], 16, 32)
		b.WriteRune(rune(n))
		if end < len(s) && isSpace(s[end]) {
			end++
		}
		i = end - 1
	}
	return b.String()
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
