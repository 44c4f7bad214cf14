package edit

import (
	"html"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// startTag does what the objections to a tag ask for. A tag that goes needs
// nothing further.
func (d *disarmer) startTag(t *markup.Token) {
	objections := d.at[t.Tag()]
	tag := d.tagOf(t, objections)
	if d.goes(tag, objections) {
		d.drop(tag.at)
		d.raw = rawElement{name: t.Name, end: tag.at.End}
		return
	}
	if !d.isBug(tag, objections) {
		d.formTag(tag)
		for _, o := range objections {
			if o.Link >= 0 {
				d.link(tag, o)
			}
		}
		d.attributes(tag)
	}
	d.opened(tag, t.Second)
}

// opened remembers what was opened.
func (d *disarmer) opened(t *tag, second bool) {
	switch t.name {
	case "img":
		d.before.picture()
	case "style":
		d.style = t.at
	case "a":
		d.inLink[which(second)] = ""
		if t.has("href") {
			d.inLink[which(second)] = t.name
		}
	default:
		if d.opens[t.at] {
			d.inLink[which(second)] = t.name
		}
	}
}

// which returns the index of the fields that are kept once for each way to read a page.
func which(second bool) int {
	if second {
		return 1
	}
	return 0
}

// tag is a start tag.
type tag struct {
	name  string
	at    markup.Span
	attrs []markup.Attr
	gone  map[int]bool // attributes that were taken out
}

// tagOf returns a tag as far as it matters: attributes do where something is against
// the tag, and where fields and links are told by them.
func (d *disarmer) tagOf(t *markup.Token, objections []markup.Objection) *tag {
	tag := &tag{name: t.Name, at: t.Tag()}
	if len(objections) > 0 || t.Name == "a" || d.asked["content/form"] && isField(t.Name) {
		tag.attrs, tag.gone = t.Attrs(), map[int]bool{}
	}
	return tag
}

func isField(name string) bool {
	switch name {
	case "input", "button", "select", "textarea", "keygen":
		return true
	}
	return false
}

// goes reports whether a tag is taken out.
func (d *disarmer) goes(t *tag, objections []markup.Objection) bool {
	for _, o := range objections {
		switch o.Rule {
		case "content/script", "content/iframe", "content/object", "content/applet", "content/embed", "content/meta-refresh":
			return true
		case "content/link-script", "content/link-program", "content/link-bad":
			if t.name == "meta" {
				return true
			}
		case "content/remote-style":
			if t.name == "link" {
				return true
			}
		}
	}
	switch t.name {
	case "param":
		return d.asked["content/object"] || d.asked["content/applet"]
	case "isindex":
		return d.asked["content/form"]
	case foreign:
		return d.asked[foreign]
	}
	return false
}

// endTag takes out the ends of elements that are gone.
func (d *disarmer) endTag(t *markup.Token) {
	d.endLink(t)
	switch t.Name {
	case "iframe", "portal", "frame":
		d.dropIf("content/iframe", t)
	case "object", "applet", "embed":
		d.dropIf("content/"+t.Name, t)
	case foreign:
		d.dropIf(foreign, t)
	case "form":
		if d.forms > 0 {
			d.forms--
			d.replace(t.Tag(), "</div>")
		}
	}
}

// endLink forgets the link that an end tag is of.
func (d *disarmer) endLink(t *markup.Token) {
	if t.Name == d.inLink[which(t.Second)] {
		d.inLink[which(t.Second)] = ""
	}
}

func (d *disarmer) dropIf(rule string, t *markup.Token) {
	if d.asked[rule] && (d.raw.name != t.Name || d.raw.end >= 0) {
		d.drop(t.Tag())
	}
}

// formTag makes a form a block, and disables its fields.
func (d *disarmer) formTag(t *tag) {
	if !d.asked["content/form"] {
		return
	}
	name := markup.Span{Start: t.at.Start + 1, End: t.at.Start + 1 + int64(len(t.name))}
	switch {
	case t.name == "form":
		d.forms++
		d.replace(name, "div")
		d.without(t, "action", "method", "target", "enctype", "accept-charset")
	case isField(t.name):
		d.without(t, "formaction", "formmethod", "formtarget", "form")
		if !t.has("disabled") {
			d.replace(markup.Span{Start: name.End, End: name.End}, " disabled")
		}
	}
}

func (t *tag) has(name string) bool {
	for _, a := range t.attrs {
		if a.Name == name {
			return true
		}
	}
	return false
}

// without takes attributes out of a tag.
func (d *disarmer) without(t *tag, names ...string) {
	for i, a := range t.attrs {
		for _, n := range names {
			if a.Name == n {
				d.dropAttr(t, i)
			}
		}
	}
}

func (d *disarmer) dropAttr(t *tag, i int) {
	if !t.gone[i] {
		t.gone[i] = true
		d.drop(t.attrs[i].Span)
	}
}

// attributes takes out handlers of events.
func (d *disarmer) attributes(t *tag) {
	for i, a := range t.attrs {
		if d.asked["content/event-handler"] && markup.IsHandler(a.Name) {
			d.dropAttr(t, i)
		}
	}
}

// graphic is a picture of one transparent pixel.
const graphic = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

// isBug puts a picture of ours in the place of one that reports back. Of other
// elements, such as tables with a background, only the address goes.
func (d *disarmer) isBug(t *tag, objections []markup.Objection) bool {
	for _, o := range objections {
		if o.Rule != "content/web-bug" {
			continue
		}
		if t.name == "img" || t.name == "image" {
			d.replace(t.at, `<img src="`+graphic+`" width="1" height="1" alt="`+escaped(d.ImageRemoved)+`" />`)
			return true
		}
	}
	return false
}

// link does what an objection to a link asks for.
func (d *disarmer) link(t *tag, o markup.Objection) {
	l := d.links[o.Link]
	switch {
	case o.Rule == "content/remote-style":
		d.styleOf(t, l)
	case o.Rule == "content/web-bug":
		d.unlink(t, l)
	case isUnlinked(o.Rule):
		d.unlink(t, l)
		d.warn(t, d.LinkRemoved, o.Place)
	default:
		d.warn(t, d.LinkWarning, o.Place)
	}
}

func isUnlinked(rule string) bool {
	for _, r := range unlinks {
		if r == rule {
			return true
		}
	}
	return false
}

// unlink takes out the attribute that holds an address, and those of its name that
// would count in its place.
func (d *disarmer) unlink(t *tag, l markup.Link) {
	for _, a := range t.attrs {
		if a.At == l.Value && a.Name == l.Attr {
			d.without(t, a.Name)
		}
	}
}

// hostLetters are what the places of web links are made of.
const hostLetters = "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]"

// warn shows, before an element, where its link leads; once, also if that was
// done at another time. The place is shown so that no client makes a link of it,
// and inside another link so that it is no claim of that one.
func (d *disarmer) warn(t *tag, warning, place string) {
	ends := t.name == "a" && slices.Contains(d.inLink[:], "a") // as this one ends the link before
	inOther := slices.ContainsFunc(d.inLink[:], func(open string) bool { return open != "" && !(ends && open == "a") })
	switch {
	case inOther:
		warning = markup.Unclaimed(strings.Replace(warning, "{place}", place, 1))
	case strings.Trim(place, hostLetters) != "":
		place = markup.Unlinked(place)
	}
	warning = strings.Replace(warning, "{place}", place, 1)
	if d.warned != nil && *d.warned == t.at || d.before.endsWith(warning) {
		return
	}
	d.warned = &t.at
	at := markup.Span{Start: t.at.Start, End: t.at.Start}
	end := ""
	if ends {
		end = "</a>"
	}
	d.replace(at, end+"<b>"+escaped(warning)+"</b> ")
}

// escaped returns a text as it may be in HTML in any charset that knows ASCII.
func escaped(s string) string { return inASCII(html.EscapeString(s)) }

// inASCII returns HTML with references for all that is not ASCII.
func inASCII(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			b.WriteString("&#" + itoa(r) + ";")
		}
	}
	return b.String()
}

// recentText is the last of what a reader sees.
type recentText struct{ text []byte }

// seen is as much as a warning is looked for in, and a few times that is kept.
const seen = 1 << 10

func (r *recentText) add(s string) {
	r.text = append(r.text, s[max(len(s)-seen, 0):]...)
	if len(r.text) > 4*seen {
		r.text = r.text[:copy(r.text, r.text[len(r.text)-seen:])]
	}
}

// picture notes a picture: readers see it between two texts.
func (r *recentText) picture() { r.add("\x00") }

// endsWith compares words, however they are spaced.
func (r *recentText) endsWith(s string) bool {
	last := strings.Join(strings.Fields(string(r.text[max(len(r.text)-seen, 0):])), " ")
	return strings.HasSuffix(last, strings.Join(strings.Fields(s), " "))
}

// spanIn returns a span of a page as one of its content, and spanOf all of it.
func spanIn(s markup.Span) entity.Span { return entity.Span{Start: s.Start, End: s.End} }

func spanOf(c scan.Content) entity.Span { return entity.Span{End: c.Size()} }

// bytesAt returns the bytes of a span.
func bytesAt(c scan.Content, at markup.Span) ([]byte, error) {
	b := make([]byte, at.Len())
	n, err := c.ReadAt(b, at.Start)
	if err == io.EOF && n == len(b) {
		err = nil
	}
	return b[:n], err
}
