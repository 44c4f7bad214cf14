package archive

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/milterscan/milterscan/scan/format/lzma"
	"github.com/milterscan/milterscan/scan/scratch"
)

// lzmaFormat reads the .lzma files of LZMA Utils. They have no mark: a header
// that a common tool would write is taken for one, any other only by its name.
type lzmaFormat struct{}

// lzmaHeader is the length of the header: properties, dictionary and size.
const lzmaHeader = 13

func (lzmaFormat) Name() string { return "lzma" }

func (lzmaFormat) suffixes() []string { return []string{".lzma", ".tlz"} }

func (lzmaFormat) Match(head []byte, _ Content) bool {
	if len(head) < lzmaHeader+5 || head[0] != 0x5d || head[lzmaHeader] != 0 {
		return false
	}
	dict, size := le32(head[1:]), le64(head[5:])
	rest := dict & (dict - 1) // without its lowest bit: tools write at most two
	return dict >= lzma.MinWindow && rest&(rest-1) == 0 && (size == 1<<64-1 || size < 1<<38)
}

func (lzmaFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecLZMA
	in := bufio.NewReader(w.feed(scratch.Reader(c)))
	if head, err := in.Peek(lzmaHeader); err != nil {
		w.note(damagedContainer, "header: %v after %d bytes", unexpected(err), len(head))
		return w.end(nil)
	}
	u := &unlzma{in: in, window: newWindows(b, int64(maxWindow))}
	return w.end(w.stream(Member{Size: -1}, u, &u.state))
}

// unlzma reads the streams of an .lzma file as one, as 7-Zip does.
type unlzma struct {
	in     *bufio.Reader
	window *windows
	state  streamState
	r      io.Reader
}

func (u *unlzma) Read(p []byte) (int, error) {
	for {
		if u.r == nil {
			if err := u.next(); err != nil {
				return 0, err
			}
		}
		n, err := u.r.Read(p)
		if err == io.EOF {
			u.r, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next opens the next stream; io.EOF after the last.
func (u *unlzma) next() error {
	ahead, _ := u.in.Peek(lzmaHeader + 1)
	if u.state.streams > 0 && !goesOnAsLZMA(ahead) {
		u.state.trailing = len(ahead) > 0
		return io.EOF
	}
	u.state.streams++
	head := make([]byte, lzmaHeader)
	_, err := io.ReadFull(u.in, head)
	if err == nil {
		u.r, err = openLZMA(head, u.in, u.window)
	}
	return unexpected(err)
}

// goesOnAsLZMA reports whether another stream begins: with possible properties and size, and
// the zero that is the first byte of any data.
func goesOnAsLZMA(b []byte) bool {
	const properties, largest = 9 * 5 * 5, 1 << 56
	if len(b) <= lzmaHeader || b[0] >= properties || b[lzmaHeader] != 0 {
		return false
	}
	size := le64(b[5:])
	return size == 1<<64-1 || size < largest
}

// openLZMA returns the unpacked stream after a .lzma header. The dictionary need
// never be larger than the unpacked data.
func openLZMA(head []byte, in *bufio.Reader, w *windows) (*lzma.Reader, error) {
	dict, size := int64(le32(head[1:])), int64(le64(head[5:]))
	properties, err := lzma.ParseProperties(head[0])
	switch {
	case err != nil:
		return nil, err
	case size < -1:
		return nil, errSize
	case size >= 0:
		dict = min(dict, size)
	}
	if err := w.take(dict); err != nil {
		return nil, err
	}
	return lzma.NewReader(in, properties, dict, size, w.steps)
}

var errSize = errors.New("an impossible size")

// priceStep is what it takes to decode a bit of LZMA.
const priceStep Price = 5_500

// steps charges for bits of LZMA.
func (w *windows) steps(n int64) { w.budget.Work(n, priceStep) }

// lzipFormat reads lzip files: LZMA with fixed properties between a header of 6
// and a trailer of 20 bytes.
type lzipFormat struct{}

func (lzipFormat) Name() string { return "lzip" }

func (lzipFormat) Match(head []byte, _ Content) bool { return hasAny(head, "LZIP\x01") }

func (lzipFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecLZMA
	u := &unlzip{in: bufio.NewReader(w.feed(scratch.Reader(c))), window: newWindows(b, int64(maxWindow))}
	return w.end(w.stream(Member{Size: -1}, u, &u.state))
}

// unlzip reads the members of an lzip file as one.
type unlzip struct {
	in     *bufio.Reader
	window *windows
	state  streamState
	r      io.Reader
	sum    summed
}

func (u *unlzip) Read(p []byte) (int, error) {
	for {
		if u.r == nil {
			if err := u.next(); err != nil {
				return 0, err
			}
		}
		n, err := u.sum.Read(p)
		if err == io.EOF {
			err = u.trailer()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next opens the next member; io.EOF after the last.
func (u *unlzip) next() error {
	mark, _ := u.in.Peek(6)
	if u.state.streams > 0 && (len(mark) < 6 || !hasAny(mark, "LZIP\x01")) {
		u.state.trailing = len(mark) > 0
		return io.EOF
	}
	if len(mark) < 6 {
		return io.ErrUnexpectedEOF
	}
	u.in.Discard(6)
	u.state.streams++
	// Five bits are a power of two, the rest sixteenths to take off it.
	dict := uint32(1) << (mark[5] & 31)
	dict -= dict / 16 * uint32(mark[5]>>5)
	head := append([]byte{0x5d}, binary.LittleEndian.AppendUint32(nil, dict)...)
	head = append(head, "\xff\xff\xff\xff\xff\xff\xff\xff"...)
	r, err := openLZMA(head, u.in, u.window)
	u.r, u.sum = r, summed{r: r}
	return err
}

func (u *unlzip) trailer() error {
	var t [20]byte
	if _, err := io.ReadFull(u.in, t[:]); err != nil {
		return unexpected(err)
	}
	if le32(t[:]) != u.sum.sum {
		u.state.wrong++
	}
	u.r = nil
	return nil
}
