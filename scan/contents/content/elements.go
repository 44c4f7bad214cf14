package content

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/open/texts"
)

// judgeElements looks at what the page of a message holds in addition to text.
func (s *Scanner) judgeElements(r *report, p *markup.Page) {
	for _, e := range p.Elements {
		r.about = markup.Objection{Tag: e.Tag, Link: markup.NoLink}
		if as := ruleOf(e); as != "" {
			r.add(as, label(e))
		}
		if h := handler(e); h != "" {
			r.addf(ruleHandler, "<%s %s>", e.Name, h)
		}
	}
	for i, l := range p.Links {
		u := markup.ParseLink(l.Target)
		r.about = markup.Objection{Tag: l.Tag, Link: i, Place: u.Place()}
		switch {
		case !u.Web():
		case isStyle(p, l):
			r.addf(ruleStyle, "style from %s", u.Place())
		case s.bugs.isBug(p, l, u):
			r.addf(ruleWebBug, "<%s> from %s", l.Where, u.Place())
		}
	}
}

// ruleOf returns the rule an element breaks by being there.
func ruleOf(e markup.Element) rule {
	switch e.Name {
	case "form", "isindex":
		return ruleForm
	case "button", "input": // which sends in place of a form around it, or without one
		if v, ok := e.Attr("formaction"); ok && strings.TrimSpace(v) != "" {
			return ruleForm
		}
	case "script":
		if runs(e) {
			return ruleScript
		}
	case "iframe", "frame", "portal":
		return ruleFrame
	case "object":
		return ruleObject
	case "applet":
		return ruleApplet
	case "embed":
		return ruleEmbed
	case "meta":
		if v, _ := e.Attr("http-equiv"); strings.EqualFold(strings.TrimSpace(v), "refresh") {
			return ruleRefresh
		}
	}
	return ""
}

// runs reports whether a script element holds a script: orders and tickets carry
// data about themselves in one.
func runs(e markup.Element) bool {
	kind, _ := e.Attr("type")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind != "application/ld+json" && kind != "application/json" && kind != "text/x-template"
}

// label names an element with where it gets its content or sends it.
func label(e markup.Element) string {
	for _, name := range [...]string{"src", "action", "formaction", "data", "code", "classid", "content"} {
		if v, ok := e.Attr(name); ok && v != "" {
			return "<" + e.Name + "> with " + name + " " + printable(v)
		}
	}
	return "<" + e.Name + ">"
}

// handler returns the first attribute of an element that handles an event.
func handler(e markup.Element) string {
	i := slices.IndexFunc(e.Attrs, func(a markup.Attr) bool { return markup.IsHandler(a.Name) })
	if i < 0 {
		return ""
	}
	return e.Attrs[i].Name
}

// isStyle reports whether a link fetches style.
func isStyle(p *markup.Page, l markup.Link) bool {
	if l.Where == markup.InStyle {
		return true
	}
	e, ok := elementAt(p, l)
	if !ok || e.Name != "link" {
		return false
	}
	rel, _ := e.Attr("rel")
	return strings.Contains(strings.ToLower(rel), "stylesheet") || strings.Contains(strings.ToLower(rel), "import")
}

// elementAt returns the element whose tag holds a link. Elements are in the order
// of the page, but for those that are read a second time.
func elementAt(p *markup.Page, l markup.Link) (markup.Element, bool) {
	at, ok := slices.BinarySearchFunc(p.Elements, l.Tag.Start, func(e markup.Element, start int64) int {
		return int(max(-1, min(1, e.Tag.Start-start)))
	})
	if ok {
		return p.Elements[at], true
	}
	return markup.Element{}, false
}

// acting returns what in a page acts by itself or sends text that a reader types.
func acting(p *markup.Page) (acts []string) {
	add := func(what string) {
		if !slices.Contains(acts, what) {
			acts = append(acts, what)
		}
	}
	for _, e := range p.Elements {
		switch ruleOf(e) {
		case ruleForm:
			add("a form")
		case ruleScript:
			add("a script")
		case ruleFrame, ruleObject, ruleApplet, ruleEmbed:
			add("an embedded " + e.Name)
		case ruleRefresh:
			add("a redirect")
		}
		if handler(e) != "" {
			add("an event handler")
		}
		if e.Name == "foreignobject" {
			add("a page inside")
		}
	}
	for _, l := range p.Links {
		if l.Where != "img" && l.Where != "image" && l.Where != markup.InStyle && markup.ParseLink(l.Target).Scheme == "javascript" {
			add("a script in a link")
		}
	}
	return acts
}

// bugJudge knows images that are there to be fetched, not to be seen.
type bugJudge struct {
	size    int
	hosts   []string
	spacers []string
}

// isBug reports whether a link to u fetches such an image.
func (j bugJudge) isBug(p *markup.Page, l markup.Link, u markup.URL) bool {
	switch l.Where {
	case "img", "image", "input", "bgsound", "audio", "video", "embed", "table", "td", "body":
	default:
		return false
	}
	if !l.Fetched() || !u.Web() {
		return false
	}
	if listed(j.hosts, u.Host) || l.Where == "bgsound" {
		return true
	}
	file, _, _ := strings.Cut(u.Rest, "?")
	if slices.Contains(j.spacers, strings.ToLower(path.Base(file))) {
		return false
	}
	e, ok := elementAt(p, l)
	return ok && (e.Name == "img" || e.Name == "image" || e.Name == "input") && (l.Hidden || j.tiny(e))
}

// tiny reports whether an image is declared no larger than the limit, in both
// directions or in the only one that is declared.
func (j bugJudge) tiny(e markup.Element) bool {
	width, height := dimension(e, "width"), dimension(e, "height")
	if width < 0 && height < 0 {
		return false
	}
	return width <= j.size && height <= j.size
}

// dimension returns what the style of an element, or else an attribute, says of its
// size in pixels; -1 if nothing does.
func dimension(e markup.Element, name string) int {
	if css, ok := e.Attr("style"); ok {
		for decl := range strings.SplitSeq(strings.ToLower(css), ";") {
			if property, value, _ := strings.Cut(decl, ":"); strings.TrimSpace(property) == name {
				return pixels(value)
			}
		}
	}
	v, ok := e.Attr(name)
	if !ok {
		return -1
	}
	return pixels(v)
}

// large is the size of what has none in pixels.
const large = 1 << 20

func pixels(s string) int {
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "!important"))
	n, err := strconv.ParseFloat(strings.TrimRight(strings.ToLower(s), "px "), 64)
	if err != nil || n < 0 || n > large {
		return large
	}
	return int(n)
}

// smuggles says how a page makes a file of what it carries, "" if it does not. One
// that is handed over by name counts at any size. In archives, where whole web
// sites are, only the plain cases count.
func (s *Scanner) smuggles(t texts.Text) string {
	p := t.Page
	if how := handsOver(p); how != "" {
		return how
	}
	carries := s.smuggled > 0 && p.Data >= s.smuggled
	saves := firstOf(p.Calls, "createObjectURL", "msSaveOrOpenBlob", "msSaveBlob", "showSaveFilePicker", "File(")
	decodes := firstOf(p.Calls, "atob", "Blob", "fromCharCode", "Uint8Array", "ArrayBuffer", "unescape", "decodeURIComponent")
	downloads := firstOf(p.Calls, "download", "click(", "dispatchEvent")
	shows := firstOf(p.Calls, "document.write", "innerHTML", "srcdoc", "insertAdjacentHTML", "eval", "Function(", "location",
		"data:application/", "data:text/html")
	switch {
	case saves != "" && carries:
		return "a script saves a file with " + saves + " and carries " + strconv.Itoa(p.Data) + " characters of data"
	case t.Place == texts.Member:
		return ""
	case saves != "" && slices.Contains(p.Calls, markup.FetchData):
		return "a script fetches a file that the page carries and has it saved with " + saves
	case saves != "" && downloads != "" && decodes != "":
		return "a script makes a file with " + decodes + " and has it saved with " + saves
	case decodes != "" && carries && (downloads != "" || shows != ""):
		return "a script decodes with " + decodes + " what the page carries, " + strconv.Itoa(p.Data) + " characters, for " + downloads + shows
	}
	return downloadsData(p, s.smuggled)
}

// handsOver finds a link to be saved that is the file itself: its attribute says so,
// whatever the size. Tables and texts that a report offers, and pictures, are none.
func handsOver(p *markup.Page) string {
	for _, l := range p.Links {
		if l.Download == markup.NotSaved || l.Where != "a" && l.Where != "area" {
			continue
		}
		u := markup.ParseLink(l.Target)
		if u.Scheme != "data" || strings.Trim(u.Rest, ", ") == "" || harmlessData(u.Rest, string(l.Download)) {
			continue
		}
		return "a link has a file of its own saved, " + printable(u.Rest[:min(len(u.Rest), 40)])
	}
	return ""
}

// harmlessData reports whether data are a picture, sound, table or text by their
// type and by the name they are saved under, if there is one.
func harmlessData(rest, name string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(rest)), ",")
	kind, _, _ = strings.Cut(kind, ";")
	switch strings.TrimSpace(kind) {
	case "image/svg+xml":
		return false
	case "", "text/plain", "text/csv", "text/tab-separated-values", "text/calendar", "text/vcard", "text/x-vcard", "application/json":
	default:
		if sort, _, _ := strings.Cut(kind, "/"); sort != "image" && sort != "audio" && sort != "video" && sort != "font" {
			return false
		}
	}
	switch strings.ToLower(strings.TrimPrefix(path.Ext(strings.TrimRight(name, ". ")), ".")) {
	case "", "txt", "csv", "tsv", "json", "ics", "vcf", "md", "log",
		"png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff",
		"mp3", "wav", "ogg", "mp4", "webm", "woff", "woff2", "ttf":
		return true
	}
	return false
}

// downloadsData finds a link that is the file itself.
func downloadsData(p *markup.Page, least int) string {
	for _, l := range p.Links {
		if l.Where != "a" && l.Where != "area" || len(l.Target) < least {
			continue
		}
		u := markup.ParseLink(l.Target)
		if u.Scheme != "data" || strings.HasPrefix(u.Rest, "image/") || len(u.Rest) < least {
			continue
		}
		return "a link carries a file of its own, " + printable(u.Rest[:min(len(u.Rest), 40)])
	}
	return ""
}

// firstOf returns the first of some words that is in a list.
func firstOf(list []string, words ...string) string {
	for _, w := range words {
		if slices.Contains(list, w) {
			return w
		}
	}
	return ""
}
