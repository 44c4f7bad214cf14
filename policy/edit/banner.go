package edit

import (
	"html"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/units"
)

// Banner is a text that rules put into messages: a disclaimer, a word about mail
// from outside.
type Banner struct {
	// What rules call it.
	Name string `toml:"name"`
	// Where it is: "top" or "bottom" of what the message says.
	Position Position `toml:"position"`
	// The text, line by line.
	Text []string `toml:"text"`
	// The same for HTML, line by line; without it the text is used.
	HTML []string `toml:"html"`
}

// SetDefaults gives b the values of a banner whose entry sets nothing.
func (b *Banner) SetDefaults() { b.Position = Bottom }

// Position is where a banner is.
type Position string

// The positions.
const (
	Top    Position = "top"
	Bottom Position = "bottom"
)

// UnmarshalText reads "top" or "bottom".
func (p *Position) UnmarshalText(text []byte) error { return units.ReadWord(p, text, Top, Bottom) }

func (b Banner) check() error {
	switch {
	case b.Name == "":
		return units.Wrong("name", "give each banner a name, by which rules ask for it")
	case strings.TrimSpace(strings.Join(b.Text, "")) == "":
		return units.Wrong("text", "the banner %q has no text; write some", b.Name)
	case strings.ContainsAny(strings.Join(b.Text, "")+strings.Join(b.HTML, ""), "\r\n\x00"):
		return units.Wrong("text", "write each line of the banner %q by itself", b.Name)
	}
	return nil
}

// page returns the banner as HTML that can be written in any charset.
func (b Banner) page() string {
	body := strings.Join(b.HTML, " ")
	if body == "" {
		var lines []string
		for _, l := range b.Text {
			lines = append(lines, html.EscapeString(l))
		}
		body = strings.Join(lines, "<br>")
	}
	return "<div>" + inASCII(body) + "</div>"
}

// banners adds the banners of the job to what becomes of the message.
func (w *work) banners(changes []*change) ([]*change, error) {
	for _, name := range w.Banners {
		for _, b := range w.Config.Banners {
			if b.Name != name {
				continue
			}
			var err error
			if changes, err = w.banner(b, changes); err != nil && !momentary(err) {
				return nil, &NoBanner{b.Name, err}
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return changes, nil
}

// banner adds one banner to every text that shows what the message says.
func (w *work) banner(b Banner, changes []*change) ([]*change, error) {
	for _, e := range w.texts(w.Message.Root) {
		c := changeOf(changes, e)
		if c == nil {
			c = &change{entity: e}
			changes = append(changes, c)
		}
		if c.withdrawn {
			continue
		}
		add := w.bannerInText
		if e.Type == "text/html" && !c.plain {
			add = w.bannerInPage
		}
		if err := add(b, c); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func changeOf(changes []*change, e *entity.Entity) *change {
	for _, c := range changes {
		if c.entity == e {
			return c
		}
	}
	return nil
}

// texts returns the entities below e that clients show as the message, whatever way
// of showing it they choose. None is signed, encrypted or a file.
func (w *work) texts(e *entity.Entity) []*entity.Entity {
	switch {
	case w.layout.sealed(e):
		return nil
	case e.Composite() && e.Type == "multipart/alternative":
		var all []*entity.Entity
		for _, child := range e.Children {
			all = append(all, w.texts(child)...)
		}
		return all
	case e.Composite() && (e.Type == "multipart/mixed" || e.Type == "multipart/related") && len(e.Children) > 0:
		return w.texts(e.Children[0])
	case e.Composite() || e.Disposition == "attachment" || len(e.Names) > 0 || w.layout.part[e] < 0:
		return nil
	case e.Type == "text/plain" || e.Type == "text/html":
		return []*entity.Entity{e}
	}
	return nil
}

// bannerInPage puts a banner into HTML: after what opens the body, or before what
// ends it.
func (w *work) bannerInPage(b Banner, c *change) error {
	p, err := w.pageOf(c)
	if err != nil {
		return err
	}
	at, err := w.place(p, b.Position)
	if err != nil {
		return err
	}
	banner := b.page()
	near := markup.Span{Start: max(at-int64(len(banner)), 0), End: at}
	if b.Position == Top {
		near = markup.Span{Start: at, End: min(at+int64(len(banner)), p.content.Size())}
	}
	if there, err := bytesAt(p.content, near); err != nil || string(there) == banner {
		return err
	}
	next, err := patch(p.content, spanOf(p.content), []splice{{entity.Span{Start: at, End: at}, text(banner)}})
	if err != nil {
		return err
	}
	w.rewrite(c, next)
	if p.decoded {
		c.inUTF8()
	}
	return nil
}

// pageOf returns the page that an entity will hold.
func (w *work) pageOf(c *change) (*page, error) {
	if c.body == nil {
		return w.page(w.layout.part[c.entity])
	}
	return &page{content: c.body, label: c.charset}, nil
}

// place returns the position in a page where a banner belongs.
func (w *work) place(p *page, at Position) (int64, error) {
	end := withoutLastEnd(p.content)
	top, bottom := int64(0), end
	r := p.reader(int(w.Markup.Token))
	for n := 0; ; n++ {
		if n%1024 == 0 && w.ctx.Err() != nil {
			return 0, w.ctx.Err()
		}
		t, err := r.Next()
		switch {
		case err == io.EOF && at == Top:
			return top, nil
		case err == io.EOF:
			return bottom, nil
		case err != nil:
			return 0, err
		case t.Second:
		case t.Kind == markup.StartTag && (t.Name == "body" || t.Name == "html"), t.Kind == markup.EndTag && t.Name == "head":
			top = t.Tag().End
		case t.Kind == markup.EndTag && (t.Name == "body" || t.Name == "html" && bottom == end):
			bottom = t.Span.Start
		}
	}
}

// withoutLastEnd returns where the last line end of a content begins, or where the
// content ends: a message that ended in a line end must end in one again.
func withoutLastEnd(c scan.Content) int64 {
	last := tail(c, 2)
	return c.Size() - int64(len(last)-len(strings.TrimSuffix(strings.TrimSuffix(last, "\n"), "\r")))
}
