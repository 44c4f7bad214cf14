package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// Buffer holds one stretch of bytes. It is written by one goroutine; once
// writing is over, any number may read from it at once, without a lock between
// them, until it is closed. After Close its memory serves other messages: no
// reader and no slice may outlive it.
type Buffer struct {
	spool  *Spool
	size   int64
	blocks [][]byte // the beginning of the content, all of it while there is no file: the first small, the others large
	held   int64    // how much of the content is in blocks, once there is a file
	file   *os.File // the rest, where it stands in the content
	onDisk int64    // bytes of the disk budget that the file has
	hole   int64    // bytes at its beginning that take none
	filled sync.Once
	whole  bool // it holds all the content and nothing else
	closed bool
}

// Size is the number of bytes written.
func (b *Buffer) Size() int64 { return b.size }

// File is the unlinked file that holds exactly the content, for handing its
// descriptor to another process; nil while the content is in memory. It is not to
// be called before writing is over. The buffer leaves the file's own offset at 0.
// The file stays the buffer's.
func (b *Buffer) File() *os.File {
	if b.file == nil {
		return nil
	}
	b.filled.Do(b.fillHole)
	if !b.whole {
		return nil
	}
	return b.file
}

// fillHole copies what is in memory to its place in the file, and cuts off what
// the file held behind the content.
func (b *Buffer) fillHole() {
	hole := b.hole
	b.hole = 0
	if !b.mayTake(b.size) {
		b.hole = hole
		return
	}
	for at := int64(0); at < b.held; {
		piece := b.piece(at)
		if b.writeAt(piece, at) != nil {
			return
		}
		at += int64(len(piece))
	}
	if b.file.Truncate(b.size) == nil {
		b.whole = true
		b.spool.disk.give(b.onDisk - b.size)
		b.onDisk = b.size
	}
}

// Write appends p, all of it or nothing. It fails with ErrFull when all
// messages together have used up memory and disk, and with the system's error
// when the file cannot be made or written. What was written before stays good.
func (b *Buffer) Write(p []byte) (int, error) {
	if b.closed {
		return 0, errClosed("write")
	}
	if b.file == nil && !b.grow(int64(len(p))) {
		if err := b.goOnInFile(); err != nil {
			return 0, err
		}
	}
	if b.file != nil {
		return b.append(p)
	}
	b.fill(p)
	return len(p), nil
}

// WriteString is Write for a string.
func (b *Buffer) WriteString(s string) (int, error) {
	if b.closed || b.file != nil || !b.grow(int64(len(s))) {
		return b.Write([]byte(s))
	}
	for rest := s; len(rest) > 0; {
		n := copy(b.room(), rest)
		b.size += int64(n)
		rest = rest[n:]
	}
	return len(s), nil
}

// ReadFrom appends what r gives, up to io.EOF; in memory it is read to where it
// stays. After an error the bytes read before it are in the buffer.
func (b *Buffer) ReadFrom(r io.Reader) (total int64, err error) {
	for err == nil && !b.closed && b.file == nil && b.grow(1) {
		var n int
		n, err = r.Read(b.room())
		b.size += int64(n)
		total += int64(n)
	}
	if err == nil {
		var rest int64
		rest, err = b.readRest(r)
		total += rest
	}
	if err == io.EOF {
		err = nil
	}
	return total, err
}

// readRest is ReadFrom once there is no room in memory.
func (b *Buffer) readRest(r io.Reader) (int64, error) {
	block := b.spool.large.get()
	defer b.spool.large.put(block)
	return io.CopyBuffer(struct{ io.Writer }{b}, r, block[:])
}

// grow makes room in memory for n more bytes and reports whether it could. The
// blocks it got before it failed stay the buffer's.
func (b *Buffer) grow(n int64) bool {
	if n > b.spool.share-b.size {
		return false
	}
	for capacity(len(b.blocks)) < b.size+n {
		block, ok := b.spool.block(len(b.blocks))
		if !ok {
			return false
		}
		b.blocks = append(b.blocks, block)
	}
	return true
}

// fill copies p into blocks that have room for it.
func (b *Buffer) fill(p []byte) {
	for len(p) > 0 {
		n := copy(b.room(), p)
		b.size += int64(n)
		p = p[n:]
	}
}

// room is the rest of the block in which the next byte goes.
func (b *Buffer) room() []byte {
	i, at := position(b.size)
	return b.blocks[i][at:]
}

// goOnInFile has what follows go to a file.
func (b *Buffer) goOnInFile() error {
	if b.spool.disk.limit <= 0 {
		return ErrFull
	}
	file, err := b.spool.file()
	if err != nil {
		return err
	}
	b.file, b.onDisk, b.held = file.file, file.bytes, b.size
	if b.onDisk == 0 {
		b.hole = b.held
	}
	for n := len(b.blocks); n > 0 && capacity(n-1) >= b.held; n-- {
		b.spool.takeBack(b.blocks[n-1])
		b.blocks = b.blocks[:n-1]
	}
	return nil
}

// append writes p behind what is in the file.
func (b *Buffer) append(p []byte) (int, error) {
	end := b.size + int64(len(p))
	had := b.onDisk
	if !b.mayTake(end) {
		return 0, ErrFull
	}
	if err := b.writeAt(p, b.size); err != nil {
		b.spool.disk.give(b.onDisk - had)
		b.onDisk = had
		return 0, b.cut(err)
	}
	b.size = end
	return len(p), nil
}

// writeAt writes to the file. Where the disk is full, files that nobody uses go
// first.
func (b *Buffer) writeAt(p []byte, off int64) error {
	_, err := b.file.WriteAt(p, off)
	if errors.Is(err, syscall.ENOSPC) && b.spool.dropSpares() {
		_, err = b.file.WriteAt(p, off)
	}
	return err
}

// mayTake reports whether the budget allows that the file ends there.
func (b *Buffer) mayTake(end int64) bool {
	more := end - b.hole - b.onDisk
	if more <= 0 {
		return true
	}
	if !b.spool.takeDisk(more) {
		return false
	}
	b.onDisk += more
	return true
}

// cut takes half-written bytes off the file, whose whole content is promised to
// whoever gets its descriptor.
func (b *Buffer) cut(cause error) error {
	if err := b.file.Truncate(b.size); err != nil {
		return fmt.Errorf("spool: %w", errors.Join(cause, err))
	}
	return fmt.Errorf("spool: %w", cause)
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
	n := 0
	for held := b.inMemory(); n < len(p) && off+int64(n) < held; {
		n += copy(p[n:], b.piece(off+int64(n)))
	}
	switch {
	case n == len(p):
		return n, nil
	case b.file == nil:
		return n, io.EOF
	}
	more, err := b.readFile(p[n:], off+int64(n))
	return n + more, err
}

// inMemory is how much of the content is in blocks.
func (b *Buffer) inMemory() int64 {
	if b.file != nil {
		return b.held
	}
	return b.size
}

func (b *Buffer) readFile(p []byte, off int64) (int, error) {
	n, err := b.file.ReadAt(p, off)
	if errors.Is(err, io.EOF) && off+int64(n) < b.size {
		return n, fmt.Errorf("spool: file ends at %d of %d bytes: %w", off+int64(n), b.size, io.ErrUnexpectedEOF)
	}
	return n, err
}

// Piece returns, without copying them, the bytes from off on that lie together;
// nil where the content is not in memory, or off is outside it. The bytes must
// not be changed, and not be used after Close.
func (b *Buffer) Piece(off int64) []byte {
	if b.closed || off < 0 || off >= b.inMemory() {
		return nil
	}
	return b.piece(off)
}

// piece is what lies together from off, which is in memory, on.
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
	if b.file == nil {
		return written, nil
	}
	n, err := io.Copy(w, io.NewSectionReader(b.file, written, b.size-written))
	return written + n, err
}

// Close gives the bytes back. Closing again does nothing.
func (b *Buffer) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	b.release()
	if b.file == nil {
		return nil
	}
	if b.keep() {
		return nil
	}
	b.spool.disk.give(b.onDisk)
	return b.file.Close()
}

// keep leaves the file to the next buffers, unless another process may still have
// it: that must never see what comes next.
func (b *Buffer) keep() bool {
	b.hole = 0
	return !b.whole && b.mayTake(b.size) && b.spool.keep(extent{b.file, b.onDisk})
}

// release gives back the memory.
func (b *Buffer) release() {
	for _, block := range b.blocks {
		b.spool.takeBack(block)
	}
	b.blocks = nil
}

// position is the block that holds the byte at off, and where in it.
func position(off int64) (block, at int) {
	if off < smallBlock {
		return 0, int(off)
	}
	off -= smallBlock
	return 1 + int(off/largeBlock), int(off % largeBlock)
}

// capacity is what n blocks hold.
func capacity(n int) int64 {
	if n == 0 {
		return 0
	}
	return smallBlock + int64(n-1)*largeBlock
}

// errClosed is what a reader sees that outlived its buffer: an error, never an
// empty message.
func errClosed(op string) error { return fmt.Errorf("spool: %s: %w", op, os.ErrClosed) }
