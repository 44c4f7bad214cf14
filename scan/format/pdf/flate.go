package pdf

import (
	"bufio"
	"compress/flate"
	"io"
)

// unzlib reads zlib data (RFC 1950) up to their end or the first damage. Neither
// their header nor their checksum is held against them, nor line ends before them:
// viewers do not insist.
type unzlib struct {
	in *bufio.Reader
	r  io.Reader
}

func (u *unzlib) Read(p []byte) (int, error) {
	if u.r == nil {
		u.skipHeader()
		u.r = flate.NewReader(u.in)
	}
	return u.r.Read(p)
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
