// Package scratch lends buffers for reading through contents: they are too large
// to be made and cleared anew for every part of every message.
package scratch

import (
	"io"
	"sync"
)

// Size is how long a buffer is, in bytes.
const Size = 64 << 10

// Buffer is on loan until it is returned. What it holds at first is whatever its
// last borrower left in it.
type Buffer [Size]byte

// buffers holds those nobody uses at present.
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
