package charset

import (
	"bytes"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// isUTF16 reports whether the name leaves the byte order of UTF-16 open.
func isUTF16(name string) bool { return name == "utf-16" }

// orderSample is how much of a text is looked at for its byte order.
const orderSample = 512

// utf16For settles the byte order: a byte order mark decides (RFC 2781, section
// 4.3). Without one the RFC says big-endian and browsers say little-endian, so
// the text does: the half of its units that is mostly zero is the high one.
func utf16For(head []byte) encoding.Encoding {
	order := unicode.LittleEndian
	if zeroHigh(head) {
		order = unicode.BigEndian
	}
	return unicode.UTF16(order, unicode.UseBOM)
}

// zeroHigh reports whether more even bytes than odd ones are zero.
func zeroHigh(head []byte) bool {
	even, odd := 0, 0
	for i, c := range head[:min(len(head), orderSample)] {
		switch {
		case c != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	return even > odd
}

// utf16Reader waits with the choice of byte order until the text begins.
type utf16Reader struct {
	src  io.Reader
	text io.Reader // nil until the first Read
}

func (r *utf16Reader) Read(p []byte) (int, error) {
	if r.text == nil {
		head := make([]byte, orderSample)
		n, err := io.ReadFull(r.src, head)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, err
		}
		d := utf16For(head[:n]).NewDecoder()
		r.text = transform.NewReader(io.MultiReader(bytes.NewReader(head[:n]), r.src), d)
	}
	return r.text.Read(p)
}
