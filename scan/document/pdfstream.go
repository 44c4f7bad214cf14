package document

import (
	"bytes"
	"fmt"
	"io"
)

// isObjectStream reports whether a stream holds further objects (ISO 32000-1,
// section 7.5.7).
func isObjectStream(d pdfDict) bool {
	return d["Type"].name == "ObjStm" || d.has("N") && d.has("First")
}

// objectStream reads the objects in the stream whose keyword was just read.
func (f *pdfFile) objectStream(d pdfDict) error {
	if f.left() <= 0 {
		return nil
	}
	raw, err := f.stream(d)
	if err != nil {
		return err
	}
	data, err := f.decode(raw, d)
	switch {
	case f.left() <= 0:
	case err != nil && !f.locked:
		f.report.add(ruleDamaged, "a stream of objects: "+err.Error())
	}
	numbers, first := objectNumbers(f, data, d)
	p := pdfParser{pdfLexer: pdfLexer{pdfSource: newPDFSource(f.ctx, bytes.NewReader(data))}}
	p.pos, p.left = first, f.parser.left
	for i := 0; i < mostObjects; i++ {
		t := p.token()
		if t == pdfEnd {
			break
		}
		v, _ := p.value(t, 0)
		number := 0
		if i < len(numbers) {
			number = numbers[i]
		}
		f.enter(number, v)
	}
	f.parser.deep = f.parser.deep || p.deep
	f.parser.left, f.parser.err = p.left, p.err
	return nil
}

// objectNumbers are the numbers of the objects in a stream, which stand before
// the first of them, in pairs with their offsets.
func objectNumbers(f *pdfFile, data []byte, d pdfDict) (numbers []int, first int64) {
	first = max(0, d["First"].num)
	if first > int64(len(data)) || d["First"].ref > 0 {
		first = 0
	}
	l := pdfLexer{pdfSource: newPDFSource(f.ctx, bytes.NewReader(data[:first]))}
	for l.token() == pdfNumber && len(numbers) < mostObjects {
		n := int(integer(l.text))
		l.token()
		numbers = append(numbers, n)
	}
	return numbers, first
}

// stream is the raw data of the stream whose keyword was just read. It ends at
// the next "endstream", or where its length says if that is later.
func (f *pdfFile) stream(d pdfDict) ([]byte, error) {
	start := f.streamStart()
	end := f.part.Content.Size()
	err := f.occurrences(section{f.part.Content, start}, "endstream", 1, func(off int64) error {
		end = start + off
		return errStop
	})
	if err != nil {
		return nil, err
	}
	if n := d["Length"].num; n > 0 && start+n > end {
		end = min(start+n, f.part.Content.Size())
	}
	if !f.spend(int(end - start)) {
		return nil, nil
	}
	return readAt(f.part.Content, start, int(end-start))
}

// streamStart is where the data begins: behind the line of the keyword.
func (f *pdfFile) streamStart() int64 {
	p := &f.parser
	if b, ok := p.peek(); ok && b == '\r' {
		p.pos++
	}
	if b, ok := p.peek(); ok && b == '\n' {
		p.pos++
	}
	return p.pos
}

// section is a content from some offset on.
type section struct {
	c interface {
		io.ReaderAt
		Size() int64
	}
	from int64
}

// Size is what is left of the content.
func (s section) Size() int64 { return s.c.Size() - s.from }

// ReadAt reads at an offset counted from the section's start.
func (s section) ReadAt(p []byte, off int64) (int, error) { return s.c.ReadAt(p, s.from+off) }

// form looks for scripts in an XFA form: a stream, or a list of names and
// streams (section 12.7.8).
func (f *pdfFile) form(v pdfValue) error {
	if v.ref == 0 && v.list == nil {
		return nil
	}
	f.report.add(rulePDFForm, "an XFA form")
	const most = 32
	refs := append([]pdfValue{v}, v.list...)
	for _, r := range refs[:min(len(refs), most)] {
		if r.ref == 0 {
			continue
		}
		if err := f.formStream(r.ref); err != nil {
			return err
		}
	}
	return nil
}

// formStream looks into one stream of a form.
func (f *pdfFile) formStream(number int) error {
	err := f.occurrences(f.part.Content, fmt.Sprintf("%d 0 obj", number), 4, func(off int64) error {
		p := &f.parser
		p.pos = off + int64(len(fmt.Sprintf("%d 0 obj", number)))
		v, _ := p.value(p.token(), 0)
		if v.dict == nil || p.token() != pdfKeyword || string(p.text) != "stream" {
			return nil
		}
		raw, err := f.stream(v.dict)
		if err != nil {
			return err
		}
		data, _ := f.decode(raw, v.dict)
		if lower := bytes.ToLower(data); bytes.Contains(lower, []byte("<script")) {
			f.report.add(rulePDFJavaScript, "a script in an XFA form")
		}
		return nil
	})
	return err
}
