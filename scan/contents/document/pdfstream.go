package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/pdf"
	"github.com/milterscan/milterscan/scan/scratch"
)

// objectStream reads the objects in a stream.
func (f *pdfFile) objectStream(o pdf.Object) error {
	if f.left() <= 0 {
		return nil
	}
	o, err := f.reader.At(o)
	d, _ := o.Value.(pdf.Dict)
	if err != nil || o.Data == 0 {
		f.troubled()
		return err
	}
	raw, err := f.stream(o.Data, d)
	if err != nil {
		return err
	}
	data, err := f.decode(raw, d)
	switch {
	case f.left() <= 0:
	case err != nil && !f.locked:
		f.report.add(ruleDamaged, "a stream of objects: "+err.Error())
	}
	if !f.spend(len(data)) { // reading it costs as much again
		return nil
	}
	first, _ := d.Get("First").(int64)
	err = f.parsed(func() error {
		return f.reader.Packed(data, first, func(inner pdf.Object) error {
			f.enter(inner.Number, o.At, inner.Value)
			return nil
		})
	})
	f.troubled()
	return err
}

// streamPrice is what unpacking a stream costs, however small it is, in bytes.
const streamPrice = 2 << 10

// stream returns the raw data of a stream. It ends at its mark, or where its length says
// if that is later.
func (f *pdfFile) stream(start int64, d pdf.Dict) ([]byte, error) {
	end, err := f.ends.Of(start, -1)
	if err != nil {
		return nil, err
	}
	length, _ := d.Get("Length").(int64)
	size := f.part.Content.Size()
	end = min(max(end, start+min(length, size)), size)
	if !f.spend(int(end-start) + streamPrice) {
		return nil, nil
	}
	return scratch.ReadAt(f.part.Content, start, int(end-start))
}

// form notes the streams of an XFA form, which is one, or a list of names and
// streams (section 12.7.8). There may be several.
func (f *pdfFile) form(values []any, streams map[int64]int) {
	if len(values) == 1 {
		switch v := values[0].(type) {
		case pdf.Ref:
		case pdf.Array:
			values = v
		default:
			return
		}
	}
	f.report.add(rulePDFForm, "an XFA form")
	for _, v := range values {
		if ref, ok := v.(pdf.Ref); ok {
			f.formStream(int64(ref), streams)
		}
	}
}

// formStream notes one stream of a form.
func (f *pdfFile) formStream(number int64, streams map[int64]int) {
	const most = 256
	if _, known := streams[number]; !known && len(streams) >= most {
		f.tooComplex("it has more forms than are looked at")
		return
	}
	streams[number] = 0
}

// formStreams looks for scripts in the streams of forms, by their numbers.
func (f *pdfFile) formStreams(streams map[int64]int) error {
	if len(streams) == 0 {
		return nil
	}
	const most = 4 // objects with the same number
	f.reader = f.newReader()
	return f.reader.Each(func(o pdf.Object) error {
		seen, wanted := streams[o.Number]
		if !wanted || o.Data == 0 || seen >= most {
			return nil
		}
		streams[o.Number]++
		d, _ := o.Value.(pdf.Dict)
		raw, err := f.stream(o.Data, d)
		if err != nil {
			return err
		}
		data, _ := f.decode(raw, d)
		if bytes.Contains(bytes.ToLower(data), []byte("<script")) {
			f.report.add(rulePDFJavaScript, "a script in an XFA form")
		}
		return nil
	})
}

// mostFilters is how many filters of one stream are undone. Ordinary streams
// have one or two.
const mostFilters = 16

// decode undoes the filters of a stream, in their order.
func (f *pdfFile) decode(b []byte, d pdf.Dict) ([]byte, error) {
	chain := d.Filters(f.resolve)
	if len(chain) > mostFilters {
		f.tooComplex(fmt.Sprintf("a stream has %d filters", len(chain)))
		chain = chain[:mostFilters]
	}
	var errs []error
	for _, filter := range chain {
		if filter.Name == "Crypt" {
			continue // whatever is encrypted was found to be
		}
		var out bytes.Buffer
		in := archive.NewFeed(f.ctx, bytes.NewReader(b), f.ledger.work, archive.Inflating, func() int64 { return int64(out.Len()) })
		r, err := filter.Reader(in, f.ledger.work.Inflated)
		if err != nil {
			return b, fmt.Errorf("%s: %w", quote(filter.Name), err)
		}
		_, err = out.ReadFrom(f.limited(r))
		in.Settle()
		if !f.spend(out.Len()) {
			return nil, errTooLarge
		}
		b = out.Bytes()
		errs = append(errs, err)
	}
	return b, errors.Join(errs...)
}

// resolve returns what a reference in the filters of a stream leads to, and any
// other value itself.
func (f *pdfFile) resolve(v any) any {
	ref, ok := v.(pdf.Ref)
	if !ok {
		return v
	}
	if known, ok := f.filters[int64(ref)]; ok {
		return known.what
	}
	if name := f.named(ref); name != "" {
		return pdf.Name(name)
	}
	return nil
}

// limited returns at most what may be unpacked of r.
func (f *pdfFile) limited(r io.Reader) io.Reader {
	return io.LimitReader(scratch.Until(f.ctx.Err, r), f.left()+1)
}
