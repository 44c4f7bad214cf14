package document

import (
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
)

// ledger holds the work and bytes left for the documents of one message, all together.
type ledger struct {
	unpacked int64           // bytes that may still be unpacked
	work     *archive.Budget // charged for reading and unpacking
}

// What it costs to look at what was read.
const (
	priceUnpacked archive.Price = 3_000   // a byte
	priceText     archive.Price = 2_000   // a byte of XML
	priceTag      archive.Price = 60_000  // a tag of XML, or an attribute
	priceAddress  archive.Price = 300_000 // an attribute of SVG that may be an address
	priceParsed   archive.Price = 45_000  // a byte of the objects of PDF
	priceSyntax   archive.Price = 10_000  // a byte of data read byte by byte: RTF, records
)

// watched returns a content that is charged for when it is read.
func (l *ledger) watched(c scan.Content) scan.Content {
	if c == nil {
		return nil
	}
	return archive.Watched(c, l.work)
}

// priced charges for each byte that is read.
type priced struct {
	io.Reader
	work *archive.Budget
	each archive.Price
}

func (p priced) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.work.Work(int64(n), p.each)
	return n, err
}

// left returns how many bytes may still be unpacked.
func (e *examination) left() int64 { return e.ledger.unpacked }

// spend takes n bytes off what may be unpacked. Once it is used up the report
// says so, and nothing further is unpacked.
func (e *examination) spend(n int) bool {
	e.ledger.work.Work(int64(n), priceUnpacked)
	if e.ledger.unpacked < int64(n) {
		e.ledger.unpacked = 0
		e.tooComplex("it unpacks to more than max_unpacked")
		return false
	}
	e.ledger.unpacked -= int64(n)
	return true
}

// overworked says that the examination ended, and with it that of the message.
func (e *examination) overworked(m *scan.Message) {
	e.tooComplex(fmt.Sprintf("looking into it and smaller parts takes more work than limits.cpu leaves for it (%v); "+
		"larger parts were not examined",
		m.Work))
}
