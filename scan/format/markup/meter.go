package markup

import "io"

// Meter is told what reading a text takes, in the picoseconds by which package archive
// prices work, and returns whether more may be read.
type Meter func(work int64) bool

// What it takes to read, in picoseconds.
const (
	pricePlain  = 3_000   // a byte of plain text
	priceByte   = 8_000   // a byte of HTML
	priceSyntax = 10_000  // a byte of RTF, in addition
	priceToken  = 60_000  // a piece of HTML: a text, a tag, a comment
	priceTag    = 150_000 // a start tag, in addition
	priceAttr   = 400_000 // an attribute
	priceMatch  = 60_000  // a comparison of a rule of a style sheet with an element
	priceWord   = 500_000 // a word that may be an address
	priceCalls  = 800_000 // a script or handler, beyond its bytes
)

// Metered returns the source with a meter for all that is made of it. Where the meter says so, the
// page ends, and is Cut.
func (s Source) Metered(m Meter) Source {
	s.meter = m
	if again := s.again; again != nil {
		s.again = func() Source { return again().Metered(m) }
	}
	return s
}

// spend charges n steps of one price, and returns whether more may be read.
func (b *builder) spend(n, each int) bool {
	if b.meter != nil && !b.meter(int64(n)*int64(each)) {
		b.page.Cut = true
		return false
	}
	return true
}

// spendToken does the same for a token.
func (b *builder) spendToken(t *Token) bool {
	price := priceToken + len(t.raw)*priceByte
	if t.Kind == StartTag {
		price += priceTag
	}
	return b.spend(1, price)
}

// meteredReader ends where no more may be read.
type meteredReader struct {
	r io.Reader
	b *builder
}

// Read charges for syntax that is read byte by byte.
func (m meteredReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if !m.b.spend(n, priceSyntax) && err == nil {
		err = io.EOF
	}
	return n, err
}
