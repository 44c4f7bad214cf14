package pdf

import (
	"bufio"
	"io"
)

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
