// Package scratch lends buffers for reading through contents: they are too large
// to be made and cleared again for every part of every message.
package scratch

import (
	"bytes"
	"io"
	"slices"
	"sync"
)

type inMemory interface{ Piece(off int64) []byte }

// Size is how long a buffer is, in bytes.
const Size = 64 << 10

// Buffer is on loan until it is returned. What it holds at first is whatever its
// last borrower left in it.
type Buffer [Size]byte

// buffers holds those that no borrower uses at present.
var buffers = sync.Pool{New: func() any { return new(Buffer) }}

// Lend hands out a buffer.
func Lend() *Buffer { return buffers.Get().(*Buffer) }

// Return gives it back: no slice of it may be used any more.
func (b *Buffer) Return() { buffers.Put(b) }

// Head reads the first n bytes of r, as many of them as there are, into the
// buffer. An error other than the end looks like the end; who reads on meets it
// again.
func (b *Buffer) Head(r io.ReaderAt, n int64) []byte {
	got, _ := r.ReadAt(b[:min(n, Size)], 0)
	return b[:got]
}

// fewest is the shortest piece of a content in memory that is worth looking at by
// itself.
const fewest = 4 << 10

// Windows calls look with windows of c and their offsets, from one place on to the
// end, until it returns an error. Each begins with the last bytes of the one
// before, as many as overlap says, which must be less than half of Size. Bytes
// in memory are shown where they lie, so a window is not to be changed, and not to
// be used once look has returned. The first pass over all of a content shows it to those who watch it, too (Lore).
func Windows(c Content, from int64, overlap int, look func(b []byte, off int64) error) error {
	buf := Lend()
	defer buf.Return()
	first := watched(c, from)
	defer first.end(c.Size())
	for size := c.Size(); from < size; {
		b, err := buf.Window(c, from, overlap, Size)
		if err != nil {
			return err
		}
		first.see(b, from)
		if err := look(b, from); err != nil || from+int64(len(b)) >= size {
			return err
		}
		from += int64(len(b) - overlap)
	}
	return nil
}

// Window shows the bytes of c from off on: where they lie if those are in memory,
// else up to most bytes of them, read into the buffer. Where a piece of memory ends,
// a short copy leads over to the next.
func (buf *Buffer) Window(c Content, off int64, overlap int, most int64) ([]byte, error) {
	want := min(most, Size, c.Size()-off)
	if shown, ok := c.(inMemory); ok {
		b := shown.Piece(off)
		if len(b) >= fewest+overlap || int64(len(b)) == c.Size()-off {
			return b, nil
		}
		if b != nil {
			want = min(want, int64(fewest+2*overlap))
		}
	}
	n, err := c.ReadAt(buf[:want], off)
	if int64(n) == want {
		return buf[:n], nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// Index returns the first place of mark in c between from and to, -1 if there is none,
// or none was found before an error. It reads little at first: the mark
// is often near.
func Index(c Content, mark string, from, to int64) (int64, error) {
	buf := Lend()
	defer buf.Return()
	to = min(to, c.Size())
	for size := int64(512); to-from >= int64(len(mark)); size = min(8*size, Size) {
		chunk, err := buf.Window(c, from, len(mark)-1, size)
		if err != nil {
			return -1, err
		}
		chunk = chunk[:min(int64(len(chunk)), to-from)]
		if i := Find(chunk, mark); i >= 0 {
			return from + int64(i), nil
		}
		from += int64(len(chunk) - len(mark) + 1)
	}
	return -1, nil
}

// Find returns the first place of mark in b, -1 if there is none, as bytes.Index does. It
// looks first for a byte of mark that texts do not have, if there is one.
func Find(b []byte, mark string) int {
	rare := max(0, slices.IndexFunc([]byte(mark), func(c byte) bool { return c < ' ' || c > '~' }))
	misses := 0
	for at := rare; at < len(b); at++ {
		next := bytes.IndexByte(b[at:], mark[rare])
		if next < 0 {
			break
		}
		if at += next; bytes.HasPrefix(b[at-rare:], []byte(mark)) {
			return at - rare
		}
		if misses++; misses > 16+at/16 { // it is full of them
			from := at - rare + 1
			if i := bytes.Index(b[from:], []byte(mark)); i >= 0 {
				return from + i
			}
			break
		}
	}
	return -1
}
