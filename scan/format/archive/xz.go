package archive

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/milterscan/milterscan/scan/format/lzma"
)

// xzFormat reads xz (The .xz File Format 1.2). The container is read here, so
// that the dictionary of every block is known before a decoder allocates it.
type xzFormat struct{}

const xzMagic = "\xfd7zXZ\x00"

func (xzFormat) Name() string { return "xz" }

func (xzFormat) Match(head []byte, _ Content) bool { return hasAny(head, xzMagic) }

func (xzFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecLZMA
	x := newUnxz(bufio.NewReader(w.feed(w.skip(c, xzBegin(c, nil)))), newWindows(b, int64(maxWindow)))
	return w.end(w.stream(Member{Size: -1}, x, &x.state))
}

// unxz reads the streams of an xz file as one.
type unxz struct {
	in     *counted
	buf    *bufio.Reader
	window *windows
	state  streamState
	check  byte // kind of the blocks' checksums
	sum    hash.Hash
	block  *lzma.Reader // nil between blocks
	began  int64        // where the block's data began
	open   bool         // inside a stream
}

func newUnxz(r *bufio.Reader, window *windows) *unxz {
	return &unxz{in: &counted{r: r}, buf: r, window: window}
}

var errXZ = errors.New("not an xz stream")

// Read returns the bytes of all blocks of all streams.
func (x *unxz) Read(p []byte) (int, error) {
	for {
		if x.block == nil {
			if err := x.nextBlock(); err != nil {
				return 0, err
			}
		}
		n, err := x.block.Read(p)
		x.sum.Write(p[:n])
		if err == io.EOF {
			x.in.n += x.block.Taken()
			x.block, err = nil, x.endBlock()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// nextBlock opens the next block, of this stream or the next; io.EOF is the end
// of the last stream.
func (x *unxz) nextBlock() error {
	for {
		if !x.open {
			if err := x.header(); err != nil {
				return err
			}
		}
		size, err := x.buf.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		x.in.n++
		if size != 0 {
			return x.openBlock(size)
		}
		if err := x.endStream(); err != nil {
			return err
		}
	}
}

// header reads a stream header, section 2.1.1, after any padding.
func (x *unxz) header() error {
	if x.state.streams > 0 {
		if err := x.padding(); err != nil {
			return err
		}
	}
	h, err := x.take(12)
	if err != nil {
		return err
	}
	if !hasAny(h, xzMagic) {
		return errXZ
	}
	x.state.streams++
	x.check, x.open = h[7]&15, true
	return nil
}

// padding reads zeros between streams, section 2.2.
func (x *unxz) padding() error {
	for {
		next, err := x.buf.Peek(1)
		if err != nil {
			return io.EOF
		}
		if next[0] != 0 {
			mark, _ := x.buf.Peek(len(xzMagic))
			if !hasAny(mark, xzMagic) {
				x.state.trailing = true
				return io.EOF
			}
			return nil
		}
		x.buf.Discard(1)
	}
}

// openBlock reads a block header, section 3.1, whose first byte was size.
func (x *unxz) openBlock(size byte) error {
	h, err := x.take(int64(size)*4 + 3)
	if err != nil {
		return err
	}
	flags, fields := h[0], bytes.NewReader(h[1:len(h)-4])
	var sizes [2]uint64 // packed and unpacked; xzBad where it is not said
	for i, present := range []byte{0x40, 0x80} {
		if sizes[i] = xzBad; flags&present != 0 {
			sizes[i] = xzNumber(fields)
		}
	}
	if flags&3 != 0 {
		return fmt.Errorf("filters before LZMA2 are %w", errUnsupported)
	}
	id, props := xzNumber(fields), xzNumber(fields)
	code, err := fields.ReadByte()
	if id != 0x21 || props != 1 || err != nil {
		return fmt.Errorf("filter %#x is %w", id, errUnsupported)
	}
	return x.openLZMA2(code, int64(sizes[1]))
}

// openLZMA2 opens a block of that size. The dictionary need be no larger.
func (x *unxz) openLZMA2(code byte, size int64) error {
	dict, err := lzma.Dictionary(code)
	dict = min(dict, size)
	if err == nil {
		err = x.window.take(dict)
	}
	if err != nil {
		return err
	}
	x.began, x.sum = x.in.n, xzCheck(x.check)
	x.block = lzma.NewReader2(x.buf, dict, x.window.steps)
	return nil
}

// xzCheck returns the hash of a kind of check, section 2.1.1.2; kinds that are not
// known have none.
func xzCheck(kind byte) hash.Hash {
	switch kind {
	case 1:
		return crc32.NewIEEE()
	case 4:
		return crc64.New(crc64.MakeTable(crc64.ECMA))
	case 10:
		return sha256.New()
	}
	return noHash{}
}

// noHash is the checksum of what has none.
type noHash struct{ hash.Hash }

func (noHash) Write(p []byte) (int, error) { return len(p), nil }

// endBlock reads the padding and the check after a block's data, section 3.
func (x *unxz) endBlock() error {
	if _, err := x.take((4 - (x.in.n-x.began)%4) % 4); err != nil {
		return err
	}
	sizes := [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}
	check, err := x.take(sizes[x.check])
	if err != nil {
		return err
	}
	if _, none := x.sum.(noHash); none {
		return nil
	}
	want := x.sum.Sum(nil)
	if x.check != 10 { // the CRCs are stored lowest byte first
		for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
			want[i], want[j] = want[j], want[i]
		}
	}
	if !bytes.Equal(want, check) {
		x.state.wrong++
	}
	return nil
}

// endStream reads the index and the footer, sections 4 and 2.1.2, the index's
// first byte having been read. What they say adds nothing to the data.
func (x *unxz) endStream() error {
	began := x.in.n - 1
	records := xzNumber(byteCounter{x})
	for range 2 * records {
		if xzNumber(byteCounter{x}) == xzBad {
			return io.ErrUnexpectedEOF
		}
	}
	if _, err := x.take((4-(x.in.n-began)%4)%4 + 4 + 12); err != nil {
		return err
	}
	x.open = false
	return nil
}

// take reads n bytes.
func (x *unxz) take(n int64) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(x.in, b)
	return b, unexpected(err)
}

// byteCounter reads single bytes and counts them.
type byteCounter struct{ x *unxz }

func (b byteCounter) ReadByte() (byte, error) {
	c, err := b.x.buf.ReadByte()
	if err == nil {
		b.x.in.n++
	}
	return c, err
}

// xzBad is the number read where there is none.
const xzBad = 1<<63 - 1

// xzNumber reads a number of up to nine bytes, section 1.2; xzBad if there is
// none.
func xzNumber(r io.ByteReader) uint64 {
	var n uint64
	for shift := 0; shift < 63; shift += 7 {
		c, err := r.ReadByte()
		if err != nil {
			return xzBad
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	return xzBad
}
