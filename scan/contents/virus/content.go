package virus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scratch"
)

// blockSize is how much is read at once.
const blockSize = 64 << 10

// block is a reusable buffer with room for a length in front.
type block [4 + blockSize]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

// each calls do with the bytes of c from front to back, in blocks of which the
// first four bytes are free to use. A content that ends early is an error.
func each(ctx context.Context, c scan.Content, do func(b *block, n int) error) error {
	b := blocks.Get().(*block)
	defer blocks.Put(b)
	for at, size := int64(0), c.Size(); at < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := c.ReadAt(b[4:4+min(size-at, blockSize)], at)
		if n == 0 {
			return newReadError(at, size, err)
		}
		if err := do(b, n); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// pour calls take with the bytes of c from front to back, until it returns an error:
// with the memory they are in, where c can show it, else with a copy.
func pour(ctx context.Context, c scan.Content, take func(piece []byte) error) error {
	at := int64(0)
	var refused error
	err := scratch.Windows(c, 0, 0, func(b []byte, off int64) error {
		at = off + int64(len(b))
		refused = cmp.Or(take(b), ctx.Err())
		return refused
	})
	if err == nil || refused != nil {
		return err
	}
	return newReadError(at, c.Size(), err)
}

// ownError is a fault on our side, with which the server has nothing to do: it owes no answer,
// and is not to blame.
type ownError struct{ error }

// newReadError returns the error of a content that could not be read to its end.
func newReadError(at, size int64, err error) error {
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return ownError{fmt.Errorf("reading at %d of %d bytes: %w", at, size, err)}
}

// Unwrap returns the fault itself.
func (e ownError) Unwrap() error { return e.error }

// isOurs reports whether the fault is on our side.
func isOurs(err error) bool {
	_, ours := errors.AsType[ownError](err)
	return ours
}

// section returns the part of c from start up to end.
func section(c scan.Content, start, end int64) *io.SectionReader {
	return io.NewSectionReader(c, start, end-start)
}

// joined is several contents as one.
type joined struct {
	pieces []scan.Content
	ends   []int64 // where each piece ends
}

func (j *joined) append(c scan.Content) {
	j.pieces = append(j.pieces, c)
	j.ends = append(j.ends, j.Size()+c.Size())
}

// Size returns the number of bytes in all pieces.
func (j *joined) Size() int64 {
	if len(j.ends) == 0 {
		return 0
	}
	return j.ends[len(j.ends)-1]
}

// ReadAt reads as io.ReaderAt says.
func (j *joined) ReadAt(p []byte, off int64) (n int, err error) {
	i := sort.Search(len(j.ends), func(i int) bool { return j.ends[i] > off })
	for ; i < len(j.pieces) && n < len(p); i++ {
		start := j.ends[i] - j.pieces[i].Size()
		want := min(int64(len(p)-n), j.ends[i]-off)
		got, err := j.pieces[i].ReadAt(p[n:n+int(want)], off-start)
		n, off = n+got, off+int64(got)
		if int64(got) < want {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
