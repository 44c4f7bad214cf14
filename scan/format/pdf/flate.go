package pdf

import (
	"bufio"

	"github.com/milterscan/milterscan/scan/format/inflate"
)

// unzlib reads zlib data (RFC 1950) up to their end or the first damage. Neither
// their header nor their checksum is held against them, nor line ends before them:
// viewers do not insist.
type unzlib struct {
	in   *bufio.Reader
	work func(steps int64)
	r    *inflate.Reader // nil before the first byte, and after the last
	err  error           // what it ended with
}

func (u *unzlib) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	if u.r == nil {
		u.skipHeader()
		u.r = inflate.Borrow()
		u.r.Reset(u.in, nil, u.work)
	}
	n, err := u.r.Read(p)
	if u.err = err; err != nil {
		u.r.GiveBack()
		u.r = nil
	}
	return n, err
}

func (u *unzlib) skipHeader() {
	for {
		if b, _ := u.in.Peek(1); len(b) == 0 || b[0] != '\r' && b[0] != '\n' {
			break
		}
		u.in.Discard(1)
	}
	const deflate = 8
	if head, _ := u.in.Peek(2); len(head) == 2 && head[0]&0x0f == deflate && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		u.in.Discard(2)
	}
}
