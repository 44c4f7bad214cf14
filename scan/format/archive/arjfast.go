package archive

import (
	"bufio"
	"io"
)

// unfast undoes ARJ's method 4: literals, and matches whose lengths and distances
// are numbers of growing width.
type unfast struct{ in *bits }

func newUnfast(in io.Reader) io.Reader {
	return newWindowed(&unfast{&bits{in: bufio.NewReader(in)}}, 1<<15, ' ')
}

func (u *unfast) step() (literal byte, length, distance int, err error) {
	if n := u.number(0, 7); n == 0 {
		literal = byte(u.in.take(8))
	} else {
		length, distance = n-1+lzhThreshold, u.number(9, 13)+1
	}
	if u.in.over() {
		return 0, 0, 0, unexpected(u.in.err)
	}
	return literal, length, distance, nil
}

// number reads a number that is as many bits wide as ones are before it, and
// at least narrow, at most wide.
func (u *unfast) number(narrow, wide uint) int {
	width, base := narrow, 0
	for width < wide && u.in.take(1) == 1 {
		base += 1 << width
		width++
	}
	return base + u.in.take(width)
}
