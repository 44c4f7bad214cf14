package archive

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

// digit reads over blanks; io.EOF at the mark of the end. Some writers leave that
// out.
func (a *asciiHex) digit() (byte, error) {
	for !a.done {
		c, err := a.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if d, ok := hexDigit(c); ok {
			return d, nil
		}
		if a.done = c == '>'; !a.done && !isPDFSpace(c) {
			return 0, errASCII
		}
	}
	return 0, io.EOF
}

// asciiBase85 undoes ASCII85Decode, section 7.4.3.
type asciiBase85 struct {
	in   *bufio.Reader
	rest []byte
	buf  [4]byte
	done bool
}

func (a *asciiBase85) Read(p []byte) (int, error) {
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
func (a *asciiBase85) group() error {
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
		case !isPDFSpace(c):
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

// runLength undoes RunLengthDecode, section 7.4.5.
type runLength struct {
	in    *bufio.Reader
	left  int  // bytes of the run
	equal bool // all are c
	c     byte
}

func (r *runLength) Read(p []byte) (int, error) {
	for i := range p {
		c, err := r.next()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

func (r *runLength) next() (byte, error) {
	if r.left == 0 {
		if err := r.run(); err != nil {
			return 0, err
		}
	}
	r.left--
	if r.equal {
		return r.c, nil
	}
	c, err := r.in.ReadByte()
	return c, unexpected(err)
}

func (r *runLength) run() (err error) {
	const end = 128
	n, err := r.in.ReadByte()
	switch {
	case err != nil:
		return err
	case n == end:
		return io.EOF
	case n < end:
		r.left, r.equal = int(n)+1, false
		return nil
	}
	r.left, r.equal = 257-int(n), true
	r.c, err = r.in.ReadByte()
	return unexpected(err)
}

// pdfLZW undoes LZWDecode, section 7.4.4: codes of 9 to 12 bits, highest bit
// first, which by custom grow one code early.
type pdfLZW struct {
	in       *bits
	early    int
	width    uint
	next     int // code that is given out next
	previous int // -1 after a clear
	first    byte
	prefix   [1 << 12]uint16
	suffix   [1 << 12]byte
	out      []byte // reversed
}

const (
	pdfLZWClear = 256
	pdfLZWEnd   = 257
)

func newPDFLZW(in *bufio.Reader, early int64) *pdfLZW {
	l := &pdfLZW{in: &bits{in: in}, early: int(early & 1)}
	for i := range 256 {
		l.suffix[i] = byte(i)
	}
	l.clear()
	return l
}

func (l *pdfLZW) clear() { l.width, l.next, l.previous = 9, pdfLZWEnd+1, -1 }

func (l *pdfLZW) Read(p []byte) (int, error) {
	for i := range p {
		for len(l.out) == 0 {
			if err := l.step(); err != nil {
				return i, err
			}
		}
		p[i] = l.out[len(l.out)-1]
		l.out = l.out[:len(l.out)-1]
	}
	return len(p), nil
}

// step reads one code and puts its text into out.
func (l *pdfLZW) step() error {
	code := l.in.take(l.width)
	switch {
	case l.in.over(), code == pdfLZWEnd:
		return io.EOF
	case code == pdfLZWClear:
		l.clear()
		return nil
	case l.previous < 0 && code > 255, code > l.next:
		return errLZW
	}
	at := code
	if code == l.next {
		l.out = append(l.out, l.first)
		at = l.previous
	}
	for ; at > 255; at = int(l.prefix[at]) {
		l.out = append(l.out, l.suffix[at])
	}
	l.first = byte(at)
	l.out = append(l.out, l.first)
	if l.previous >= 0 && l.next < len(l.prefix) {
		l.prefix[l.next], l.suffix[l.next] = uint16(l.previous), l.first
		l.next++
	}
	l.previous = code
	if l.next+l.early >= 1<<l.width && l.width < 12 {
		l.width++
	}
	return nil
}
