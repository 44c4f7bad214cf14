// Package texts lists what the texts of a message show and where their links
// lead: HTML, plain text, calendars, documents. Several scanners ask for it, and
// each message is read once.
package texts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/scratch"
	"github.com/milterscan/milterscan/scan/units"
)

// Limits bound the text read of one message. Where one is reached, the inventory
// says so.
type Limits struct {
	markup.Limits
	// The text parts of one message together, members of archives included.
	Total units.Size `toml:"total"`
	// The work of looking for QR codes in the pictures of one message, those in PDF and
	// Office documents included, as the time of a processor; "0s" looks for none.
	Pictures units.Duration `toml:"pictures"`
}

// DefaultLimits returns limits that suffice for any mail that people write.
func DefaultLimits() Limits {
	return Limits{Limits: markup.DefaultLimits(), Total: 20 * units.MB, Pictures: units.Duration(300 * time.Millisecond)}
}

// Extent is how much of a message is read.
type Extent int

// The extents.
const (
	Shown      Extent = iota // pages and plain text; their words are not kept
	Linked                   // also files: where they lead
	Everything               // also the words of all: documents are large
)

// Inventory reads messages. It may be asked by any number of goroutines, and
// keeps what it read for as long as the message is in use.
type Inventory struct {
	limits Limits
	extent Extent
	pdf    PDFText // nil for none
	codes  Codes   // nil for none
	known  scan.Memo[*Texts]
}

// New returns an inventory that knows no message yet.
func New(l Limits, e Extent) *Inventory {
	if e < Everything {
		l.Text = 0
	}
	return &Inventory{limits: l, extent: e}
}

// Texts is what the texts of a message say, in the order of their parts. It must
// not be changed.
type Texts struct {
	Texts  []Text
	Unread []Unread // because a limit on all was reached

	Obscure []Obscure
}

// Unread is a part that shows text and was not read.
type Unread struct {
	Part int // index into Message.Parts
	Form Form
}

// Text is one part that shows text.
type Text struct {
	Part  int // index into Message.Parts
	Form  Form
	Place Place
	*markup.Page
}

// Links yields every link of the message with the text it is in.
func (t *Texts) Links() iter.Seq2[Text, markup.Link] {
	return func(yield func(Text, markup.Link) bool) {
		for _, text := range t.Texts {
			for _, l := range text.Page.Links {
				if !yield(text, l) {
					return
				}
			}
		}
	}
}

// Of returns the inventory of a message. If a part could not be read, it returns an
// error as well as the texts of the other parts. If ctx was done before the end, the
// next call reads the message again.
func (i *Inventory) Of(ctx context.Context, m *scan.Message) (*Texts, error) {
	return i.known.Of(ctx, m, i.take)
}

// take reads all texts of a message.
func (i *Inventory) take(ctx context.Context, m *scan.Message) (*Texts, error) {
	all := new(Texts)
	left := i.limits
	meter, over, done := meterFor(ctx, m)
	defer done()
	pdf := pdfs{read: i.pdf}
	var shown pictures
	var errs []error
	for part := range m.Parts {
		if i.codes != nil {
			errs = append(errs, shown.add(ctx, m, part))
		}
		form := formOf(m, part)
		if form == None || i.extent == Shown && form.inFile() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return all, errors.Join(append(errs, err)...)
		}
		size := units.Size(m.Parts[part].Content.Size())
		if size > left.Total || over() {
			all.Unread = append(all.Unread, Unread{part, form})
			continue
		}
		page, err := readPart(ctx, &m.Parts[part], form, left.Limits, meter)
		if err != nil {
			errs = append(errs, fmt.Errorf("part %s: %w", m.Parts[part].Path, err))
			continue
		}
		if form == PDF {
			if err := pdf.text(ctx, m.Parts[part].Content, page, left.Limits); err != nil {
				errs = append(errs, fmt.Errorf("part %s: %w", m.Parts[part].Path, err))
			}
		}
		shown.drawn(part, page)
		left.take(size, page)
		all.Texts = append(all.Texts, Text{part, form, placeOf(m, part), page})
	}
	errs = append(errs, i.read(ctx, m, &shown, all))
	return all, errors.Join(errs...)
}

// workShare is the divisor of scan.Message.Work that gives what reading the texts may take. Of
// what people send, logs of 20 MB full of addresses come closest to that.
const workShare = 2

// meterFor returns the meter for the texts of a message, and what says that it is used up. The
// caller calls done in the end.
func meterFor(ctx context.Context, m *scan.Message) (meter markup.Meter, over func() bool, done func()) {
	work := new(archive.Budget)
	_, done = work.Within(ctx, m.Work/workShare)
	meter = func(steps int64) bool {
		work.Work(steps, 1)
		return !work.Overworked()
	}
	return meter, work.Overworked, done
}

// take charges a page to the rest of the message's limits.
func (l *Limits) take(size units.Size, p *markup.Page) {
	l.Total -= size
	if l.Text > 0 {
		l.Text = max(l.Text-units.Size(len(p.Text)), units.KB)
	}
	l.Links = max(l.Links-len(p.Links), 0)
	l.Elements = max(l.Elements-len(p.Elements), 0)
}

// readPart reads one part.
func readPart(ctx context.Context, p *scan.Part, form Form, l markup.Limits, meter markup.Meter) (*markup.Page, error) {
	c := scratch.UntilAt(ctx.Err, p.Content)
	var label string
	if p.Entity != nil && form != RTF {
		label = p.Entity.Charset
	}
	if form == PDF {
		return readPDF(c, l)
	}
	source := markup.NewSource(c, c.Size(), label).Metered(meter)
	switch form {
	case Plain:
		return markup.ReadText(source, l)
	case Calendar:
		return readCalendar(source, l)
	case RTF:
		return markup.ReadRTF(source, l)
	case SVG, XHTML, Relations, Document:
		return markup.ReadXML(source, l)
	}
	return markup.ReadHTML(source, l)
}
