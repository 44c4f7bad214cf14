package markup

import "strings"

// longestLinkText bounds the kept text of one link, in bytes.
const longestLinkText = 2048

// openLink is a link whose text is being read.
type openLink struct {
	at   int // its index in the page's links; -1 for none
	name string
	from int64 // where what it is shown for begins
	text textWriter
}

func (o *openLink) add(s []byte) {
	if o.at >= 0 {
		o.text.add(s)
	}
}

func (o *openLink) blank() {
	if o.at >= 0 && o.text.pending == 0 {
		o.text.pending = ' '
	}
}

// closeLink ends a link at a tag; an empty span means the end of the page.
func (b *builder) closeLink(o *openLink, at Span) {
	if o.at < 0 {
		return
	}
	l := &b.page.Links[o.at]
	l.Text = o.text.String()
	if at.Len() > 0 {
		l.Inside = Span{o.from, at.Start}
	}
	*o = openLink{at: -1}
}

// link adds a link, if there is room, and returns its index or -1.
func (b *builder) link(l Link) int {
	if strings.TrimSpace(l.Href) == "" {
		return -1
	}
	if len(b.page.Links) >= b.limits.Links {
		b.page.Cut = true
		return -1
	}
	l.Href = keptOf(l.Href)
	b.page.Links = append(b.page.Links, l)
	return len(b.page.Links) - 1
}

// linking reports whether an attribute holds an address, on any element: one that
// holds none there in the standard may hold one in some client.
func linking(name string) bool {
	switch name {
	case "href", "src", "action", "formaction", "background", "data", "codebase", "archive", "code", "classid",
		"poster", "lowsrc", "dynsrc", "xlink:href", "ping", "manifest", "usemap":
		return true
	}
	return false
}

// elementLinks adds the links of a tag.
func (b *builder) elementLinks(e *Element, t *Token) {
	for i := range e.Attrs {
		a := &e.Attrs[i]
		switch {
		case a.Name == "usemap" && strings.HasPrefix(a.Value, "#"), a.Name == "code" && e.Name != "applet", a.Name == "data" &&
			e.Name != "object":
		case linking(a.Name), a.Name == "target" && e.Name == "relationship":
			b.addressIn(e, a, t)
		case a.Name == "srcset" || a.Name == "imagesrcset":
			b.srcset(e, a)
		case e.Name == "meta" && a.Name == "content" && isRefresh(e):
			b.refresh(e, a)
		}
	}
	if alt, ok := e.Attr("alt"); ok && (e.Name == "img" || e.Name == "image") {
		b.open(t).blank()
		b.open(t).add([]byte(alt))
		b.open(t).blank()
	}
}

// addressIn adds the link of one attribute.
func (b *builder) addressIn(e *Element, a *Attr, t *Token) {
	if hasPrefixFold(trimURL(a.Value), "javascript:") {
		b.calls(a.Value)
	}
	if e.Name == "base" && !t.Maybe {
		if b.page.Base == "" {
			b.page.Base = trimURL(a.Value)
		}
		return
	}
	l := Link{Href: a.Value, Where: Where(e.Name), Attr: a.Name, Tag: e.Tag, Value: a.At, Hidden: e.Hidden, Second: e.Second}
	l.Text, _ = e.Attr("alt")
	if name, ok := e.Attr("download"); ok {
		l.Download = Download(" " + keptOf(name))
	}
	at := b.link(l)
	if showsText(e, a) && at >= 0 {
		b.endLine()
		o := b.open(t)
		b.closeLink(o, e.Tag)
		*o = openLink{at: at, name: e.Name, from: e.Tag.End, text: textWriter{limit: longestLinkText}}
	}
}

// showsText reports whether a link is shown by the text inside its element: "a",
// and the elements that Outlook knows.
//
// Of the two attributes for it, href counts (SVG 2, section 16.1.2).
func showsText(e *Element, a *Attr) bool {
	if isVoid(e.Name) || e.Name == "image" || e.Name == "use" {
		return false
	}
	if a.Name == "xlink:href" {
		_, both := e.Attr("href")
		return !both
	}
	return a.Name == "href"
}

// srcset adds the images of a list of candidates (WHATWG HTML, section 4.8.4.2).
func (b *builder) srcset(e *Element, a *Attr) {
	for candidate := range strings.SplitSeq(a.Value, ", ") {
		address, _, _ := strings.Cut(strings.TrimSpace(candidate), " ")
		b.link(Link{Href: strings.TrimRight(address, ","), Where: Where(e.Name), Attr: a.Name, Tag: e.Tag, Value: a.At, Hidden: e.Hidden,
			Second: e.Second})
	}
}

func isRefresh(e *Element) bool {
	v, _ := e.Attr("http-equiv")
	return strings.EqualFold(strings.TrimSpace(v), "refresh")
}

// refresh adds the place a page goes to by itself: "0; url=place".
func (b *builder) refresh(e *Element, a *Attr) {
	_, rest, ok := strings.Cut(a.Value, ";")
	if !ok {
		if _, rest, ok = strings.Cut(a.Value, ","); !ok {
			return
		}
	}
	rest = strings.TrimSpace(rest)
	if len(rest) > 3 && strings.EqualFold(rest[:3], "url") {
		if after, ok := strings.CutPrefix(strings.TrimSpace(rest[3:]), "="); ok {
			rest = strings.TrimSpace(after)
		}
	}
	b.link(Link{Href: strings.Trim(rest, "'\""), Where: "meta", Attr: a.Name, Tag: e.Tag, Value: a.At, Second: e.Second})
}

// styleLinks adds what a style sheet or an attribute with style fetches.
func (b *builder) styleLinks(css string, t *Token, at Span) {
	if !strings.Contains(css, "(") && !strings.Contains(css, "@") && !strings.Contains(css, "\\") {
		return
	}
	for _, address := range cssAddresses(css) {
		b.link(Link{Href: address, Where: InStyle, Attr: "style", Tag: t.Tag(), Value: at, Hidden: b.looks.hidden(), Second: t.Second})
	}
}

// cssAddresses returns the addresses in url(…) and @import "…".
func cssAddresses(css string) (found []string) {
	if strings.Contains(css, "\\") {
		css = unescapeCSS(css)
	}
	for {
		i := strings.IndexAny(css, "(@")
		if i < 0 {
			return found
		}
		mark := css[i]
		before, behind := css[:i], css[i+1:]
		css = behind
		switch {
		case mark == '(' && hasSuffixFold(before, "url"):
			found = append(found, cssString(behind, ')'))
		case mark == '@' && len(behind) > len("import") && strings.EqualFold(behind[:len("import")], "import"):
			if rest := strings.TrimLeft(behind[len("import"):], " \t\r\n"); rest != "" && isQuote(rest[0]) {
				found = append(found, cssString(rest, ';'))
			}
		}
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// longestInStyle bounds an address in a style sheet.
const longestInStyle = 4096

// cssString returns a string in quotes, or the text before an end.
func cssString(s string, end byte) string {
	s = strings.TrimLeft(s[:min(len(s), longestInStyle)], " \t\r\n")
	if s != "" && isQuote(s[0]) {
		end, s = s[0], s[1:]
	}
	if i := strings.IndexByte(s, end); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}
