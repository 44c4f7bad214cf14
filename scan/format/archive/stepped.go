package archive

import (
	"encoding/base64"
	"io"
)

// stepped is a reader of what a decoder appends step by step: some bytes, or none,
// and an error once there are no more.
type stepped struct {
	step func(dst []byte) ([]byte, error)
	held []byte
	room []byte
	err  error
}

// steppedRoom is about how much a step yields.
const steppedRoom = 4 << 10

func (s *stepped) Read(p []byte) (int, error) {
	for len(s.held) == 0 && s.err == nil {
		s.room, s.err = s.step(s.room[:0])
		s.held = s.room
	}
	n := copy(p, s.held)
	s.held = s.held[n:]
	if n == 0 {
		return 0, s.err
	}
	return n, nil
}

// newUnbase64 undoes base64 (RFC 4648, in both alphabets) as forgiving programs
// do: it skips bytes that are no digits, and padding ends a group, not the data.
func newUnbase64(in io.ByteReader) io.Reader {
	var bits uint32
	digits := 0
	flush := func(dst []byte) []byte {
		b := [3]byte{byte(bits << (24 - 6*digits) >> 16), byte(bits << (24 - 6*digits) >> 8), byte(bits << (24 - 6*digits))}
		dst = append(dst, b[:digits*6/8]...)
		bits, digits = 0, 0
		return dst
	}
	return &stepped{step: func(dst []byte) ([]byte, error) {
		for len(dst) < steppedRoom {
			c, err := in.ReadByte()
			if err != nil {
				return flush(dst), err
			}
			digit := base64Digits[c]
			switch {
			case c == '=':
				dst = flush(dst)
			case digit >= 0:
				bits = bits<<6 | uint32(digit)
				if digits++; digits == 4 {
					dst = flush(dst)
				}
			}
		}
		return dst, nil
	}}
}

// base64Digits are the values of the digits of both alphabets, -1 for the rest.
var base64Digits = func() (values [256]int8) {
	for i := range values {
		values[i] = -1
	}
	const both = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for _, last := range [...]string{"+/", "-_"} {
		for i, c := range []byte(both + last) {
			values[c] = int8(i)
		}
	}
	return values
}()

// newUnpercent undoes the escapes of addresses (RFC 3986, section 2.1).
func newUnpercent(in io.ByteReader) io.Reader {
	var late []byte // read and no escape
	next := func() (byte, error) {
		if len(late) > 0 {
			c := late[0]
			late = late[1:]
			return c, nil
		}
		return in.ReadByte()
	}
	return &stepped{step: func(dst []byte) ([]byte, error) {
		for len(dst) < steppedRoom {
			c, err := next()
			if err != nil {
				return dst, err
			}
			if c != '%' {
				dst = append(dst, c)
				continue
			}
			high, _ := next()
			low, _ := next()
			a, ok := hexDigit(high)
			b, too := hexDigit(low)
			if ok && too {
				dst = append(dst, a<<4|b)
				continue
			}
			dst = append(dst, c)
			for _, c := range [...]byte{high, low} {
				if c != 0 {
					late = append(late, c)
				}
			}
		}
		return dst, nil
	}}
}

// byteReader reads bytes one by one out of what a reader yields.
type byteReader struct {
	r   io.Reader
	buf [512]byte
	at  []byte
}

// ReadByte reads as io.ByteReader says.
func (b *byteReader) ReadByte() (byte, error) {
	for len(b.at) == 0 {
		n, err := b.r.Read(b.buf[:])
		if b.at = b.buf[:n]; n == 0 && err != nil {
			return 0, err
		}
	}
	c := b.at[0]
	b.at = b.at[1:]
	return c, nil
}

// unbase64Text returns the beginning of what a text in base64 holds.
func unbase64Text(text []byte) []byte {
	out := make([]byte, 0, base64.StdEncoding.DecodedLen(len(text)))
	r := newUnbase64(&byteReader{at: text, r: eof{}})
	for {
		room := out[len(out):cap(out)]
		if len(room) == 0 {
			return out
		}
		n, err := r.Read(room)
		if out = out[:len(out)+n]; err != nil {
			return out
		}
	}
}

// eof is empty.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
