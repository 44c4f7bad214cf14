package pdf

import (
	"bufio"
	"errors"
	"io"
)

var errOrder = errors.New("code out of order")

// lzw undoes LZWDecode, section 7.4.4: codes of 9 to 12 bits, highest bit
// first, which by custom grow one code early.
type lzw struct {
	in       *bufio.Reader
	word     uint32
	have     uint // bits of word that are not used
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
	clearCode = 256
	endCode   = 257
)

func newLZW(in *bufio.Reader, late bool) *lzw {
	l := &lzw{in: in, early: 1}
	if late {
		l.early = 0
	}
	for i := range 256 {
		l.suffix[i] = byte(i)
	}
	l.clear()
	return l
}

func (l *lzw) clear() { l.width, l.next, l.previous = 9, endCode+1, -1 }

func (l *lzw) Read(p []byte) (int, error) {
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

// code reads one, highest bit first; io.EOF where there is no whole one.
func (l *lzw) code() (int, error) {
	for l.have < l.width {
		c, err := l.in.ReadByte()
		if err != nil {
			return 0, err
		}
		l.word, l.have = l.word<<8|uint32(c), l.have+8
	}
	l.have -= l.width
	return int(l.word >> l.have & (1<<l.width - 1)), nil
}

// step reads one code and puts its text into out.
func (l *lzw) step() error {
	code, err := l.code()
	switch {
	case err != nil:
		return err
	case code == endCode:
		return io.EOF
	case code == clearCode:
		l.clear()
		return nil
	case l.previous < 0 && code > 255, code > l.next:
		return errOrder
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
