package document

import "strings"

// webNamespaces are those whose elements browsers obey in any XML document, whatever
// its root is (XML Namespaces; HTML Standard, section 14).
var webNamespaces = [...]string{"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}

func isWebNamespace(value string) bool {
	for _, n := range webNamespaces {
		if len(value) >= len(n) && strings.TrimSpace(value) == n {
			return true
		}
	}
	return false
}

// mayBeWeb reports whether the value of a declaration is such a namespace, or is put
// together by an entity of the document type, which may say anything.
func mayBeWeb(value string) bool { return isWebNamespace(value) || strings.Contains(value, "&") }

// web knows which names in a document are those of web pages.
type web struct {
	prefixes map[string]bool
	scopes   []scope // of the default namespace
	depth    int
}

// scope is where a default namespace holds: from an element of a depth to its end.
type scope struct {
	depth int
	web   bool
}

// declare enters the namespaces that a start tag declares.
func (w *web) declare(t *element) {
	w.depth++
	for _, a := range t.attributes {
		switch {
		case a.prefix == "" && a.name == "xmlns":
			w.scopes = append(w.scopes, scope{w.depth, mayBeWeb(a.value)})
		case a.prefix == "xmlns" && mayBeWeb(a.value):
			if w.prefixes == nil {
				w.prefixes = map[string]bool{}
			}
			w.prefixes[a.name] = true
		}
	}
}

// end closes the element that is open.
func (w *web) end() {
	if n := len(w.scopes); n > 0 && w.scopes[n-1].depth == w.depth {
		w.scopes = w.scopes[:n-1]
	}
	w.depth = max(w.depth-1, 0)
}

// holds reports whether an element is one of web pages.
func (w *web) holds(t *element) bool {
	if t.prefix != "" {
		return w.prefixes[t.prefix]
	}
	return len(w.scopes) > 0 && w.scopes[len(w.scopes)-1].web
}

// webElement looks for a script or a piece of a web page in a document that is none:
// a browser that opens it runs that.
func (o *officeXML) webElement() {
	t := &o.tag
	if t.end {
		o.web.end()
		return
	}
	o.web.declare(t)
	if o.web.holds(t) {
		o.judgeWeb(t)
	}
	if t.empty {
		o.web.end()
	}
}

func (o *officeXML) judgeWeb(t *element) {
	switch t.name {
	case "script", "iframe", "embed", "object", "form", "handler", "listener":
		o.report.add(ruleSVG, "an element "+t.name+" of web pages in XML")
	}
	for _, a := range t.attributes {
		if a.prefix == "" && eventHandler.MatchString(a.name) {
			o.report.add(ruleSVG, "an event handler "+quote(a.name)+" in XML")
		}
	}
}

// webEntity looks for the same in what the document type defines, which is put into
// the document where it is used.
func (o *officeXML) webEntity() {
	text := strings.ToLower(o.content())
	if !strings.Contains(text, "script") && !strings.Contains(text, "<iframe") {
		return
	}
	for _, n := range webNamespaces {
		if strings.Contains(text, n) {
			o.report.add(ruleSVG, "a text that holds a script of web pages")
		}
	}
}
