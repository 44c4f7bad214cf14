package archive

import (
	"bufio"
	"io"
)

// LZSS as Okumura published it, with flags in groups of eight and places in the
// window instead of distances: Microsoft's COMPRESS.EXE and LArc's -lz5-.
const (
	lzssWindow    = 4096
	lzssStart     = lzssWindow - 18
	lzssThreshold = 3
)

type unlzss struct {
	in    *bufio.Reader
	flags uint // the next flag is the lowest; above the last is a mark
	at    int  // place in the window
}

// newUnlzss reads LZSS whose window begins with blanks, at start.
func newUnlzss(in io.Reader, start int) *windowed {
	w := newWindowed(nil, lzssWindow, ' ')
	w.code, w.at = &unlzss{in: bufio.NewReader(in), at: start, flags: 1}, start
	return w
}

// newUnlz5 reads LArc's LZSS, whose window begins with all there is in a program.
func newUnlz5(in io.Reader) *windowed {
	w := newUnlzss(in, lzssStart)
	const runs, ramp = 13, 256
	for i := range ramp {
		for j := range runs {
			w.window[i*runs+j] = byte(i)
		}
		w.window[ramp*runs+i] = byte(i)
		w.window[ramp*(runs+1)+i] = byte(255 - i)
	}
	clear(w.window[ramp*(runs+2):][:128])
	clear(w.window[lzssStart:])
	return w
}

func (u *unlzss) step() (literal byte, length, distance int, err error) {
	if u.flags == 1 {
		c, err := u.in.ReadByte()
		if err != nil {
			return 0, 0, 0, err
		}
		u.flags = uint(c) | 1<<8
	}
	flag := u.flags & 1
	u.flags >>= 1
	c, err := u.in.ReadByte()
	if err != nil {
		return 0, 0, 0, err
	}
	if flag == 1 {
		u.at = (u.at + 1) % lzssWindow
		return c, 0, 0, nil
	}
	more, err := u.in.ReadByte()
	if err != nil {
		return 0, 0, 0, unexpected(err)
	}
	place := int(c) | int(more&0xf0)<<4
	length = int(more&0x0f) + lzssThreshold
	distance = (u.at-place-1)&(lzssWindow-1) + 1
	u.at = (u.at + length) % lzssWindow
	return 0, length, distance, nil
}

// unlzs is LArc's -lzs-: the same without groups, in a window of 2048 bytes.
type unlzs struct {
	in *bits
	at int
}

const lzsWindow = 2048

func newUnlzs(in io.Reader) *windowed {
	w := newWindowed(nil, lzsWindow, ' ')
	w.at = lzsWindow - 17
	w.code = &unlzs{&bits{in: bufio.NewReader(in)}, w.at}
	return w
}

func (u *unlzs) step() (literal byte, length, distance int, err error) {
	if u.in.take(1) == 1 {
		literal, length = byte(u.in.take(8)), 0
	} else {
		place := u.in.take(11)
		length = u.in.take(4) + 2
		distance = (u.at-place-1)&(lzsWindow-1) + 1
	}
	if u.in.over() {
		return 0, 0, 0, unexpected(u.in.err)
	}
	u.at = (u.at + max(length, 1)) % lzsWindow
	return literal, length, distance, nil
}
