package token

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// Sum returns the sum over the body of a message, that is, over all after its first
// empty line. An MTA may change how lines end and how many empty ones are at
// the end, so these do not count. The error is the reader's.
func Sum(message io.Reader) ([32]byte, error) {
	r := bufio.NewReaderSize(message, 32<<10)
	if err := skipHeader(r); err != nil {
		return [32]byte{}, err
	}
	b := &body{sum: sha256.New()}
	if _, err := io.Copy(b, r); err != nil {
		return [32]byte{}, err
	}
	return [32]byte(b.finish()), nil
}

// skipHeader reads the first empty line.
func skipHeader(r *bufio.Reader) error {
	for begin := true; ; {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			begin = false
			continue
		case err != nil:
			return err
		case begin && (len(line) == 1 || len(line) == 2 && line[0] == '\r'):
			return nil
		}
		begin = true
	}
}

// body sums lines that end in LF. Ends of lines and CRs are held back until
// something else shows what they were.
type body struct {
	sum   hash.Hash
	ends  int64 // LFs held back
	cr    bool  // a CR held back, after the LFs
	chunk []byte
}

// Write never fails.
func (b *body) Write(p []byte) (int, error) {
	b.chunk = b.chunk[:0]
	for _, c := range p {
		switch {
		case c == '\n':
			b.ends++
			b.cr = false
		case c == '\r':
			if b.cr { // the one before it ends no line
				b.cr = false
				b.release('\r')
			}
			b.cr = true
		default:
			b.release(c)
		}
	}
	b.sum.Write(b.chunk)
	return len(p), nil
}

// release takes a byte that is no end of line, and before it what was held back.
func (b *body) release(c byte) {
	for ; b.ends > 0; b.ends-- {
		b.chunk = append(b.chunk, '\n')
		if len(b.chunk) > 64<<10 {
			b.sum.Write(b.chunk)
			b.chunk = b.chunk[:0]
		}
	}
	if b.cr {
		b.chunk = append(b.chunk, '\r')
		b.cr = false
	}
	b.chunk = append(b.chunk, c)
}

func (b *body) finish() []byte { return b.sum.Sum(nil) }
