package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/scan/format/inflate"
)

// cabBlocks are the blocks of a folder, section 2.4 of MS-CAB.
type cabBlocks struct {
	walk *cabWalk
	left int
	at   int64
	feed *Feed // charged, nil where nothing is unpacked
}

var errCabSum = errors.New("a block does not have its checksum")

// next returns the data of the next block; io.EOF after the last. A block that is
// wrong by its checksum comes with errCabSum.
func (b *cabBlocks) next() ([]byte, error) {
	if b.left == 0 {
		return nil, io.EOF
	}
	if err := b.walk.ctx.Err(); err != nil {
		return nil, err
	}
	head := fixed(b.walk.c, b.at, cabData)
	if head == nil {
		return nil, io.ErrUnexpectedEOF
	}
	start, size := b.at+cabData+b.walk.reserve, int64(le16(head[4:]))
	data := piece(b.walk.c, start, size)
	b.left--
	b.at = start + size
	if b.feed != nil {
		b.feed.eat(int64(len(data)))
	}
	if int64(len(data)) < size {
		b.left = 0
		return data, io.ErrUnexpectedEOF
	}
	if sum := le32(head); sum != 0 && sum != cabSum(data)^cabSum(head[4:]) && b.walk.reserve == 0 {
		return data, errCabSum
	}
	return data, nil
}

// cabSum returns the checksum of section 3.1: all words, and the rest of a word the
// other way round.
func cabSum(b []byte) uint32 {
	var sum uint32
	for ; len(b) >= 4; b = b[4:] {
		sum ^= binary.LittleEndian.Uint32(b)
	}
	var last uint32
	for _, c := range b {
		last = last<<8 | uint32(c)
	}
	return sum ^ last
}

// noteSum says that a block is not what its checksum says. Its data are unpacked
// nevertheless.
func (b *cabBlocks) noteSum(err error) error {
	if errors.Is(err, errCabSum) {
		b.walk.note(checksumMismatch, "%v", err)
		return nil
	}
	return err
}

// cabStored reads blocks that are not packed.
type cabStored struct {
	blocks *cabBlocks
	data   []byte
	err    error
}

func (s *cabStored) Read(p []byte) (int, error) {
	for len(s.data) == 0 && s.err == nil {
		s.data, s.err = s.blocks.next()
		s.err = s.blocks.noteSum(s.err)
	}
	if len(s.data) == 0 {
		return 0, s.err
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// mszip reads blocks packed by MSZIP (MS-MCI): deflate, each block with its end,
// over a window that goes on from block to block.
type mszip struct {
	blocks  *cabBlocks
	budget  *Budget
	inflate *inflate.Reader // nil between blocks
	reader  *inflate.Reader // reused, and so is in
	in      *bufio.Reader
	window  []byte // the end of what was unpacked
}

const (
	mszipWindow = 32 << 10
	mszipMark   = "CK"
)

func (z *mszip) Read(p []byte) (int, error) {
	for {
		if z.inflate == nil {
			if err := z.open(); err != nil {
				return 0, err
			}
		}
		n, err := z.inflate.Read(p[:min(len(p), mszipWindow)])
		z.keep(p[:n])
		if err == io.EOF {
			z.inflate, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, unexpected(err)
		}
	}
}

// open begins with the next block.
func (z *mszip) open() error {
	data, err := z.blocks.next()
	if err = z.blocks.noteSum(err); err != nil && len(data) == 0 {
		return err
	}
	if !hasAny(data, mszipMark) {
		return fmt.Errorf("a block without the mark of MSZIP")
	}
	if z.reader == nil {
		z.in, z.reader = bufio.NewReader(nil), new(inflate.Reader)
	}
	z.in.Reset(bytes.NewReader(data[len(mszipMark):]))
	z.reader.Reset(z.in, z.window, z.budget.Inflated)
	z.inflate = z.reader
	return nil
}

// keep remembers what was unpacked as far as the next block may refer to it.
func (z *mszip) keep(b []byte) {
	z.window = append(z.window, b...)
	if over := len(z.window) - mszipWindow; over > mszipWindow {
		z.window = append(z.window[:0], z.window[over:]...)
	}
}
