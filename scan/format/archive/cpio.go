package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/milterscan/milterscan/scan/scratch"
)

// cpioFormat reads cpio in its four dialects: old binary in both byte orders,
// POSIX.1 odc, and the new portable format with and without checksums.
type cpioFormat struct{}

func (cpioFormat) Name() string { return "cpio" }

func (cpioFormat) Match(head []byte, _ Content) bool {
	if hasAny(head, "070707", "070701", "070702") {
		return true
	}
	// Two bytes are little of a mark: the name must be where it belongs.
	if len(head) < 26 || !hasAny(head, "\xc7\x71", "\x71\xc7") {
		return false
	}
	h := binaryHeader(head)
	return h.name > 1 && 26+h.name <= int64(len(head)) && head[26+h.name-1] == 0
}

func (cpioFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	r := &cpioReader{in: bufio.NewReader(scratch.Reader(c))}
	for {
		h, err := r.next()
		if err == errTrailer {
			return w.end(nil)
		}
		if err != nil {
			w.note(damagedContainer, "after %d members: %v", w.count, err)
			return w.end(nil)
		}
		if err := r.visit(w, h); err != nil {
			return w.end(err)
		}
	}
}

// cpioHeader is a member's header in any dialect.
type cpioHeader struct {
	mode       int64
	name, size int64 // lengths in bytes, the name's with its NUL
	fixed      int64 // length of the header itself
	pad        int64 // what header and data are filled up to
	text       string
}

// The file types of cpio's mode.
const (
	cpioType    = 0o170000
	cpioDir     = 0o040000
	cpioSymlink = 0o120000
)

var (
	errCpio    = errors.New("no header where one must be")
	errTrailer = errors.New("trailer")
)

type cpioReader struct {
	in   *bufio.Reader
	left exactly // of the member's data
	pad  int64   // after them
}

// visit hands over the member whose header is h.
func (r *cpioReader) visit(w *walk, h cpioHeader) error {
	if h.mode&cpioType == cpioDir && h.size == 0 {
		return w.enter()
	}
	m := Member{Names: distinct(h.text), Size: h.size, Link: h.mode&cpioType == cpioSymlink}
	return w.member(m, &r.left)
}

// next skips the rest of the member before and reads the next header.
func (r *cpioReader) next() (h cpioHeader, err error) {
	if _, err = io.Copy(io.Discard, &r.left); err == nil {
		_, err = r.in.Discard(int(r.pad))
	}
	if err != nil {
		return h, unexpected(err)
	}
	if h, err = r.header(); err != nil {
		return h, unexpected(err)
	}
	if h.text == "TRAILER!!!" {
		return h, errTrailer
	}
	r.left, r.pad = exactly{r.in, h.size}, -h.size&(h.pad-1)
	return h, nil
}

func (r *cpioReader) header() (cpioHeader, error) {
	mark, err := r.in.Peek(6)
	if err != nil {
		return cpioHeader{}, err
	}
	read := map[string]func() (cpioHeader, error){"070707": r.odc, "070701": r.newc, "070702": r.newc}[string(mark)]
	if hasAny(mark, "\xc7\x71", "\x71\xc7") {
		read = r.binary
	}
	if read == nil {
		return cpioHeader{}, fmt.Errorf("%w: %q", errCpio, mark)
	}
	h, err := read()
	if err != nil {
		return h, err
	}
	h.text, err = r.name(h)
	return h, err
}

func (r *cpioReader) name(h cpioHeader) (string, error) {
	if h.name < 1 || h.name > 1<<16 {
		return "", fmt.Errorf("%w: a name of %d bytes", errCpio, h.name)
	}
	name := make([]byte, h.name)
	if _, err := io.ReadFull(r.in, name); err != nil {
		return "", err
	}
	_, err := r.in.Discard(int(-(h.fixed + h.name) & (h.pad - 1)))
	return string(bytes.TrimSuffix(name, []byte{0})), err
}

// odc reads a header of octal numbers, 6 or 11 digits long.
func (r *cpioReader) odc() (cpioHeader, error) {
	b, err := r.take(76)
	if err != nil {
		return cpioHeader{}, err
	}
	h := cpioHeader{fixed: 76, pad: 1}
	return h, numbers(8, b, field{&h.mode, 18, 24}, field{&h.name, 59, 65}, field{&h.size, 65, 76})
}

// newc reads a header of hexadecimal numbers, 8 digits long.
func (r *cpioReader) newc() (cpioHeader, error) {
	b, err := r.take(110)
	if err != nil {
		return cpioHeader{}, err
	}
	h := cpioHeader{fixed: 110, pad: 4}
	return h, numbers(16, b, field{&h.mode, 14, 22}, field{&h.size, 54, 62}, field{&h.name, 94, 102})
}

func (r *cpioReader) binary() (cpioHeader, error) {
	b, err := r.take(26)
	if err != nil {
		return cpioHeader{}, err
	}
	return binaryHeader(b), nil
}

// binaryHeader reads 13 words, in the byte order that the first shows; of two
// words that are one number the first is the high one.
func binaryHeader(b []byte) cpioHeader {
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 0x71 {
		order = binary.BigEndian
	}
	word := func(i int) int64 { return int64(order.Uint16(b[2*i:])) }
	return cpioHeader{mode: word(3), name: word(10), size: word(11)<<16 | word(12), fixed: 26, pad: 2}
}

func (r *cpioReader) take(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(r.in, b)
	return b, err
}

// field is a number in text.
type field struct {
	to       *int64
	from, up int
}

func numbers(base int, b []byte, fields ...field) error {
	for _, f := range fields {
		n, err := strconv.ParseUint(string(b[f.from:f.up]), base, 62)
		if err != nil {
			return fmt.Errorf("%w: %q", errCpio, b[f.from:f.up])
		}
		*f.to = int64(n)
	}
	return nil
}
