package document

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// mostFilters is how many filters of one stream are undone. Ordinary streams
// have one or two.
const mostFilters = 16

var errFilter = errors.New("a filter that is not known")

// filters undo the filters of PDF (ISO 32000-1, section 7.4), also by the short
// names they have in pictures. What could be undone counts beside an error.
var filters = map[string]func(f *pdfFile, b []byte, parameters pdfDict) ([]byte, error){
	"FlateDecode": (*pdfFile).flate, "Fl": (*pdfFile).flate,
	"LZWDecode": (*pdfFile).lzw, "LZW": (*pdfFile).lzw,
	"ASCIIHexDecode": (*pdfFile).asciiHex, "AHx": (*pdfFile).asciiHex,
	"ASCII85Decode": (*pdfFile).ascii85, "A85": (*pdfFile).ascii85,
	"RunLengthDecode": (*pdfFile).runLength, "RL": (*pdfFile).runLength,
	"Crypt": (*pdfFile).identity,
}

// decode undoes the filters of a stream, in their order.
func (f *pdfFile) decode(b []byte, d pdfDict) ([]byte, error) {
	chain, parameters := f.chain(d)
	if len(chain) > mostFilters {
		f.tooComplex(fmt.Sprintf("a stream has %d filters", len(chain)))
		chain = chain[:mostFilters]
	}
	var errs []error
	for i, name := range chain {
		undo := filters[name]
		if undo == nil {
			return b, fmt.Errorf("%w: %s", errFilter, quote(name))
		}
		var p pdfDict
		if i < len(parameters) {
			p = parameters[i].dict
		}
		out, err := undo(f, b, p)
		if !f.spend(len(out)) {
			return nil, errTooLarge
		}
		b = out
		errs = append(errs, err)
	}
	return b, errors.Join(errs...)
}

// chain lists the filters of a stream and their parameters.
func (f *pdfFile) chain(d pdfDict) (names []string, parameters []pdfValue) {
	for _, key := range [...]string{"Filter", "F"} {
		if names = f.namesOf(d[key]); names != nil {
			break
		}
	}
	for _, key := range [...]string{"DecodeParms", "DP"} {
		if p := d[key]; p.dict != nil || p.list != nil {
			parameters = append(p.list, p)
			break
		}
	}
	return names, parameters
}

func (f *pdfFile) identity(b []byte, _ pdfDict) ([]byte, error) { return b, nil }

// limited reads at most what may be unpacked.
func (f *pdfFile) limited(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(&timely{f.ctx, r}, f.left()+1))
}

// flate undoes zlib. Its header and checksum are not looked at: readers do not
// insist on them.
func (f *pdfFile) flate(b []byte, p pdfDict) ([]byte, error) {
	b = bytes.TrimLeft(b, "\r\n")
	const header = 2
	if len(b) < header {
		return nil, io.ErrUnexpectedEOF
	}
	out, err := f.limited(flate.NewReader(bytes.NewReader(b[header:])))
	return unpredict(out, p), err
}

func (f *pdfFile) asciiHex(b []byte, _ pdfDict) ([]byte, error) {
	b, _, _ = bytes.Cut(b, []byte(">"))
	digits := bytes.Map(func(r rune) rune {
		if _, ok := hexValue(byte(r)); !ok || r > 'f' {
			return -1
		}
		return r
	}, b)
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	out := make([]byte, len(digits)/2)
	_, err := hex.Decode(out, digits)
	return out, err
}

func (f *pdfFile) ascii85(b []byte, _ pdfDict) ([]byte, error) {
	b, _, _ = bytes.Cut(b, []byte("~>"))
	return f.limited(ascii85.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("<~")))))
}

// runLength undoes runs: a length below 128 copies what follows, one above
// repeats the next byte.
func (f *pdfFile) runLength(b []byte, _ pdfDict) ([]byte, error) {
	const end = 128
	var out []byte
	for len(b) > 0 && b[0] != end && int64(len(out)) <= f.left() {
		n := int(b[0])
		b = b[1:]
		switch {
		case n < end:
			n = min(n+1, len(b))
			out = append(out, b[:n]...)
			b = b[n:]
		case len(b) > 0:
			out = append(out, bytes.Repeat(b[:1], 257-n)...)
			b = b[1:]
		}
	}
	return out, nil
}

// lzw undoes LZW (section 7.4.4): codes of 9 to 12 bits, high bits first, and
// wider ones from one code early on, unless the parameters say otherwise.
func (f *pdfFile) lzw(b []byte, p pdfDict) ([]byte, error) {
	early := 1
	if v, ok := p["EarlyChange"]; ok && v.num == 0 {
		early = 0
	}
	d := lzwDecoder{early: early}
	err := d.decode(b, f.left())
	return unpredict(d.out, p), err
}

const (
	lzwClear = 256
	lzwEnd   = 257
	lzwFirst = 258
	lzwCodes = 4096
)

var errLZW = errors.New("damaged LZW data")

// lzwDecoder keeps for each code where its text begins in out, and its length:
// every text is one that was written before, and one byte more.
type lzwDecoder struct {
	early int
	out   []byte
	start [lzwCodes]int
	size  [lzwCodes]int
	next  int
	last  int // the code before, -1 behind a clear code
}

func (d *lzwDecoder) decode(b []byte, limit int64) error {
	d.next, d.last = lzwFirst, -1
	var bits uint32
	have := 0
	for _, c := range b {
		bits, have = bits<<8|uint32(c), have+8
		width := d.width()
		if have < width {
			continue
		}
		have -= width
		code := int(bits >> have & (1<<width - 1))
		if code == lzwEnd || int64(len(d.out)) > limit {
			return nil
		}
		if !d.take(code) {
			return errLZW
		}
	}
	return nil
}

func (d *lzwDecoder) width() int {
	switch n := d.next + d.early; {
	case n >= 2048:
		return 12
	case n >= 1024:
		return 11
	case n >= 512:
		return 10
	}
	return 9
}

// take writes the text of one code and learns the next.
func (d *lzwDecoder) take(code int) bool {
	if code == lzwClear {
		d.next, d.last = lzwFirst, -1
		return true
	}
	at := len(d.out)
	switch {
	case code < lzwClear:
		d.out = append(d.out, byte(code))
	case code < d.next:
		d.out = append(d.out, d.out[d.start[code]:d.start[code]+d.size[code]]...)
	case code == d.next && d.last >= 0:
		from, n := d.lastText(at)
		d.out = append(d.out, d.out[from:from+n]...)
		d.out = append(d.out, d.out[from])
	default:
		return false
	}
	if d.last >= 0 && d.next < lzwCodes {
		from, n := d.lastText(at)
		d.start[d.next], d.size[d.next] = from, n+1
		d.next++
	}
	d.last = code
	return true
}

// lastText is where the text of the code before stands: directly before at.
func (d *lzwDecoder) lastText(at int) (from, size int) {
	size = 1
	if d.last >= lzwFirst {
		size = d.size[d.last]
	}
	return at - size, size
}

// unpredict undoes the predictors of section 7.4.4.4: with PNG's, each row has a
// byte before it that says which.
func unpredict(b []byte, p pdfDict) []byte {
	const png = 10
	if p["Predictor"].num < png {
		return b
	}
	number := func(key string, missing, most int64) int {
		if v, ok := p[key]; ok && v.num > 0 {
			return int(min(v.num, most))
		}
		return int(missing)
	}
	pixel := max(1, number("Colors", 1, 64)*number("BitsPerComponent", 8, 32)/8)
	row := (number("Columns", 1, 1<<20)*number("Colors", 1, 64)*number("BitsPerComponent", 8, 32) + 7) / 8
	return unfilterPNG(b, row, pixel)
}

// unfilterPNG undoes the filters of rows of so many bytes (RFC 2083, section 6).
func unfilterPNG(b []byte, row, pixel int) []byte {
	var out []byte
	above := make([]byte, row)
	for len(b) > 1 {
		filter, line := b[0], append([]byte(nil), b[1:min(len(b), 1+row)]...)
		b = b[min(len(b), 1+row):]
		for i := range line {
			var left, corner byte
			if i >= pixel {
				left, corner = line[i-pixel], above[i-pixel]
			}
			line[i] += predicted(filter, left, above[i], corner)
		}
		out = append(out, line...)
		above = append(above[:0], line...)
		above = append(above, make([]byte, row-len(line))...)
	}
	return out
}

func predicted(filter, left, above, corner byte) byte {
	switch filter {
	case 1:
		return left
	case 2:
		return above
	case 3:
		return byte((int(left) + int(above)) / 2)
	case 4:
		return paeth(int(left), int(above), int(corner))
	}
	return 0
}

// paeth is the one of three neighbours nearest to what they together predict.
func paeth(a, b, c int) byte {
	p := a + b - c
	pa, pb, pc := abs(p-a), abs(p-b), abs(p-c)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}
