package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
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
		next, err := f.undo(bufio.NewReader(src), w)
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

// undo is the reader of what the filter packed, section 7.4.
func (f pdfFilter) undo(in *bufio.Reader, w *pdfWalk) (io.Reader, error) {
	switch f.name {
	case "FlateDecode", "Fl":
		return w.predicted(&unzlib{in: in}, f.params)
	case "LZWDecode", "LZW":
		early := int64(1)
		if n, ok := w.resolve(f.params.get("EarlyChange")).(int64); ok {
			early = n
		}
		return w.predicted(newPDFLZW(in, early), f.params)
	case "ASCIIHexDecode", "AHx":
		return &asciiHex{in: in}, nil
	case "ASCII85Decode", "A85":
		return &asciiBase85{in: in}, nil
	case "RunLengthDecode", "RL":
		return &runLength{in: in}, nil
	case "Crypt":
		if name, _ := w.resolve(f.params.get("Name")).(pdfName); name == "" || name == "Identity" {
			return in, nil
		}
	}
	return nil, fmt.Errorf("the filter %q is %w", f.name, errUnsupported)
}

// predicted undoes the prediction of PNG, in which lines begin with the number of
// their filter; those of TIFF is only for pictures.
func (w *pdfWalk) predicted(src io.Reader, params pdfDict) (io.Reader, error) {
	number := func(key pdfName, otherwise int64) int64 {
		if n, ok := w.resolve(params.get(key)).(int64); ok {
			return n
		}
		return otherwise
	}
	predictor := number("Predictor", 1)
	if predictor < 2 {
		return src, nil
	}
	columns, colors, bits := number("Columns", 1), number("Colors", 1), number("BitsPerComponent", 8)
	const most = 1 << 20 // bytes of a line
	if predictor < 10 || columns < 1 || colors < 1 || bits < 1 || columns > most || colors > 32 || bits > 32 || columns*colors*bits > 8*most {
		return nil, fmt.Errorf("the predictor %d is %w", predictor, errUnsupported)
	}
	pixel := max(1, colors*bits/8)
	return &pngLines{in: src, pixel: int(pixel), line: make([]byte, (columns*colors*bits+7)/8)}, nil
}

// pngLines undoes the filters of PNG (RFC 2083, section 6).
type pngLines struct {
	in    io.Reader
	pixel int    // bytes
	line  []byte // the last one
	rest  []byte // of it, not handed out
}

func (p *pngLines) Read(out []byte) (int, error) {
	if len(p.rest) == 0 {
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n := copy(out, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pngLines) next() error {
	raw := make([]byte, 1+len(p.line))
	n, err := io.ReadFull(p.in, raw)
	if n < 2 {
		return err
	}
	var left, corner byte
	for i, c := range raw[1:n] {
		if i >= p.pixel {
			left = p.line[i-p.pixel]
		}
		up := p.line[i]
		switch raw[0] {
		case 1:
			c += left
		case 2:
			c += up
		case 3:
			c += byte((int(left) + int(up)) / 2)
		case 4:
			if i >= p.pixel {
				corner = raw[1+i-p.pixel]
			}
			c += paeth(left, up, corner)
		}
		raw[1+i] = up // kept as the corner of what comes
		p.line[i] = c
	}
	p.rest = p.line[:n-1]
	return nil
}

func paeth(left, up, corner byte) byte {
	distance := func(a byte) int {
		d := int(left) + int(up) - int(corner) - int(a)
		return max(d, -d)
	}
	switch a, b, c := distance(left), distance(up), distance(corner); {
	case a <= b && a <= c:
		return left
	case b <= c:
		return up
	}
	return corner
}
