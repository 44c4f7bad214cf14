package document

import (
	"regexp"
	"slices"
	"strings"
)

// eventHandler is the name of an attribute that holds a script.
var eventHandler = regexp.MustCompile(`(?i)^on[a-z]{3,}$`)

// pageElements are elements of web pages that have no place in a picture.
var pageElements = map[string]bool{
	"iframe": true, "embed": true, "object": true, "form": true, "meta": true,
	"input": true, "base": true, "link": true,
}

// svg looks for what makes a picture act. Browsers open SVG by itself, with all
// that a page may do.
func (e *examination) svg(x *xmlReader) error {
	for {
		if !x.tag.end {
			e.svgElement(&x.tag)
		}
		// A document type may define text that becomes a script once it is used.
		if text := strings.ToLower(x.content()); x.tag.name != "style" &&
			(strings.Contains(text, "<script") || strings.Contains(text, "javascript:")) {
			e.report.add(ruleSVG, "a text that holds a script")
		}
		if err := x.next(); err != nil {
			return err
		}
	}
}

func (e *examination) svgElement(t *element) {
	switch name := strings.ToLower(t.name); {
	case name == "script", name == "handler", name == "listener":
		e.report.add(ruleSVG, "an element "+name)
	case pageElements[name]:
		e.report.add(ruleSVG, "an element "+name+" of web pages")
	}
	for _, a := range t.attributes {
		switch {
		case eventHandler.MatchString(a.name):
			e.report.add(ruleSVG, "an event handler "+quote(a.name))
		case strings.Contains(a.value, ":") && e.acts(a.value):
			e.report.add(ruleSVG, "an address "+quote(a.value))
		}
	}
}

// acts reports whether an address runs or shows its own content. Browsers read over blanks.
func (e *examination) acts(address string) bool {
	e.ledger.work.Work(1, priceAddress)
	bare := strings.ToLower(strings.Join(strings.Fields(address), ""))
	return slices.ContainsFunc(actingAddresses[:], func(begin string) bool { return strings.HasPrefix(bare, begin) })
}

// actingAddresses are how addresses begin that run or show their own content.
var actingAddresses = [...]string{"javascript:", "vbscript:", "data:text/html", "data:image/svg+xml",
	"data:application/xhtml"}
