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
	"strings"
	"unicode"
)

// cpioFormat reads cpio in its four dialects: old binary in both byte orders,
// POSIX.1 odc, and the new portable format with and without checksums.
type cpioFormat struct{}

// cpioMark is what the dialects in ASCII begin with.
const cpioMark = "07070"

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

func (cpioFormat) suffixes() []string { return []string{".cpio"} }

func (cpioFormat) inside(c Content, taken Places) bool { return cpioBegin(c, taken) >= 0 }

// cpioBegin returns where an archive begins: at the first byte, or after what cpio(1)
// skips as junk. It is -1 if there is none within sfxSize.
func cpioBegin(c Content, taken Places) int64 {
	if (cpioFormat{}).Match(piece(c, 0, HeadSize), c) && !taken.hold(0) {
		return 0
	}
	first := int64(-1)
	for _, mark := range [...]string{cpioMark, "\xc7\x71", "\x71\xc7"} {
		at := eachBegin(c, 0, mark, 0, func(head []byte, at int64) bool {
			return cpioKind(head) && !taken.hold(at) && cpioMember(c, head, at)
		})
		if first < 0 || at >= 0 && at < first {
			first = at
		}
	}
	return first
}

// cpioKind reports, of what begins with two bytes for a mark, whether the kind of a file
// comes after them: two bytes are soon found.
func cpioKind(head []byte) bool {
	if len(head) < 26 || head[0] == '0' {
		return len(head) >= 26
	}
	high := head[7]
	if head[0] == 0x71 {
		high = head[6]
	}
	kind := int64(high) << 8 & cpioType
	return kind == cpioFile || kind == cpioDir || kind == cpioSymlink
}

// cpioMember reports whether a header is that of a file, directory or link with a name,
// and all of it there.
func cpioMember(c Content, head []byte, at int64) bool {
	h, ok := cpioFields(head)
	switch kind := h.mode & cpioType; {
	case !ok || kind != cpioFile && kind != cpioDir && kind != cpioSymlink:
		return false
	case h.name < 2 || h.name > maxName || h.size > c.Size()-at:
		return false
	}
	name, rest, ok := cstring(piece(c, at+h.fixed, h.name))
	return ok && len(rest) == 0 && !strings.ContainsFunc(name, unicode.IsControl)
}

func (cpioFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	at := max(0, cpioBegin(c, nil))
	if at > 0 {
		w.note(prefixed, "by %d bytes", at)
	}
	r := &cpioReader{in: bufio.NewReader(io.NewSectionReader(c, at, c.Size()-at))}
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

// cpioLongest is the longest of the headers, in bytes.
const cpioLongest = 110

// The file types of cpio's mode.
const (
	cpioType    = 0o170000
	cpioFile    = 0o100000
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
	head, err := r.in.Peek(cpioLongest)
	h, ok := cpioFields(head)
	switch {
	case !ok && len(head) < cpioLongest && err != nil:
		return h, err
	case !ok:
		return h, fmt.Errorf("%w: %.26q", errCpio, head)
	}
	r.in.Discard(int(h.fixed))
	h.text, err = r.name(h)
	return h, err
}

// cpioFields reads a header up to the name: one of octal numbers, 6 or 11 digits long; one
// of hexadecimal numbers, 8 digits long; or one of words.
func cpioFields(b []byte) (h cpioHeader, ok bool) {
	switch {
	case len(b) >= 76 && hasAny(b, "070707"):
		h.fixed, h.pad = 76, 1
		return h, numbers(8, b, field{&h.mode, 18, 24}, field{&h.name, 59, 65}, field{&h.size, 65, 76})
	case len(b) >= cpioLongest && hasAny(b, "070701", "070702"):
		h.fixed, h.pad = cpioLongest, 4
		return h, numbers(16, b, field{&h.mode, 14, 22}, field{&h.size, 54, 62}, field{&h.name, 94, 102})
	case len(b) >= 26 && hasAny(b, "\xc7\x71", "\x71\xc7"):
		return binaryHeader(b), true
	}
	return h, false
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

// field is a number in text.
type field struct {
	to       *int64
	from, up int
}

func numbers(base int, b []byte, fields ...field) bool {
	for _, f := range fields {
		n, err := strconv.ParseUint(string(b[f.from:f.up]), base, 62)
		if err != nil {
			return false
		}
		*f.to = int64(n)
	}
	return true
}
