package edit

import (
	"errors"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/scratch"
)

// page is a part that is HTML or like it, in a charset in which tags are ASCII.
type page struct {
	content scan.Content
	label   string // its charset
	decoded bool   // the content is the part's in UTF-8
	xml     bool
	page    *markup.Page
}

// page reads a part. One of which something was not read cannot be disarmed.
func (w *work) page(part int) (*page, error) {
	at := &w.Message.Parts[part]
	if at.Content == nil || at.Entity == nil {
		return nil, errors.New("the part could not be read")
	}
	return w.readPage(&page{content: at.Content, label: at.Entity.Charset, xml: isXML(at.Type) || isXML(at.Sniffed)})
}

// readPage reads a page that has its content, in UTF-8 where its charset is one in which
// tags are not ASCII.
func (w *work) readPage(p *page) (*page, error) {
	if src := markup.NewSource(p.content, p.content.Size(), p.label); src.Decoded {
		text, err := w.keep(func(out io.Writer) error {
			_, err := io.Copy(out, io.MultiReader(strings.NewReader(byteOrderMark), scratch.Until(w.ctx.Err, src.Reader())))
			return err
		})
		if err != nil {
			return nil, err
		}
		p.content, p.label, p.decoded = text, "utf-8", true
	}
	var err error
	if p.page, err = p.read(p.content, w.wordless()); err != nil {
		return nil, err
	}
	if p.page.Cut {
		return nil, errors.New("the page is over the limits for pages")
	}
	return p, nil
}

// wordless returns the limits of pages whose words do not matter.
func (w *work) wordless() markup.Limits {
	l := w.Markup
	l.Text = 0
	return l
}

// byteOrderMark says UTF-8 louder than what the page says of its charset.
const byteOrderMark = "\ufeff"

func isXML(mediaType string) bool {
	return strings.HasSuffix(mediaType, "+xml") || mediaType == "image/svg"
}

func (p *page) source(c scan.Content) markup.Source {
	return markup.NewSource(c, c.Size(), p.label)
}

func (p *page) read(c scan.Content, l markup.Limits) (*markup.Page, error) {
	if p.xml {
		return markup.ReadXML(p.source(c), l)
	}
	return markup.ReadHTML(p.source(c), l)
}

func (p *page) reader(limit int) *markup.Reader {
	if p.xml {
		return markup.NewXMLReader(p.source(p.content), limit)
	}
	return markup.NewReader(p.source(p.content), limit)
}
