package archive

import (
	"bufio"
	"errors"
	"io"
)

// inflate64 undoes Deflate64, which is Deflate (RFC 1951) with a window of 64 KB,
// two more distance codes, and a longest match of 64 KB. Windows' own zip writes
// it.
type inflate64 struct {
	in     *bufio.Reader
	bits   uint32
	have   uint
	window [1 << 16]byte
	at     int // in window; wraps
	shown  int // up to where window was handed out
	filled int // bytes not handed out
	step   func() error
	last   bool // the current block is the last
	left   int  // of a stored block
	length huffman
	dist   huffman
	copied int // of a match still to copy
	from   int // its distance
	err    error
}

var errDeflate64 = errors.New("damaged deflate64 data")

func newInflate64(in *bufio.Reader) *inflate64 {
	f := &inflate64{in: in}
	f.step = f.header
	return f
}

func (f *inflate64) Read(p []byte) (int, error) {
	for f.filled == 0 {
		if f.err != nil {
			return 0, f.err
		}
		for f.err == nil && f.filled < len(f.window)/2 {
			f.err = f.step()
		}
	}
	n := copy(p[:min(len(p), f.filled)], f.window[f.shown:])
	f.shown = (f.shown + n) & 0xffff
	f.filled -= n
	return n, nil
}

func (f *inflate64) put(b byte) {
	f.window[f.at] = b
	f.at = (f.at + 1) & 0xffff
	f.filled++
}

// need returns the next n bits, the first lowest.
func (f *inflate64) need(n uint) (int, error) {
	for f.have < n {
		b, err := f.in.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		f.bits |= uint32(b) << f.have
		f.have += 8
	}
	v := f.bits & (1<<n - 1)
	f.bits >>= n
	f.have -= n
	return int(v), nil
}

// header reads the beginning of a block, RFC 1951 section 3.2.3.
func (f *inflate64) header() error {
	if f.last {
		return io.EOF
	}
	h, err := f.need(3)
	if err != nil {
		return err
	}
	f.last = h&1 != 0
	switch h >> 1 {
	case 0:
		return f.stored()
	case 1:
		f.length, f.dist = fixedCodes()
		f.step = f.symbol
		return nil
	case 2:
		f.step = f.symbol
		return f.codes()
	}
	return errDeflate64
}

func (f *inflate64) stored() error {
	f.bits, f.have = f.bits>>(f.have%8), f.have-f.have%8
	n, err := f.need(16)
	if err != nil {
		return err
	}
	inverse, err := f.need(16)
	if err == nil && n != ^inverse&0xffff {
		err = errDeflate64
	}
	f.left, f.step = n, f.storedByte
	return err
}

func (f *inflate64) storedByte() error {
	if f.left == 0 {
		f.step = f.header
		return nil
	}
	b, err := f.need(8)
	if err == nil {
		f.left--
		f.put(byte(b))
	}
	return err
}

// The bases and extra bits of length codes from 257 and distance codes; where
// they differ from Deflate's is at the ends.
var (
	lengthBase  = [...]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 3}
	lengthExtra = [...]uint{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 16}
)

// symbol reads a literal, a match, or the end of the block.
func (f *inflate64) symbol() error {
	s, err := f.length.read(f)
	switch {
	case err != nil:
		return err
	case s < 256:
		f.put(byte(s))
		return nil
	case s == 256:
		f.step = f.header
		return nil
	case s-257 >= len(lengthBase):
		return errDeflate64
	}
	extra, err := f.need(lengthExtra[s-257])
	if err != nil {
		return err
	}
	f.copied = lengthBase[s-257] + extra
	if f.from, err = f.distance(); err != nil {
		return err
	}
	f.step = f.match
	return nil
}

// distance reads how far back a match lies. Code 2k and 2k+1 have k-1 extra bits.
func (f *inflate64) distance() (int, error) {
	d, err := f.dist.read(f)
	if err != nil || d < 4 {
		return d + 1, err
	}
	n := uint(d/2 - 1)
	extra, err := f.need(n)
	return (2+d%2)<<n + extra + 1, err
}

// match copies a piece of a match, so that the window is never overrun.
func (f *inflate64) match() error {
	for n := min(f.copied, 1<<12); n > 0; n-- {
		f.put(f.window[(f.at-f.from)&0xffff])
		f.copied--
	}
	if f.copied == 0 {
		f.step = f.symbol
	}
	return nil
}

// codes reads the codes of a dynamic block, RFC 1951 section 3.2.7.
func (f *inflate64) codes() error {
	var counts [3]int
	for i, n := range [...]uint{5, 5, 4} {
		v, err := f.need(n)
		if err != nil {
			return err
		}
		counts[i] = v + [...]int{257, 1, 4}[i]
	}
	order := [...]byte{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [19]byte
	for _, i := range order[:counts[2]] {
		v, err := f.need(3)
		if err != nil {
			return err
		}
		lengths[i] = byte(v)
	}
	all, err := f.lengths(newHuffman(lengths[:]), counts[0]+counts[1])
	if err != nil {
		return err
	}
	f.length, f.dist = newHuffman(all[:counts[0]]), newHuffman(all[counts[0]:])
	return nil
}

// lengths reads n code lengths that are themselves coded.
func (f *inflate64) lengths(code huffman, n int) ([]byte, error) {
	var all []byte
	for len(all) < n {
		s, err := code.read(f)
		if err != nil {
			return nil, err
		}
		if s < 16 {
			all = append(all, byte(s))
			continue
		}
		repeat, err := f.need([...]uint{2, 3, 7}[s-16])
		if err != nil || s == 16 && len(all) == 0 {
			return nil, errDeflate64
		}
		var last byte
		if s == 16 {
			last = all[len(all)-1]
		}
		for range repeat + [...]int{3, 3, 11}[s-16] {
			all = append(all, last)
		}
	}
	if len(all) > n {
		return nil, errDeflate64
	}
	return all, nil
}

// huffman is a canonical code: how many codes there are of each length, and the
// symbols in the order of their codes.
type huffman struct {
	count   [16]int
	symbols []uint16
}

func newHuffman(lengths []byte) huffman {
	var h huffman
	for _, n := range lengths {
		h.count[n]++
	}
	h.count[0] = 0
	for want := byte(1); want < 16; want++ {
		for s, n := range lengths {
			if n == want {
				h.symbols = append(h.symbols, uint16(s))
			}
		}
	}
	return h
}

// read reads one symbol, bit by bit: a code of n bits is less than the first code
// of n bits plus their number.
func (h *huffman) read(f *inflate64) (int, error) {
	code, first, index := 0, 0, 0
	for n := 1; n < 16; n++ {
		bit, err := f.need(1)
		if err != nil {
			return 0, err
		}
		code = code<<1 | bit
		if place := code - first; place >= 0 && place < h.count[n] {
			return int(h.symbols[index+place]), nil
		}
		index += h.count[n]
		first = (first + h.count[n]) << 1
	}
	return 0, errDeflate64
}

// fixedCodes returns the fixed Huffman codes of RFC 1951 section 3.2.6.
func fixedCodes() (length, dist huffman) {
	var l [288]byte
	for i := range l {
		switch {
		case i < 144, i >= 280:
			l[i] = 8
		case i < 256:
			l[i] = 9
		default:
			l[i] = 7
		}
	}
	var d [32]byte
	for i := range d {
		d[i] = 5
	}
	return newHuffman(l[:]), newHuffman(d[:])
}
