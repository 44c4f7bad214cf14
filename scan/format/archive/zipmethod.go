package archive

import (
	"bufio"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/milterscan/milterscan/scan/format/inflate"
)

// decoder unpacks the data of a reading. Used says how many packed bytes were
// consumed; it is nil where the method cannot tell.
func (r *zipReader) decoder(z zipReading) (src io.Reader, used func() int64, err error) {
	r.cost = codecOf[z.method]
	if z.method == 0 {
		return &exactly{z.open(), z.length}, nil, nil
	}
	raw := &counted{r: r.feed(z.open())}
	in := r.buffer(raw)
	used = func() int64 { return raw.n - int64(in.Buffered()) }
	switch z.method {
	case 8:
		r.inflate.Reset(in, nil, r.budget.Inflated)
		return r.inflate, used, nil
	case 9:
		return newInflate64(in), used, nil
	case 12:
		src, err = bzip2.NewReader(in), r.windows.take(bzip2Memory)
	case 14:
		src, err = r.lzma(in, z.m.Size)
	case 20, 93:
		src, err = r.zstd(in)
	case 95:
		src = newUnxz(in, r.windows)
	default:
		err = errMethod(z.method)
	}
	return src, nil, err
}

// codecOf is what the methods cost.
var codecOf = map[uint16]codec{8: codecDeflate, 9: codecBits, 12: codecSorted, 14: codecLZMA, 20: codecFast, 93: codecFast, 95: codecLZMA}

// zipWindow is the largest dictionary for a member of a zip: zips are read in the
// daemon itself. It is what zip programs use for files of that size, and LZMA
// needs no more than the member's size.
const zipWindow = 16 << 20

// bzip2Memory is what the decoder allocates for a block, in bytes.
const bzip2Memory = 4 * 900_000

// zstd opens methods 20 and 93.
func (r *zipReader) zstd(in *bufio.Reader) (io.Reader, error) {
	start, _ := in.Peek(zstd.HeaderMaxSize)
	if err := r.windows.take(zstdWindow(start, r.windows.most)); err != nil {
		return nil, err
	}
	return openZstd(in, uint64(r.windows.most))
}

// zstdWindow returns the window of the first frame, or most where it does not say.
func zstdWindow(start []byte, most int64) int64 {
	var h zstd.Header
	if err := h.Decode(start); err != nil || h.Skippable {
		return most
	}
	if h.SingleSegment {
		h.WindowSize = h.FrameContentSize
	}
	return int64(min(h.WindowSize, 1<<40))
}

// lzma opens method 14, APPNOTE 5.8: version and length of the properties,
// then properties and dictionary, then the stream.
func (r *zipReader) lzma(in *bufio.Reader, size int64) (io.Reader, error) {
	var h [9]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return nil, unexpected(err)
	}
	if le16(h[2:]) != 5 {
		return nil, fmt.Errorf("LZMA properties of %d bytes are %w", le16(h[2:]), errUnsupported)
	}
	// Whether the size or a mark ends the stream is a flag; with neither size nor
	// mark the end of the data does.
	return openLZMA(binary.LittleEndian.AppendUint64(h[4:], uint64(size)), in, r.windows)
}

// buffer returns a reader that hands out single bytes, which lets decoders stop
// exactly at their end.
func (r *zipReader) buffer(src io.Reader) *bufio.Reader {
	r.in.Reset(src)
	return r.in
}

// inflater is what most members are read with: large, and so used again.
type inflater struct {
	in      *bufio.Reader
	inflate *inflate.Reader
}

// inflaters holds the inflaters that are not in use at present.
var inflaters = sync.Pool{New: func() any { return &inflater{bufio.NewReaderSize(nil, 1<<15), new(inflate.Reader)} }}

// giveBack lets other archives use it.
func (i *inflater) giveBack() {
	i.in.Reset(nil)
	i.inflate.Reset(nil, nil, nil)
	inflaters.Put(i)
}

// exactly reads n bytes of r; fewer are an error.
type exactly struct {
	r io.Reader
	n int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.n)])
	e.n -= int64(n)
	if e.n > 0 {
		err = unexpected(err)
	}
	return n, err
}
