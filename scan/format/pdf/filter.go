// Package pdf reads the objects of PDF (ISO 32000-1) and undoes the filters that its
// streams are packed with. What the objects mean is for others.
package pdf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// ErrUnknown is the error of a filter that is not undone: those of pictures, and
// names of no filter.
var ErrUnknown = errors.New("not supported")

// Filter is one filter of a stream with the parameters that matter, as they are
// in the file. Names may be short ones, as pictures in pages have them.
type Filter struct {
	Name      string
	Predictor int64  // 1 and less is none
	Columns   int64  // of a line that was predicted; 0 is 1
	Colors    int64  // 0 is 1
	Bits      int64  // of a colour; 0 is 8
	Late      bool   // codes of LZW grow when they must, and not one earlier
	Crypt     string // of the filter Crypt, by what it encrypts
}

// Reader returns the unpacked bytes of in. The bytes before an error are those that
// could be unpacked. Nothing bounds their number. Work is told the steps that Deflate takes
// (package inflate).
func (f Filter) Reader(in io.Reader, work func(steps int64)) (io.Reader, error) {
	b := bufio.NewReader(in)
	switch f.Name {
	case "FlateDecode", "Fl":
		return f.predicted(&unzlib{in: b, work: work})
	case "LZWDecode", "LZW":
		return f.predicted(newLZW(b, f.Late))
	case "ASCIIHexDecode", "AHx":
		return &asciiHex{in: b}, nil
	case "ASCII85Decode", "A85":
		return newBase85(b), nil
	case "RunLengthDecode", "RL":
		return &runLength{in: b}, nil
	case "Crypt":
		if f.Crypt == "" || f.Crypt == "Identity" {
			return b, nil
		}
	}
	return nil, fmt.Errorf("the filter %q is %w", f.Name, ErrUnknown)
}

// predicted undoes the prediction of PNG, in which lines begin with the number of
// their filter; that of TIFF is only for pictures.
func (f Filter) predicted(src io.Reader) (io.Reader, error) {
	if f.Predictor < 2 {
		return src, nil
	}
	columns, colors, bits := orElse(f.Columns, 1), orElse(f.Colors, 1), orElse(f.Bits, 8)
	const most = 1 << 20 // bytes of a line
	if f.Predictor < 10 || columns < 1 || colors < 1 || bits < 1 || columns > most || colors > 64 || bits > 32 ||
		columns*colors*bits > 8*most {
		return nil, fmt.Errorf("the predictor %d is %w", f.Predictor, ErrUnknown)
	}
	return newPNGLines(src, int(max(1, colors*bits/8)), int((columns*colors*bits+7)/8)), nil
}

func orElse(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}

// isSpace reports whether c is white space, section 7.2.2.
func isSpace(c byte) bool { return c <= ' ' && (c == ' ' || c >= 9 && c <= 13 || c == 0) }

// unexpected makes the end of the source in the middle of something an error of
// its own.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
