package archive

import (
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan/pdf"
)

// pdfFilters bounds the filters of one stream.
const pdfFilters = 8

// errFilters says that a stream has more filters than are undone.
var errFilters = errors.New("too many filters")

// pdfFilter is one filter with its parameters.
type pdfFilter struct {
	name   pdfName
	params pdfDict
}

// filters are the filters of a stream, in the order in which they are undone.
func (w *pdfWalk) filters(dict pdfDict) []pdfFilter {
	names := w.list(dict.get("Filter"))
	params := w.list(dict.get("DecodeParms"))
	var filters []pdfFilter
	for i, n := range names {
		var f pdfFilter
		f.name, _ = w.resolve(n).(pdfName)
		if i < len(params) {
			f.params, _ = w.resolve(params[i]).(pdfDict)
		}
		filters = append(filters, f)
	}
	return filters
}

// list is an array, or one object as an array.
func (w *pdfWalk) list(value any) pdfArray {
	switch v := w.resolve(value).(type) {
	case nil, pdfString, int64:
		return nil
	case pdfArray:
		return v
	default:
		return pdfArray{v}
	}
}

// decoded undoes the filters of a stream. With an error comes what the filters
// before the one that it is about yield.
func (w *pdfWalk) decoded(src io.Reader, filters []pdfFilter) (io.Reader, error) {
	if len(filters) > pdfFilters {
		return nil, fmt.Errorf("%w: %d", errFilters, len(filters))
	}
	for i, f := range filters {
		if i > 0 {
			src = &between{w: w.walk, r: src}
		}
		next, err := f.undo(src, w)
		if err != nil {
			return src, err
		}
		src = next
	}
	return src, nil
}

// between charges what passes from filter to filter: the last one may swallow
// what the others blow up.
type between struct {
	w *walk
	r io.Reader
}

func (b *between) Read(p []byte) (int, error) {
	if err := b.w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	if over := b.w.budget.Grow(int64(n)); over != nil {
		err = over
	}
	return n, err
}

// undo is the reader of what the filter packed.
func (f pdfFilter) undo(in io.Reader, w *pdfWalk) (io.Reader, error) {
	if f.name == "Crypt" {
		if name, _ := w.resolve(f.params.get("Name")).(pdfName); name == "" || name == "Identity" {
			return in, nil
		}
	}
	number := func(key pdfName) int64 {
		n, _ := w.resolve(f.params.get(key)).(int64)
		return n
	}
	early, given := w.resolve(f.params.get("EarlyChange")).(int64)
	out, err := pdf.Filter{
		Name: string(f.name), Predictor: number("Predictor"), Columns: number("Columns"), Colors: number("Colors"), Bits: number("BitsPerComponent"),
		Late: given && early == 0,
	}.Reader(in)
	if errors.Is(err, pdf.ErrUnknown) {
		err = fmt.Errorf("the filter %q is %w", f.name, errUnsupported)
	}
	return out, err
}
