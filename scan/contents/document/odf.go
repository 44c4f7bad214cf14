package document

import (
	"net/url"
	"strings"
)

// clicks are the events that need a reader's click or key. All others happen by
// themselves, sooner or later.
var clicks = map[string]bool{
	"dom:DOMActivate": true, "dom:click": true, "form:performaction": true, "form:approveaction": true,
	"dom:mousedown": true, "dom:mouseup": true,
	"dom:keydown": true, "dom:keyup": true, "dom:keypress": true, "dom:change": true, "form:textchange": true,
	"on-click": true,
}

// listener takes the binding of a macro to an event (ODF part 3, section 14.3).
func (o *officeXML) listener() {
	href := o.tag.get("href")
	script, isScript := strings.CutPrefix(href, "vnd.sun.star.script:")
	if o.tag.end || !isScript && !strings.HasPrefix(href, "macro:") || clicks[o.tag.get("event-name")] {
		return
	}
	macro, query, _ := strings.Cut(script, "?")
	o.shared.starts = appendOnce(o.shared.starts, quote(macro)+" on "+quote(o.tag.get("event-name")))
	if v, err := url.ParseQuery(query); err == nil && v.Get("language") != "" && v.Get("language") != "Basic" {
		o.shared.code++
		o.shared.certain = appendOnce(o.shared.certain, "a macro in "+quote(v.Get("language")))
	}
}

// module takes a module of LibreOffice Basic. In a document in one piece its source
// is an element within.
func (o *officeXML) module() {
	if !o.tag.end {
		o.keep = int(o.left())
		return
	}
	b := readBasic(o.content())
	o.shared.gather(o.basic, base(o.part.Name()), b)
}
