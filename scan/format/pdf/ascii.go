package pdf

import (
	"bufio"
	"errors"
	"io"
)

var errASCII = errors.New("a character that cannot be there")

// asciiHex undoes ASCIIHexDecode, section 7.4.2.
type asciiHex struct {
	in   *bufio.Reader
	done bool
}

func (a *asciiHex) Read(p []byte) (int, error) {
	for i := range p {
		high, err := a.digit()
		if err != nil {
			return i, err
		}
		low, err := a.digit()
		if err == io.EOF {
			p[i] = high << 4
			return i + 1, nil
		}
		if err != nil {
			return i, err
		}
		p[i] = high<<4 | low
	}
	return len(p), nil
}

// digit reads the next digit and skips all other bytes. It returns io.EOF at the mark
// of the end, which some writers leave out.
func (a *asciiHex) digit() (byte, error) {
	for !a.done {
		c, err := a.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if d, ok := digit(c); ok {
			return d, nil
		}
		a.done = c == '>'
	}
	return 0, io.EOF
}

func digit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// base85 undoes ASCII85Decode, section 7.4.3.
type base85 struct {
	in   *bufio.Reader
	rest []byte
	buf  [4]byte
	done bool
}

// newBase85 skips the mark that may come first.
func newBase85(in *bufio.Reader) *base85 {
	for {
		b, _ := in.Peek(1)
		if len(b) == 0 || !isSpace(b[0]) {
			break
		}
		in.Discard(1)
	}
	if mark, _ := in.Peek(2); string(mark) == "<~" {
		in.Discard(2)
	}
	return &base85{in: in}
}

func (a *base85) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		if err := a.group(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// group reads five digits, or fewer at the end.
func (a *base85) group() error {
	var value uint32
	n := 0
	for n < 5 && !a.done {
		c, err := a.in.ReadByte()
		switch {
		case err == io.EOF, err == nil && c == '~':
			a.done = true
		case err != nil:
			return err
		case c == 'z' && n == 0:
			n = 5
		case c >= '!' && c <= 'u':
			value = value*85 + uint32(c-'!')
			n++
		case !isSpace(c):
			return errASCII
		}
	}
	if n < 2 {
		return io.EOF
	}
	for i := n; i < 5; i++ {
		value = value*85 + 84
	}
	a.buf = [4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}
	a.rest = a.buf[:n-1]
	return nil
}
