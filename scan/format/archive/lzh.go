package archive

import (
	"bufio"
	"errors"
	"io"
)

// The shapes of LZH data: LHA's methods 4 to 7 and ARJ's 1 to 3 differ in the
// size of the window only.
type lzhShape struct {
	window    uint // bits of a distance
	positions int  // symbols for the lengths of distances
	width     uint // bits of a number of such symbols
}

var (
	shapeLH4 = lzhShape{12, 14, 4}
	shapeLH5 = lzhShape{13, 14, 4}
	shapeLH6 = lzhShape{15, 16, 5}
	shapeLH7 = lzhShape{16, 17, 5}
	shapeARJ = lzhShape{15, 17, 5}
)

// The alphabets all shapes have in common.
const (
	lzhLiterals  = 256
	lzhSymbols   = lzhLiterals + 254 // literals, and match lengths from lzhThreshold
	lzhThreshold = 3                 // shortest match
	lzhLengths   = 19                // symbols of the code for code lengths
)

// unlzh undoes LZSS with Huffman codes that are sent again for every block. The
// data do not say where they end.
type unlzh struct {
	in        *bits
	shape     lzhShape
	block     int // symbols left in the block
	lengths   prefixCode
	symbols   prefixCode
	distances prefixCode
}

func newUnlzh(in io.Reader, s lzhShape) io.Reader {
	return newWindowed(&unlzh{in: &bits{in: bufio.NewReader(in)}, shape: s}, 1<<s.window, ' ')
}

var errDistance = errors.New("a match that reaches too far back")

// step yields the next literal or match.
func (u *unlzh) step() (literal byte, length, distance int, err error) {
	if u.block == 0 {
		if err := u.header(); err != nil {
			return 0, 0, 0, err
		}
	}
	u.block--
	symbol, err := u.symbols.read(u.in)
	if err == nil && u.in.over() {
		err = unexpected(u.in.err)
	}
	if err != nil || symbol < lzhLiterals {
		return byte(symbol), 0, 0, err
	}
	n, err := u.distances.read(u.in)
	if err != nil || n == 0 {
		return 0, symbol - lzhLiterals + lzhThreshold, 1, err
	}
	if n > int(u.shape.window)+1 {
		return 0, 0, 0, errDistance
	}
	distance = 1<<(n-1) + u.in.take(uint(n-1)) + 1
	return 0, symbol - lzhLiterals + lzhThreshold, distance, nil
}

// header reads the codes at the beginning of a block.
func (u *unlzh) header() error {
	u.block = u.in.take(16)
	if u.in.over() {
		return unexpected(u.in.err)
	}
	if u.block == 0 {
		return errCode
	}
	if err := u.short(&u.lengths, lzhLengths, 5, 3); err != nil {
		return err
	}
	if err := u.long(); err != nil {
		return err
	}
	return u.short(&u.distances, u.shape.positions, u.shape.width, -1)
}

// short reads a code of up to n symbols, whose number has width bits. After the
// symbol with the number gap is how many of the next have no word.
func (u *unlzh) short(p *prefixCode, n int, width uint, gap int) error {
	number := u.in.take(width)
	if number == 0 {
		p.single(u.in.take(width))
		return nil
	}
	if number > n {
		return errCode
	}
	var lengths [lzhLengths + 3]uint8
	for i := 0; i < number; {
		lengths[i] = u.shortLength()
		if i++; i == gap {
			i += u.in.take(2)
		}
	}
	return p.build(lengths[:n])
}

// shortLength reads 3 bits; from 7 on it goes on in ones.
func (u *unlzh) shortLength() uint8 {
	n := uint8(u.in.take(3))
	for n >= 7 && n <= maxCode && u.in.take(1) == 1 {
		n++
	}
	return n
}

// long reads the code of literals and match lengths, whose own lengths are coded.
func (u *unlzh) long() error {
	number := u.in.take(9)
	if number == 0 {
		u.symbols.single(u.in.take(9))
		return nil
	}
	var lengths [lzhSymbols]uint8
	for i := 0; i < number; {
		n, err := u.lengths.read(u.in)
		switch {
		case err != nil:
			return err
		case n > 2:
			if i >= len(lengths) {
				return errCode
			}
			lengths[i] = uint8(n - 2)
			i++
		default:
			i += u.zeros(n)
		}
	}
	return u.symbols.build(lengths[:])
}

// zeros returns the number of symbols without a word that a length symbol below 3
// means.
func (u *unlzh) zeros(symbol int) int {
	switch symbol {
	case 0:
		return 1
	case 1:
		return u.in.take(4) + 3
	}
	return u.in.take(9) + 20
}
