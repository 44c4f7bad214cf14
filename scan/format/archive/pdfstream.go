package archive

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// again reads an object with a stream once more.
func (w *pdfWalk) again(s pdfStream) (dict pdf.Dict, data int64) {
	o, _ := w.reader.At(pdf.Object{Number: s.number, At: s.at, Again: s.again})
	dict, _ = o.Value.(pdf.Dict)
	return dict, o.Data
}

// open returns the unpacked content of a stream. If a filter is unknown or damaged,
// it returns an error and the content with the filters before that one undone.
func (w *pdfWalk) open(s pdfStream, dict pdf.Dict, data int64) (io.Reader, error) {
	if data == 0 {
		w.troubled(w.reader)
		return nil, fmt.Errorf("object %d has no stream", s.number)
	}
	length, ok := w.resolve(dict.Get("Length")).(int64)
	if !ok {
		length = -1
	}
	end, _ := w.ends.Of(data, length)
	var src io.Reader = w.feed(stretch(w.c, data, end-data))
	filters := dict.Filters(w.resolve)
	if w.key != nil && !slices.ContainsFunc(filters, func(f pdf.Filter) bool { return f.Name == "Crypt" }) {
		method := w.key.streams
		if s.embedded {
			method = w.key.files
		}
		var err error
		if src, err = w.key.decrypted(src, method, s.number, s.generation); err != nil {
			return nil, err
		}
	}
	return w.decoded(src, filters)
}

// packedObjects reads the objects in object streams, section 7.5.7.
func (w *pdfWalk) packedObjects() error {
	for _, s := range w.streams {
		if !s.packed {
			continue
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		dict, data := w.again(s)
		src, err := w.open(s, dict, data)
		if err != nil {
			w.note(codeOf(err), "object stream %d: %v", s.number, err)
			continue
		}
		text, err := w.readAll(s, src)
		if err != nil {
			return err
		}
		if err := w.unpack(text, dict); err != nil {
			return err
		}
	}
	return nil
}

// pdfPacked is how large an object stream may be, in bytes.
const pdfPacked = 16 << 20

// readAll reads an object stream, as far as it can be read.
func (w *pdfWalk) readAll(s pdfStream, src io.Reader) ([]byte, error) {
	if err := w.enter(); err != nil {
		return nil, err
	}
	b := &body{w: w.walk, src: src}
	text, err := io.ReadAll(io.LimitReader(b, pdfPacked))
	w.settle()
	switch {
	case w.ctx.Err() != nil:
		return nil, w.ctx.Err()
	case b.limited():
		w.note(b.limit, "object stream %d", s.number)
		return nil, ErrLimit
	case err != nil:
		w.note(codeOf(err), "object stream %d: %v", s.number, err)
	case len(text) == pdfPacked:
		w.complain("an object stream is too large")
	}
	return text, nil
}

// unpack takes in the objects of an object stream.
func (w *pdfWalk) unpack(text []byte, dict pdf.Dict) error {
	first, _ := w.resolve(dict.Get("First")).(int64)
	room := w.budget.affords(4*int64(len(text)), priceParsed) + 1
	reader := pdf.NewReader(w.ctx, w.c, room)
	err := reader.Packed(text, first, func(o pdf.Object) error {
		w.objects++
		w.take(o.Number, o.Value)
		return nil
	})
	w.budget.Work(room-reader.Room(), priceParsed)
	w.troubled(reader)
	return err
}

// pdfFilters bounds the filters of one stream.
const pdfFilters = 8

// errFilters says that a stream has more filters than are undone.
var errFilters = errors.New("too many filters")

// decoded undoes the filters of a stream. With an error comes what the filters
// before the one that it is about yield.
func (w *pdfWalk) decoded(src io.Reader, filters []pdf.Filter) (io.Reader, error) {
	if len(filters) > pdfFilters {
		return nil, fmt.Errorf("%w: %d", errFilters, len(filters))
	}
	for i, f := range filters {
		if i > 0 {
			src = &between{w: w.walk, r: src}
		}
		next, err := f.Reader(src, w.budget.Inflated)
		if errors.Is(err, pdf.ErrUnknown) {
			return src, fmt.Errorf("the filter %q is %w", f.Name, errUnsupported)
		}
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
	b.w.budget.Work(int64(n), b.w.cost.out)
	if over := b.w.budget.Grow(int64(n)); over != nil {
		err = over
	}
	return n, err
}
