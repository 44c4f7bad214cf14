package texts

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// PDFText reads the text of a PDF, up to so many bytes; whole says that there is no
// more. An error means that the text, or the rest of it, is not known; one that wraps
// scan.ErrHost, that trying again may help.
type PDFText func(ctx context.Context, pdf scan.Content, most int) (text string, whole bool, err error)

// ReadPDF makes the inventory read the text of PDFs by way of f; without it only
// their links are listed. To be called before the first message.
func (i *Inventory) ReadPDF(f PDFText) { i.pdf = f }

// What the texts of all PDFs of a message may cost.
const (
	mostPDFs    = 20
	longestPDFs = 10 * time.Second
)

// pdfs reads the PDFs of one message.
type pdfs struct {
	read PDFText // nil to leave it
	n    int
	took time.Duration
}

// text adds its text to the page of a PDF. What could not be read leaves it cut,
// for there may have been any word. An error is a matter of this host.
func (r *pdfs) text(ctx context.Context, pdf scan.Content, page *markup.Page, l markup.Limits) error {
	if r.read == nil || l.Text <= 0 {
		return nil
	}
	if r.n++; r.n > mostPDFs || r.took >= longestPDFs {
		page.Cut = true
		return nil
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, longestPDFs-r.took)
	defer cancel()
	text, whole, err := r.read(ctx, pdf, int(l.Text))
	r.took += time.Since(begun)
	page.Text = strings.ToValidUTF8(text, "\uFFFD")
	page.Cut = page.Cut || !whole || err != nil
	if errors.Is(err, scan.ErrHost) {
		return err
	}
	return nil
}
