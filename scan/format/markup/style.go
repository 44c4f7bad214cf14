package markup

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// deepest bounds how many open elements are remembered for their style.
const deepest = 200

// looks knows which text is hidden, by style of elements and by style sheets, as lures and
// filters are fed.
type looks struct {
	stack []look
	open  [slots]uint8 // how many names in the stack have each slot
	last  bool         // the element that was just begun is hidden, though nothing can be in it
	sheet *sheet       // nil while there is none
}

// look is an open element.
type look struct {
	being
	gone       bool   // nothing in it is seen, whatever that says
	invisible  bool   // elements in it may say that they are visible
	small      bool   // too small to be read, unless an element in it has a size
	colored    bool   // style says what colour its text has
	color      string // of its text, as written; "" where nothing says
	background string
}

// hidden reports whether the text of an element is hidden.
func (l *look) hidden() bool {
	return l.gone || l.invisible || l.small || l.colored && (l.color == transparent || l.color != "" && l.color == l.shownOn())
}

// hidden reports whether text that comes next is hidden.
func (l *looks) hidden() bool { return len(l.stack) > 0 && l.stack[len(l.stack)-1].hidden() }

// background returns the colour that is around what comes next; "" if nothing says.
func (l *looks) background() string {
	if len(l.stack) == 0 {
		return ""
	}
	return l.stack[len(l.stack)-1].background
}

// matches returns how often rules of style sheets may still be compared with elements.
func (l *looks) matches() int {
	if l.sheet == nil {
		return 0
	}
	return l.sheet.matches
}

// start opens an element.
func (l *looks) start(name string, attrs []Attr) {
	l.last = false
	if n := len(l.stack); n > 0 && closesItself(name) && l.stack[n-1].name == name {
		l.cut(n - 1)
	}
	var e look
	if n := len(l.stack); n > 0 {
		e = l.stack[n-1]
	}
	e.inside(name, attrs)
	if l.sheet != nil {
		e.being = newBeing(name, attrs)
	}
	if style, has := styleOf(attrs); has || l.sheet != nil {
		l.style(&e, style)
	}
	if isVoid(name) {
		l.last = e.hidden()
		return
	}
	if len(l.stack) < deepest {
		l.stack = append(l.stack, e)
		l.open[slot(name)]++
	}
}

// slots is how many slots names have: many enough for most end tags that end nothing to be
// told by theirs.
const slots = 64

func slot(name string) byte {
	if name == "" {
		return 0
	}
	return (name[0] + 7*name[len(name)-1] + 11*byte(len(name))) % slots
}

// cut closes all from the n-th element on.
func (l *looks) cut(n int) {
	for i := n; i < len(l.stack); i++ {
		l.open[slot(l.stack[i].name)]--
	}
	l.stack = l.stack[:n]
}

// end closes an element, and those inside that were left open.
func (l *looks) end(name string) {
	if l.open[slot(name)] == 0 {
		return
	}
	for i := len(l.stack) - 1; i >= 0; i-- {
		switch l.stack[i].name {
		case name:
			l.cut(i)
			return
		case "td", "table":
			return // a stray end tag does not reach out of its cell
		}
	}
}

// styleOf returns the style that an element has of its own, and whether it has any.
func styleOf(attrs []Attr) (style string, has bool) {
	for i := range attrs {
		if attrs[i].Name == "style" {
			return attrs[i].Value, true
		}
	}
	return "", false
}

// style applies what sheets and an element itself say of it. What outweighs other things
// comes last: what sheets say by their weight, then what the element says itself, then the
// important declarations.
func (l *looks) style(e *look, own string) {
	var all styled
	var important []declaration
	if l.sheet != nil {
		said := l.sheet.of(e.being, l.stack)
		slices.SortStableFunc(said, func(a, b weighed) int { return cmp.Compare(a.weight, b.weight) })
		for _, d := range said {
			if d.important {
				important = append(important, d.declaration)
			} else {
				all.set(d.property, d.value)
			}
		}
	}
	for decl := range strings.SplitSeq(plainCSS(own), ";") {
		property, value, _ := strings.Cut(decl, ":")
		property = strings.TrimSpace(property)
		value, _, is := strings.Cut(value, "!")
		if value = strings.TrimSpace(value); is {
			important = append(important, declaration{property: property, value: value})
		} else {
			all.set(property, value)
		}
	}
	for _, d := range important {
		all.set(d.property, d.value)
	}
	e.apply(&all)
}

// styled is what style says of one element, by property; "" where it says nothing.
type styled struct {
	display, visibility, outlook, opacity, fontSize, maxHeight, maxWidth, height, width, overflow, indent string
	color, fill, background, position, left, top, right, bottom, clip, clipPath, transform, content       string
	marginLeft, marginTop                                                                                 string
}

// of returns where a property is kept, nil for one that is not.
func (s *styled) of(property string) *string {
	switch property {
	case "display":
		return &s.display
	case "visibility":
		return &s.visibility
	case "mso-hide":
		return &s.outlook
	case "opacity":
		return &s.opacity
	case "font-size":
		return &s.fontSize
	case "max-height":
		return &s.maxHeight
	case "max-width":
		return &s.maxWidth
	case "height":
		return &s.height
	case "width":
		return &s.width
	case "overflow", "overflow-x", "overflow-y":
		return &s.overflow
	case "text-indent":
		return &s.indent
	case "color":
		return &s.color
	case "-webkit-text-fill-color":
		return &s.fill
	case "background", "background-color":
		return &s.background
	}
	return s.placed(property)
}

// placed does what of does for properties that say where an element is.
func (s *styled) placed(property string) *string {
	switch property {
	case "position":
		return &s.position
	case "left":
		return &s.left
	case "top":
		return &s.top
	case "right":
		return &s.right
	case "bottom":
		return &s.bottom
	case "clip":
		return &s.clip
	case "clip-path":
		return &s.clipPath
	case "transform":
		return &s.transform
	case "content-visibility":
		return &s.content
	case "margin-left":
		return &s.marginLeft
	case "margin-top":
		return &s.marginTop
	}
	return nil
}

// set takes in a declaration.
func (s *styled) set(property, value string) {
	if property == "font" {
		if size := sizeIn(value); size != "" {
			s.fontSize = size
		}
	} else if at := s.of(property); at != nil {
		*at = value
	}
}

// inside makes the look of an element of that of the one around it, style left out.
func (e *look) inside(name string, attrs []Attr) {
	e.being = being{name: name}
	for _, a := range attrs {
		switch a.Name {
		case "hidden":
			e.gone = true
		case "bgcolor":
			e.background = color(a.Value)
		case "color":
			if e.color = color(a.Value); name == "font" {
				e.colored = true
			}
		case "background":
			e.background = "image"
		}
	}
}

// shownOn returns the colour of the background: white where no style sets one.
func (l *look) shownOn() string {
	if l.background == "" {
		return "#ffffff"
	}
	return l.background
}

// apply applies style.
func (l *look) apply(own *styled) {
	l.gone = l.gone || own.vanishes() || own.isAside()
	if v := own.visibility; v != "" {
		l.invisible = v == "hidden" || v == "collapse" || l.invisible && v != "visible"
	}
	if v := own.fontSize; v != "" && v != "inherit" && !strings.HasSuffix(v, "em") && !strings.HasSuffix(v, "%") || tiny(v) {
		l.small = tiny(v)
	}
	for _, v := range [...]string{own.color, own.fill} {
		if v != "" {
			l.color, l.colored = color(v), true
		}
	}
	if own.background != "" {
		l.background = color(own.background)
	}
}

// vanishes reports whether style takes an element and all in it from the page.
func (s *styled) vanishes() bool {
	switch {
	case s.display == "none", s.outlook == "all", s.content == "hidden":
		return true
	case tiny(s.opacity), faint(s.opacity), tiny(s.maxHeight), tiny(s.maxWidth), s.transform != "" && noScale(s.transform):
		return true
	}
	return s.overflow != "" && (tiny(s.height) || tiny(s.width)) && strings.Contains(s.overflow, "hidden")
}

// faint reports whether so little is seen through that no person reads it.
func faint(opacity string) bool {
	if opacity == "" {
		return false
	}
	n, err := strconv.ParseFloat(opacity, 64)
	return err == nil && n < 0.1
}

// noScale reports whether a transformation makes an element a point or a line.
func noScale(value string) bool {
	_, by, ok := strings.Cut(value, "scale")
	by = strings.TrimLeft(by, "xyz3d")
	return ok && (strings.HasPrefix(by, "(0)") || strings.HasPrefix(by, "(0,") || strings.HasPrefix(by, "(0.0"))
}

// aside is how far from the page no reader sees an element, in pixels.
const aside = -500

// isAside reports whether style moves text off the screen, or cuts all of it off.
func (s *styled) isAside() bool {
	if pixelsOf(s.indent) <= aside || pixelsOf(s.marginLeft) <= aside || pixelsOf(s.marginTop) <= aside {
		return true
	}
	if clip := strings.ReplaceAll(s.clipPath, " ", ""); strings.HasPrefix(clip, "inset(100%") || strings.HasPrefix(clip, "inset(50%") ||
		strings.HasPrefix(clip, "circle(0") {
		return true
	}
	switch s.position {
	case "absolute", "fixed":
	case "relative":
		return pixelsOf(s.left) <= aside || pixelsOf(s.top) <= aside
	default:
		return false
	}
	rect := strings.Join(strings.FieldsFunc(s.clip, func(r rune) bool { return r == ' ' || r == ',' }), " ")
	if rect = strings.ReplaceAll(rect, "px", ""); rect == "rect(0 0 0 0)" || rect == "rect(1 1 1 1)" {
		return true
	}
	return pixelsOf(s.left) <= aside || pixelsOf(s.top) <= aside || pixelsOf(s.right) <= aside || pixelsOf(s.bottom) <= aside
}

// pixelsOf returns a length in pixels, 0 where it is none.
func pixelsOf(value string) float64 {
	if value == "" {
		return 0
	}
	number := strings.TrimRight(value, "abcdefghijklmnopqrstuvwxyz%")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0
	}
	switch value[len(number):] {
	case "em", "rem", "pc":
		n *= 16
	case "cm":
		n *= 38
	case "in":
		n *= 96
	case "vw", "vh", "%":
		n *= 10
	}
	return n
}

// sizeIn returns the size in the value of font, "" if there is none.
func sizeIn(font string) string {
	for _, word := range strings.Fields(font) {
		size, _, _ := strings.Cut(word, "/")
		if size != "" && (size[0] >= '0' && size[0] <= '9' || size[0] == '.') && strings.Trim(size, "0123456789") != "" || size == "0" {
			return size
		}
	}
	return ""
}

// tiny reports whether a size is at most one of its unit, other than of those
// that are large.
func tiny(value string) bool {
	if value == "" || value[0] > '9' {
		return false
	}
	number := strings.TrimRight(value, "abcdefghijklmnopqrstuvwxyz%")
	n, err := strconv.ParseFloat(number, 64)
	unit := value[len(number):]
	return err == nil && (n == 0 || n <= 1 && (unit == "px" || unit == "pt" || unit == "%"))
}
