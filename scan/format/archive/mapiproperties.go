package archive

import (
	"fmt"
	"io"
	"strings"
)

// mapiProperty is a property as TNEF stores it, MS-OXTNEF section 2.1.3.4.
type mapiProperty struct {
	id, kind uint16
	value    span // where its value is; a property with several values comes several times
	text     func() string
}

// The types of property, MS-OXCDATA section 2.11.1.
const (
	mapiString8  = 0x1e
	mapiUnicode  = 0x1f
	mapiObject   = 0x0d
	mapiBinary   = 0x102
	mapiMultiple = 0x1000
	mapiNamed    = 0x8000 // identifiers from here on are by name
)

// mapiSizes are the sizes of the types that have one, in bytes with padding.
var mapiSizes = map[uint16]int64{
	0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0a: 4, 0x0b: 4, 0x14: 8, 0x40: 8, 0x48: 16,
}

// mapiReader reads properties one after the other.
type mapiReader struct {
	c       Content
	at, end int64
}

// readMAPI calls take for every property between start and end that states its
// length: texts, binaries, objects. An error says where they could not be
// read further.
func readMAPI(c Content, start, end int64, take func(mapiProperty)) error {
	r := &mapiReader{c, start, end}
	n, err := r.number()
	for ; n > 0 && err == nil; n-- {
		err = r.property(take)
	}
	return err
}

func (r *mapiReader) number() (int64, error) {
	b := fixed(r.c, r.at, 4)
	if b == nil || r.at+4 > r.end {
		return 0, io.ErrUnexpectedEOF
	}
	r.at += 4
	return int64(le32(b)), nil
}

func (r *mapiReader) property(take func(mapiProperty)) error {
	tag, err := r.number()
	if err != nil {
		return err
	}
	kind, id := uint16(tag), uint16(tag>>16)
	if id >= mapiNamed {
		if err := r.name(); err != nil {
			return err
		}
	}
	many := int64(1)
	single := kind &^ mapiMultiple
	size, hasSize := mapiSizes[single]
	if kind&mapiMultiple != 0 || !hasSize {
		if many, err = r.number(); err != nil {
			return err
		}
	}
	if hasSize {
		return r.skip(many * size)
	}
	switch single {
	case mapiString8, mapiUnicode, mapiObject, mapiBinary:
	default:
		return fmt.Errorf("a property of type %#x", kind)
	}
	for ; many > 0; many-- {
		if err := r.value(id, single, take); err != nil {
			return err
		}
	}
	return nil
}

// name skips the name of a named property.
func (r *mapiReader) name() error {
	if err := r.skip(16); err != nil {
		return err
	}
	byText, err := r.number()
	if err != nil {
		return err
	}
	if byText == 0 {
		return r.skip(4)
	}
	n, err := r.number()
	if err != nil {
		return err
	}
	return r.skip((n + 3) &^ 3)
}

func (r *mapiReader) skip(n int64) error {
	if n > r.end-r.at {
		return io.ErrUnexpectedEOF
	}
	r.at += n
	return nil
}

// value reads one value with its length, up to the end if it is cut off.
func (r *mapiReader) value(id, kind uint16, take func(mapiProperty)) error {
	n, err := r.number()
	if err != nil {
		return err
	}
	start := r.at
	stated := r.skip((n + 3) &^ 3)
	n = min(n, r.end-start)
	p := mapiProperty{id: id, kind: kind, value: span{start, start + n}}
	const identifier = 16 // of the interface, before an object
	if kind == mapiObject && n >= identifier {
		p.value.start += identifier
	}
	p.text = func() string { return mapiText(kind, piece(r.c, start, min(n, 2*maxName))) }
	take(p)
	return stated
}

func mapiText(kind uint16, b []byte) string {
	if kind == mapiUnicode {
		return strings.TrimRight(wideText(b), "\x00")
	}
	return strings.TrimRight(string(b), "\x00")
}

// mapiFile is what properties say of an attachment.
type mapiFile struct {
	long, short, display string
	data                 span
}

func (f *mapiFile) take(p mapiProperty) {
	switch p.id {
	case mapiLongName:
		f.long = p.text()
	case mapiShortName:
		f.short = p.text()
	case mapiDisplayName:
		f.display = p.text()
	case mapiData:
		f.data = p.value
	}
}

func (f *mapiFile) names() []string { return []string{f.long, f.short, f.display} }
