package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// File returns the unlinked file that holds exactly the content, so that its
// descriptor can be passed to another process; nil while the content is elsewhere. The
// caller must not call it before writing is over, and must not close the file. The
// buffer leaves the file's own offset at 0.
func (b *Buffer) File() *os.File {
	if b.own.file == nil {
		return nil
	}
	b.own.filled.Do(b.fillFile)
	if !b.own.whole {
		return nil
	}
	return b.own.file
}

// fillFile writes the tail, and cuts off the bytes that the file held after the content.
func (b *Buffer) fillFile() {
	if b.writeAt(b.own.tail.bytes, b.own.tail.at) != nil {
		return
	}
	if b.own.file.Truncate(b.size) == nil {
		b.own.whole = true
		b.spool.disk.give(b.own.onDisk - b.size)
		b.own.onDisk = b.size
	}
}

// ReadAt reads as io.ReaderAt says.
func (b *Buffer) ReadAt(p []byte, off int64) (int, error) {
	if b.closed {
		return 0, errClosed("read")
	}
	if off < 0 {
		return 0, fmt.Errorf("spool: read at negative offset %d", off)
	}
	if off >= b.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), b.size-off)]
	for n := 0; n < len(want); {
		more, err := b.readNext(want[n:], off+int64(n))
		if n += more; err != nil {
			return n, err
		}
	}
	if len(want) < len(p) {
		return len(want), io.EOF
	}
	return len(want), nil
}

// readNext reads some of the bytes from off on, all of which are in the content.
func (b *Buffer) readNext(p []byte, off int64) (int, error) {
	if off < b.inMemory() {
		return copy(p, b.piece(off)), nil
	}
	i, at := position(off)
	var n int
	var err error
	if i -= len(b.blocks); i < len(b.extents) {
		e := b.extents[i]
		n, err = e.readAt(p[:min(int64(len(p)), e.size-int64(at))], int64(at))
	} else if written := b.own.tail.from(b.size) - off; written > 0 {
		n, err = b.own.file.ReadAt(p[:min(int64(len(p)), written)], off)
	} else {
		n = copy(p, b.own.tail.bytes[-written:])
	}
	if errors.Is(err, io.EOF) {
		return n, fmt.Errorf("spool: file ends at %d of %d bytes: %w", off+int64(n), b.size, io.ErrUnexpectedEOF)
	}
	return n, err
}

// inMemory returns how much of the content is in memory.
func (b *Buffer) inMemory() int64 { return min(b.size, capacity(len(b.blocks))) }

// Piece returns, without copying them, the bytes from off on that lie together;
// nil where the content is not in memory, or off is outside it. The bytes must
// not be changed, and not be used after Close.
func (b *Buffer) Piece(off int64) []byte {
	if b.closed || off < 0 || off >= b.inMemory() {
		return nil
	}
	return b.piece(off)
}

// piece returns the bytes from off on, which is in memory, that lie together.
func (b *Buffer) piece(off int64) []byte {
	i, at := position(off)
	block := b.blocks[i]
	return block[at:min(int64(len(block)), int64(at)+b.inMemory()-off)]
}

// WriteTo writes all the content to w, block by block.
func (b *Buffer) WriteTo(w io.Writer) (int64, error) {
	if b.closed {
		return 0, errClosed("read")
	}
	var written int64
	for written < b.inMemory() {
		n, err := w.Write(b.piece(written))
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	if written == b.size {
		return written, nil
	}
	n, err := io.Copy(w, io.NewSectionReader(b, written, b.size-written))
	return written + n, err
}
