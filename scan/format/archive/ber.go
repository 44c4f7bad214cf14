package archive

import (
	"bufio"
	"errors"
	"io"
)

// ber reads BER (X.690) from its beginning to its end, also with lengths that are
// not known beforehand, which encoding/asn1 does not: signing programs write such
// as they read the file they sign.
type ber struct {
	in   *bufio.Reader
	at   int64
	left int // elements that may still be read
}

// berElement is the head of an element.
type berElement struct {
	tag         byte // class and number, without the bit that says constructed
	constructed bool
	end         int64 // where it ends, -1 if a separate element marks the end
}

// Tags of BER.
const (
	berEnd      = 0x00
	berInteger  = 0x02
	berOctets   = 0x04
	berOID      = 0x06
	berUTF8     = 0x0c
	berSequence = 0x10
	berSet      = 0x11
	berIA5      = 0x16
	berFirst    = 0x80 // [0] of a context

	berElements = 1 << 20
	berDepth    = 64
	berShort    = 4 << 10 // bytes of a value that is held
)

var (
	errBER        = errors.New("not BER")
	errBERComplex = errors.New("more elements than are read")
)

func newBER(r io.Reader) *ber { return &ber{in: bufio.NewReader(r), left: berElements} }

// berWhole is the element around the outermost one: the whole content.
var berWhole = berElement{end: largest}

func (b *ber) byte() (byte, error) {
	c, err := b.in.ReadByte()
	if err == nil {
		b.at++
	}
	return c, unexpected(err)
}

// next reads the head of the next element in another; ok is false where that ends.
func (b *ber) next(in berElement) (e berElement, ok bool, err error) {
	if in.end >= 0 && b.at >= in.end {
		return e, false, nil
	}
	if b.left--; b.left < 0 {
		return e, false, errBERComplex
	}
	c, err := b.byte()
	if err != nil {
		return e, false, err
	}
	e = berElement{tag: c &^ 0x20, constructed: c&0x20 != 0}
	if c&0x1f == 0x1f { // numbers beyond 30, which nothing here has
		for more := byte(0x80); more&0x80 != 0; {
			if more, err = b.byte(); err != nil {
				return e, false, err
			}
		}
	}
	if err := b.length(&e); err != nil {
		return e, false, err
	}
	if e.tag == berEnd && in.end < 0 {
		return e, false, nil
	}
	return e, true, nil
}

// length reads how long an element is.
func (b *ber) length(e *berElement) error {
	c, err := b.byte()
	switch {
	case err != nil:
		return err
	case c == 0x80:
		e.end = -1
		if !e.constructed {
			return errBER
		}
		return nil
	case c < 0x80:
		e.end = b.at + int64(c)
		return nil
	}
	n := int64(0)
	for range c & 0x7f {
		if c, err = b.byte(); err != nil {
			return err
		}
		if n >= largest>>8 {
			return errBER
		}
		n = n<<8 | int64(c)
	}
	e.end = b.at + n
	return nil
}

// leave skips the rest of an element.
func (b *ber) leave(e berElement) error { return b.leaveAt(e, 0) }

func (b *ber) leaveAt(e berElement, depth int) error {
	if e.end >= 0 {
		n, err := io.CopyN(io.Discard, b.in, max(0, e.end-b.at))
		b.at += n
		return unexpected(err)
	}
	if depth == berDepth {
		return errBERComplex
	}
	for {
		inner, ok, err := b.next(e)
		if err != nil || !ok {
			return err
		}
		if err := b.leaveAt(inner, depth+1); err != nil {
			return err
		}
	}
}

// value returns the value of a short element.
func (b *ber) value(e berElement) (string, error) {
	n := e.end - b.at
	if e.constructed || n < 0 || n > berShort {
		return "", errBER
	}
	v := make([]byte, n)
	m, err := io.ReadFull(b.in, v)
	b.at += int64(m)
	return string(v), unexpected(err)
}

// find reads up to the n-th element of that tag in another, counted from 1.
func (b *ber) find(in berElement, tag byte, n int) (berElement, bool, error) {
	for {
		e, ok, err := b.next(in)
		if err != nil || !ok {
			return e, false, err
		}
		if e.tag == tag {
			if n--; n == 0 {
				return e, true, nil
			}
		}
		if err := b.leave(e); err != nil {
			return e, false, err
		}
	}
}

// octets reads the bytes of a string, which may be in pieces, and those in pieces
// again.
func (b *ber) octets(e berElement) io.Reader {
	inside := []berElement{e}
	return &stepped{step: func(dst []byte) ([]byte, error) {
		for len(inside) > 0 {
			at := inside[len(inside)-1]
			if !at.constructed {
				if at.end <= b.at {
					inside = inside[:len(inside)-1]
					continue
				}
				dst = append(dst, make([]byte, min(at.end-b.at, steppedRoom))...)
				n, err := io.ReadFull(b.in, dst)
				b.at += int64(n)
				return dst[:n], unexpected(err)
			}
			piece, ok, err := b.next(at)
			switch {
			case err != nil:
				return dst, err
			case !ok:
				inside = inside[:len(inside)-1]
			case len(inside) == berDepth:
				return dst, errBERComplex
			default:
				inside = append(inside, piece)
			}
		}
		return dst, io.EOF
	}}
}
