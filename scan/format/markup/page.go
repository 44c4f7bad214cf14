package markup

import (
	"io"

	"github.com/milterscan/milterscan/scan/units"
)

// Limits bound the findings kept of one text. Where one is reached, Page says so.
type Limits struct {
	// The longest tag, or text without a tag, that is looked at as a whole.
	Token units.Size `toml:"token"`
	// The text that is kept for looking for words in it; 0 keeps none.
	Text units.Size `toml:"text"`
	// The links of one text.
	Links int `toml:"links"`
	// The elements of one text that are kept: forms, images, objects and the like.
	Elements int `toml:"elements"`
}

// DefaultLimits returns limits that suffice for any mail that people write.
func DefaultLimits() Limits {
	return Limits{Token: 4 * units.MB, Text: 4 * units.MB, Links: 20_000, Elements: 20_000}
}

// Where is what a link was found in: the name of the element, or one of these.
type Where string

// The places of links that are no elements.
const (
	InText  Where = "text"  // plain text
	InStyle Where = "style" // a style sheet or an attribute with style
	InFile  Where = "file"  // a document
)

// Link is one place that a text leads to or fetches from.
type Link struct {
	Href   string // as a browser reads it
	Target string // the same, resolved against <base>
	Text   string // the text shown for it, blanks folded; of an image, its alt
	Where  Where
	Attr   string // the attribute that holds it, "" in plain text
	Tag    Span   // the start tag, or the address in plain text
	Value  Span   // the address alone
	Inside Span   // what it is shown for; empty where there is no end tag
	Hidden bool   // by style: a reader does not see it
	Second bool   // in what some clients do not read as markup

	Download Download // whether a click saves what it leads to
}

// Download says that a click on a link saves what it leads to: NotSaved, or a blank
// and the name it is saved under, if it has one.
type Download string

// NotSaved is the Download of links that are followed.
const NotSaved Download = ""

// Fetched reports whether clients fetch the place by themselves.
func (l Link) Fetched() bool {
	switch l.Where {
	case "a", "area", "form", "button", "input", "base", InText, InFile:
		return l.Where == "input" && l.Attr == "src"
	}
	return l.Attr != "href" || l.Where == "link" || l.Where == "image" || l.Where == "use"
}

// Element is a tag that is more than text and links: see Kept.
type Element struct {
	Name   string
	Attrs  []Attr
	Tag    Span
	Hidden bool
	Second bool
}

// Attr returns the value of the first attribute of that name.
func (e Element) Attr(name string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// Objection is one thing in a page that a finding is about.
type Objection struct {
	Rule  string // of the finding
	Tag   Span   // of the element, or of what holds the link
	Link  int    // index into Page.Links, or NoLink
	Place string // where the link really leads
}

// NoLink is the Link of an objection to an element.
const NoLink = -1

// Page is what a text shows, and what it could do.
type Page struct {
	Charset string
	Decoded bool // spans are of the text in UTF-8, not of the original bytes

	Links    []Link
	Elements []Element
	Calls    []string // what its scripts, handlers and javascript: links use, of the words of Calls
	Base     string   // of <base href>
	Text     string   // as shown: one line for each block, blanks folded; hidden text is not in it
	Letters  int      // characters shown, blanks not counted
	Hidden   int      // characters hidden by style
	Data     int      // longest run of base64 in a script, an attribute or the text, in characters

	Drawings []Drawing // pictures made of characters or of cells

	Cut bool // a limit was reached: there is more of something
}

// Kept reports whether elements of that name are kept: those that submit, run,
// embed, fetch or change where links lead. Any element that handles events is
// kept as well.
func Kept(name string) bool {
	switch name {
	case "form", "input", "button", "select", "textarea", "isindex", "keygen",
		"script", "iframe", "frame", "object", "applet", "embed", "param", "svg", "math", "foreignobject",
		"meta", "base", "link", "style", "img", "image", "video", "audio", "bgsound", "portal", "template":
		return true
	}
	return false
}

// ReadHTML reads HTML. It fails only if the source does.
func ReadHTML(s Source, l Limits) (*Page, error) {
	return readPage(s, l, func(s Source) *Reader { return NewReader(s, int(l.Token)) })
}

// readPage reads a page; a second time, if a style sheet comes after what it may be about.
func readPage(s Source, l Limits, reader func(Source) *Reader) (*Page, error) {
	b := newBuilder(s, l)
	page, err := readTokens(reader(s), b)
	if err != nil || !b.late || s.again == nil {
		return page, err
	}
	s = s.again()
	second := newBuilder(s, l)
	second.whole, second.looks.sheet = true, b.looks.sheet
	second.looks.sheet.matches = mostMatches
	return readTokens(reader(s), second)
}

// ReadXML does what ReadHTML does for XHTML and SVG.
func ReadXML(s Source, l Limits) (*Page, error) {
	return readPage(s, l, func(s Source) *Reader { return NewXMLReader(s, int(l.Token)) })
}

func readTokens(r *Reader, b *builder) (*Page, error) {
	for {
		t, err := r.Next()
		if err == io.EOF {
			b.page.Cut = b.page.Cut || r.Cut()
			return b.finish(), nil
		}
		if err != nil {
			return nil, err
		}
		b.token(t)
		if !b.spendToken(t) {
			return b.finish(), nil
		}
	}
}
