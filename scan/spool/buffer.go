package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Buffer holds one stretch of bytes. It is written by one goroutine; once
// writing is over, any number may read from it at once, without a lock between
// them, until it is closed. After Close its memory serves other messages: no
// reader and no slice may outlive it.
type Buffer struct {
	spool   *Spool
	size    int64
	blocks  [][]byte // the beginning of the content: the first small, the others large
	extents []extent // the next bytes, in blocks that the spool's volumes hold
	own     ownFile  // all of a large content, in place of blocks and extents
	beside  []*Buffer
	early   bool // it is beside another
	closed  bool
	lore    scratch.Lore
}

// ownFile holds a large content, at its place in the buffer's own file, but for the tail.
type ownFile struct {
	file   *os.File
	onDisk int64 // bytes of the disk budget that the file has
	tail   tail
	filled sync.Once
	whole  bool // it holds all the content and nothing else
}

// Lore keeps what is learnt of the content once writing is over.
func (b *Buffer) Lore() *scratch.Lore { return &b.lore }

// Beside returns an empty buffer for what is made of the content while it is written. It is closed with b, or before. It is
// full where the room left is needed for contents themselves.
func (b *Buffer) Beside() *Buffer {
	made := b.spool.Buffer()
	made.early = true
	b.beside = append(b.beside, made)
	return made
}

// Size returns the number of bytes written.
func (b *Buffer) Size() int64 { return b.size }

// Write appends p, all of it or nothing. It fails with ErrFull when all
// messages together have used up memory and disk, and with the system's error
// when a file cannot be made or written. Bytes written before stay good.
func (b *Buffer) Write(p []byte) (int, error) {
	if b.closed {
		return 0, errClosed("write")
	}
	if b.own.file == nil && !b.grow(int64(len(p))) {
		if err := b.spill(b.size + int64(len(p))); err != nil {
			return 0, err
		}
	}
	if err := b.fill(p); err != nil {
		return 0, err
	}
	b.size += int64(len(p))
	return len(p), nil
}

// WriteString writes a string as Write writes bytes.
func (b *Buffer) WriteString(s string) (int, error) {
	if b.closed || b.own.file != nil || !b.grow(int64(len(s))) {
		return b.Write([]byte(s))
	}
	for rest := s; len(rest) > 0; {
		n := copy(b.room(b.size), rest)
		b.size += int64(n)
		rest = rest[n:]
	}
	return len(s), nil
}

// ReadFrom appends the bytes of r, up to io.EOF; it reads them directly into the
// buffer's memory while there is room. After an error the bytes read before it are in
// the buffer.
func (b *Buffer) ReadFrom(r io.Reader) (total int64, err error) {
	for err == nil && !b.closed && b.own.file == nil && b.grow(1) {
		var n int
		n, err = r.Read(b.room(b.size))
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

// readRest continues ReadFrom when there is no room in memory. It writes whole blocks:
// a reader may come up with ten bytes at a time, and each write asks the system.
func (b *Buffer) readRest(r io.Reader) (int64, error) {
	block := b.spool.large.get()
	defer b.spool.large.put(block)
	for total := int64(0); ; {
		n, err := fillFrom(r, block[:])
		written, failed := b.Write(block[:n])
		total += int64(written)
		if err = cmp.Or(failed, err); err != nil {
			return total, err
		}
	}
}

// fillFrom reads until p is full, or an error.
func fillFrom(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// grow makes room in memory for n more bytes and reports whether it could. The
// blocks it got before it failed stay the buffer's.
func (b *Buffer) grow(n int64) bool {
	for capacity(len(b.blocks)) < b.size+n {
		if len(b.extents) > 0 || n > b.spool.share-b.size || b.early && !b.spool.memoryBeside() {
			return false
		}
		block, ok := b.spool.block(len(b.blocks))
		if !ok {
			return false
		}
		b.blocks = append(b.blocks, block)
	}
	return true
}

// room returns the rest of the block of memory that the byte at off belongs to.
func (b *Buffer) room(off int64) []byte {
	i, at := position(off)
	return b.blocks[i][at:]
}

// spill makes room on disk for content up to end: in blocks of a volume, or in a
// separate file for large contents and where there is no space for whole blocks. Where
// no file may be opened, everything goes to blocks.
func (b *Buffer) spill(end int64) error {
	if b.spool.disk.limit <= 0 {
		return ErrFull
	}
	for b.kept() < end {
		if len(b.blocks)+len(b.extents) < mostBlocks && b.extend() == nil {
			continue
		}
		if b.goOnInFile() == nil {
			return nil
		}
		if err := b.extend(); err != nil {
			return err
		}
	}
	return nil
}

// kept returns how much content the blocks and extents can hold.
func (b *Buffer) kept() int64 { return capacity(len(b.blocks) + len(b.extents)) }

// extend adds a block of a volume.
func (b *Buffer) extend() error {
	if b.early && !b.spool.diskBeside(largeBlock) {
		return ErrFull
	}
	e, err := b.spool.extent(len(b.blocks) + len(b.extents))
	if err == nil {
		b.extents = append(b.extents, e)
	}
	return err
}

// goOnInFile opens a file, and moves the content there.
func (b *Buffer) goOnInFile() error {
	f, err := b.spool.file()
	if err != nil {
		return err
	}
	b.own.file, b.own.onDisk = f.file, f.bytes
	if err := b.move(); err != nil {
		b.own.tail.giveBack(b.spool)
		b.spool.fileDone(spareFile{b.own.file, b.own.onDisk}, false)
		b.own = ownFile{}
		return err
	}
	b.release()
	return nil
}

// move copies the content of blocks and extents to the file. The last block becomes the tail if there is no other.
func (b *Buffer) move() error {
	if !b.mayTake(b.size) {
		return ErrFull
	}
	_, err := b.WriteTo(&moving{of: b})
	if err == nil && b.own.tail.bytes == nil && len(b.blocks) > 1 {
		last := len(b.blocks) - 1
		b.own.tail.bytes, b.blocks = b.blocks[last][:0], b.blocks[:last]
	}
	return err
}

// fill puts p to where it belongs. There is room for it but in a file.
func (b *Buffer) fill(p []byte) error {
	for at := b.size; len(p) > 0; {
		n, err := b.fillNext(p, at)
		if err != nil {
			return err
		}
		at += int64(n)
		p = p[n:]
	}
	return nil
}

// fillNext puts the beginning of p to off.
func (b *Buffer) fillNext(p []byte, off int64) (int, error) {
	i, at := position(off)
	if i < len(b.blocks) {
		return copy(b.blocks[i][at:], p), nil
	}
	if i -= len(b.blocks); i >= len(b.extents) {
		return b.append(p, off)
	}
	e := b.extents[i]
	p = p[:min(int64(len(p)), e.size-int64(at))]
	return len(p), b.onFullDisk(func() error { _, err := e.writeAt(p, int64(at)); return err })
}

// append writes p to the buffer's own file, at the end of the content.
func (b *Buffer) append(p []byte, off int64) (int, error) {
	had := b.own.onDisk
	if !b.mayTake(off + int64(len(p))) {
		return 0, ErrFull
	}
	if err := b.gather(p, off); err != nil {
		b.spool.disk.give(b.own.onDisk - had)
		b.own.onDisk = had
		b.own.tail.cut(b.size)
		return 0, b.cut(err)
	}
	return len(p), nil
}

// onFullDisk writes. If the disk is full, it first deletes files that no buffer uses.
func (b *Buffer) onFullDisk(write func() error) error {
	err := write()
	if errors.Is(err, syscall.ENOSPC) && b.spool.dropSpares() {
		err = write()
	}
	return err
}

// mayTake reports whether the budget allows that the file ends there.
func (b *Buffer) mayTake(end int64) bool {
	more := end - b.own.onDisk
	if more <= 0 {
		return true
	}
	if b.early && !b.spool.diskBeside(more) || !b.spool.takeDisk(more) {
		return false
	}
	b.own.onDisk += more
	return true
}

// cut takes half-written bytes off the file: a process that gets its descriptor reads
// all of it.
func (b *Buffer) cut(cause error) error {
	if err := b.own.file.Truncate(b.own.tail.from(b.size)); err != nil {
		return fmt.Errorf("spool: %w", errors.Join(cause, err))
	}
	return fmt.Errorf("spool: %w", cause)
}

// Close gives the bytes back. Closing again does nothing.
func (b *Buffer) Close() error {
	if b.closed {
		return nil
	}
	b.closed = true
	for _, made := range b.beside {
		made.Close()
	}
	b.release()
	if b.own.file == nil {
		return nil
	}
	b.own.tail.giveBack(b.spool)
	// Another process that has the whole file must never see the next content.
	return b.spool.fileDone(spareFile{b.own.file, b.own.onDisk}, !b.own.whole)
}

// release gives back the blocks.
func (b *Buffer) release() {
	for _, block := range b.blocks {
		b.spool.takeBack(block)
	}
	for _, e := range b.extents {
		b.spool.disk.give(e.put(e.at))
	}
	if len(b.blocks) > 1 || len(b.extents) > 0 { // else there is only a small block
		b.spool.rest()
	}
	b.blocks, b.extents = nil, nil
}

// position returns the block that holds the byte at off, and where in it.
func position(off int64) (block, at int) {
	if off < smallBlock {
		return 0, int(off)
	}
	off -= smallBlock
	return 1 + int(off/largeBlock), int(off % largeBlock)
}

// capacity returns how many bytes n blocks hold.
func capacity(n int) int64 {
	if n == 0 {
		return 0
	}
	return smallBlock + int64(n-1)*largeBlock
}

// errClosed returns the error for a reader that outlived its buffer: never an empty
// message.
func errClosed(op string) error { return fmt.Errorf("spool: %s: %w", op, os.ErrClosed) }
