package archive

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// PDFPicture is a picture that pages of a document show (ISO 32000-1, section 8.9.5).
type PDFPicture struct {
	Width, Height int64
	Bits          int64  // of one colour of a pixel
	Palette       []byte // colours by number; nil for none, or where it is not known
	Mask          bool   // one bit a pixel says where paint goes
	// Filter names the filter left to be undone, of a kind for pictures only: the bytes
	// are a file of JPEG ("DCTDecode"), a fax ("CCITTFaxDecode"), or of a kind not read.
	Filter string
	Fax    Fax
	// Open returns the bytes of its pixels, or those that Filter is about.
	Open func() (io.Reader, error)
}

// Fax says how the lines of a fax are packed (ISO 32000-1, section 7.4.6).
type Fax struct {
	K             int64 // below 0: Group 4
	Columns, Rows int64
	Black         bool // 1 is black
	Aligned       bool // lines begin with a byte
}

// PDFMayShow reports whether PDFPictures may find any: those are streams, so what they say of themselves is in
// the file as it is.
func PDFMayShow(c Content) bool { return pdf.MayShow(c) }

// PDFPictures calls look with every picture that is an object of a document. It returns
// what kept it from seeing all, "" for nothing. The bytes read are charged to b. The error is
// that of look, of ctx, or ErrLimit.
func PDFPictures(ctx context.Context, c Content, b *Budget, look func(PDFPicture) error) (trouble string, err error) {
	w := &pdfWalk{walk: begin(ctx, c, b, nil), c: c, ends: pdf.NewEnds(c), targets: map[int64][]string{}}
	w.apart, w.cost = true, codecFilter
	if err := w.scan(); err != nil {
		return "", err
	}
	if err := w.decrypt(); err != nil {
		return "", err
	}
	w.reader = w.newReader()
	if w.locked() {
		return "no known password opens the document", nil
	}
	if err := w.packedObjects(); err != nil {
		return "", err
	}
	for _, s := range w.streams {
		if !s.picture {
			continue
		}
		if err := look(w.picture(s)); err != nil {
			return "", err
		}
	}
	for _, n := range w.notes {
		if n.Class >= Unreadable {
			trouble = n.Code + ": " + n.Detail
		}
	}
	return trouble, nil
}

// picture returns the picture that is an object.
func (w *pdfWalk) picture(s pdfStream) PDFPicture {
	dict, data := w.again(s)
	number := func(d pdf.Dict, keys ...pdf.Name) int64 {
		for _, k := range keys {
			if n, ok := w.resolve(d.Get(k)).(int64); ok {
				return n
			}
		}
		return 0
	}
	p := PDFPicture{
		Width: number(dict, "Width", "W"), Height: number(dict, "Height", "H"), Bits: number(dict, "BitsPerComponent", "BPC"),
		Mask: w.resolve(dict.Get("ImageMask")) == true, Palette: w.palette(dict.Get("ColorSpace")),
	}
	filters := dict.Filters(w.resolve)
	if n := len(filters); n > 0 && forPictures(filters[n-1].Name) {
		p.Filter = filters[n-1].Name
		p.Fax = w.fax(dict, number)
	}
	p.Open = func() (io.Reader, error) {
		src, err := w.open(s, dict, data)
		if err != nil && p.Filter != "" && strings.Contains(err.Error(), fmt.Sprintf("%q", p.Filter)) {
			err = nil // all before it are undone
		}
		return src, err
	}
	return p
}

// forPictures reports whether a filter is one that only pictures have.
func forPictures(name string) bool {
	switch name {
	case "DCTDecode", "DCT", "CCITTFaxDecode", "CCF", "JPXDecode", "JBIG2Decode":
		return true
	}
	return false
}

// fax returns the parameters of the last filter.
func (w *pdfWalk) fax(dict pdf.Dict, number func(pdf.Dict, ...pdf.Name) int64) Fax {
	params := w.resolve(dict.Get("DecodeParms"))
	if list, ok := params.(pdf.Array); ok && len(list) > 0 {
		params = w.resolve(list[len(list)-1])
	}
	d, _ := params.(pdf.Dict)
	f := Fax{
		K: number(d, "K"), Columns: number(d, "Columns"), Rows: number(d, "Rows"),
		Black: w.resolve(d.Get("BlackIs1")) == true, Aligned: w.resolve(d.Get("EncodedByteAlign")) == true,
	}
	if f.Columns == 0 {
		f.Columns = 1728
	}
	return f
}

// longestPalette is as many bytes as 256 colours have.
const longestPalette = 4 * 256

// palette returns the colours of an Indexed colour space, section 8.6.6.3.
func (w *pdfWalk) palette(space any) []byte {
	list, _ := w.resolve(space).(pdf.Array)
	if len(list) < 3 || w.resolve(list[0]) != pdf.Name("Indexed") && w.resolve(list[0]) != pdf.Name("I") {
		return nil
	}
	switch v := list[len(list)-1].(type) {
	case pdf.String:
		return []byte(v)
	case pdf.Ref:
		if s, ok := w.resolve(v).(pdf.String); ok {
			return []byte(s)
		}
		return w.paletteIn(int64(v))
	}
	return nil
}

// paletteIn returns the colours in a stream.
func (w *pdfWalk) paletteIn(number int64) []byte {
	for _, s := range w.streams {
		if s.number != number {
			continue
		}
		dict, data := w.again(s)
		src, err := w.open(s, dict, data)
		if err != nil {
			return nil
		}
		colours, _ := io.ReadAll(io.LimitReader(src, longestPalette))
		return colours
	}
	return nil
}
