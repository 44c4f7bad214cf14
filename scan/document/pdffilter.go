package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan/pdf"
)

// mostFilters is how many filters of one stream are undone. Ordinary streams
// have one or two.
const mostFilters = 16

// decode undoes the filters of a stream, in their order.
func (f *pdfFile) decode(b []byte, d pdfDict) ([]byte, error) {
	chain, parameters := f.chain(d)
	if len(chain) > mostFilters {
		f.tooComplex(fmt.Sprintf("a stream has %d filters", len(chain)))
		chain = chain[:mostFilters]
	}
	var errs []error
	for i, name := range chain {
		if name == "Crypt" {
			continue // whatever is encrypted was found to be
		}
		var p pdfDict
		if i < len(parameters) {
			p = parameters[i].dict
		}
		r, err := filter(name, p).Reader(bytes.NewReader(b))
		if err != nil {
			return b, fmt.Errorf("%s: %w", quote(name), err)
		}
		out, err := f.limited(r)
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

// filter is a filter with its parameters.
func filter(name string, p pdfDict) pdf.Filter {
	early, given := p["EarlyChange"]
	return pdf.Filter{
		Name: name, Predictor: p["Predictor"].num, Columns: p["Columns"].num, Colors: p["Colors"].num, Bits: p["BitsPerComponent"].num,
		Late: given && early.num == 0,
	}
}

// limited reads at most what may be unpacked.
func (f *pdfFile) limited(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(&timely{f.ctx, r}, f.left()+1))
}
