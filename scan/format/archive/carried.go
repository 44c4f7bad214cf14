package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// carriedFormat finds the files that pages, pictures, style sheets and other texts
// of the web carry as data: addresses (RFC 2397): a click saves them, or they are
// shown in their place. Whatever the text is, an address counts where a value may
// begin.
type carriedFormat struct{}

func (carriedFormat) Name() string { return "carried" }

// Match asks for a text in which a data: address may be.
func (carriedFormat) Match(head []byte, c Content) bool {
	if order, _ := wide(head); order != nil {
		return mayCarry(narrowed(head)) || bytes.IndexByte(narrowed(head), '<') >= 0
	}
	return isTextual(head) && mayCarryIn(c) && !(calendarFormat{}).Match(head, c)
}

// mayCarryIn reports whether "data:" may be in a content.
func mayCarryIn(c Content) bool {
	const overlap = 64
	err := scratch.Windows(c, 0, overlap, func(b []byte, _ int64) error {
		if mayCarry(b) {
			return errFound
		}
		return nil
	})
	return errors.Is(err, errFound)
}

var errFound = errors.New("found")

// isTextual reports whether content that begins with head may be a text, with a
// few bytes in it that texts do not have.
func isTextual(head []byte) bool {
	if hasAny(bytes.TrimLeft(head, " \t\r\n"), pdfMagic, `{\rt`) {
		return false
	}
	odd, rest := 0, head
	for ; len(rest) >= 8; rest = rest[8:] {
		if hasControl(binary.LittleEndian.Uint64(rest)) {
			odd += oddIn(rest[:8])
		}
	}
	return 32*(odd+oddIn(rest)) <= len(head)
}

// hasControl reports whether one of eight bytes is below the blank.
func hasControl(word uint64) bool {
	const each = 0x0101010101010101
	return (word-' '*each)&^word&(0x80*each) != 0
}

// oddIn counts the bytes that texts do not have.
func oddIn(b []byte) (n int) {
	for _, c := range b {
		if c < '\t' || c > '\r' && c < ' ' && c != 0x1b {
			n++
		}
	}
	return n
}

// mayCarry reports whether "data:" is in a text, as it is or with letters of it
// written as references.
func mayCarry(b []byte) bool {
	return anyAt(b, ':', func(at int) bool { return endsInData(b[:at]) }) ||
		anyAt(b, '&', func(at int) bool {
			c, _, ok := reference(b[at:])
			return ok && (c <= ' ' || strings.IndexByte("DATAdata:", c) >= 0)
		})
}

// anyAt reports whether a place of c in b fits.
func anyAt(b []byte, c byte, fits func(at int) bool) bool {
	for at := 0; at < len(b); at++ {
		if b[at] != c {
			next := bytes.IndexByte(b[at:], c)
			if next < 0 {
				return false
			}
			at += next
		}
		if fits(at) {
			return true
		}
	}
	return false
}

// endsInData reports whether b ends in "data", whatever blanks are in it.
func endsInData(b []byte) bool {
	left, blanks := len("data"), 0
	for i := len(b) - 1; i >= 0 && left > 0 && blanks < 32; i-- {
		switch c := b[i]; {
		case c == '\t' || c == '\r' || c == '\n':
			blanks++
		case c|0x20 == "data"[left-1]:
			left, blanks = left-1, 0
		default:
			return false
		}
	}
	return left == 0
}

func (carriedFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.apart = true
	text, err := w.plain()
	if err != nil {
		return w.end(err)
	}
	err = w.carriedIn(text)
	if order, _ := wide(piece(c, 0, HeadSize)); order != nil && err == nil {
		err = w.carriedIn(c) // a client that believes the header more than a byte order mark
	}
	return w.end(err)
}

// carriedIn hands over the files of a text whose ASCII characters are single bytes.
func (w *walk) carriedIn(text Content) error {
	s := &dataSeeker{ctx: w.ctx, text: newLooseText(text, 0, text.Size()), most: w.budget.Left().Entries + 1}
	if err := s.seek(); err != nil {
		return err
	}
	seen := map[uint64]bool{}
	for _, f := range s.found {
		if err := w.carried(text, f, seen); err != nil {
			return err
		}
	}
	return nil
}

// shortData bounds the data that is looked at before it becomes a member, in bytes
// as they are in the text.
const shortData = 6 << 10

// carried hands over a file, unless it is one that was handed over before or a
// small picture that holds nothing but itself.
func (w *walk) carried(text Content, f dataFound, seen map[uint64]bool) error {
	src := func() io.Reader {
		return f.decode(newLooseText(text, f.start, f.end))
	}
	if f.end-f.start <= shortData {
		b, err := io.ReadAll(src())
		if err != nil || len(b) == 0 {
			return nil
		}
		sum := maphash.Bytes(w.seed, append(bytes.Clone(b), f.member().name()...))
		if seen[sum] || !f.saved && isPlainPicture(b) {
			return nil
		}
		seen[sum] = true
	}
	return w.member(f.member(), src())
}

// isPlainPicture reports whether b is a small picture from its first byte to its
// last, as pages have dozens of: bullets, spacers, logos.
func isPlainPicture(b []byte) bool {
	if bytes.Contains(b, []byte("PK\x03\x04")) || bytes.Contains(b, []byte("<")) {
		return false
	}
	switch {
	case hasAny(b, "GIF87a", "GIF89a"):
		return b[len(b)-1] == ';'
	case hasAny(b, "\x89PNG\r\n\x1a\n"):
		return wholePNG(b[8:])
	case hasAny(b, "\xff\xd8\xff"):
		return bytes.HasSuffix(b, []byte("\xff\xd9"))
	}
	return false
}

// wholePNG reports whether b is chunks up to the last one, and nothing else (PNG,
// third edition, section 5.3).
func wholePNG(b []byte) bool {
	for len(b) >= 12 {
		n := int64(be32(b))
		kind := string(b[4:8])
		if n > int64(len(b)-12) {
			return false
		}
		if b = b[12+n:]; kind == "IEND" {
			return len(b) == 0
		}
	}
	return false
}

// looseText reads a text and undoes the references of HTML to ASCII characters.
type looseText struct {
	in    *bufio.Reader
	at    int64 // of the next byte
	from  int64 // of the last one that was read
	coded bool  // that was a reference
}

func newLooseText(c Content, from, to int64) *looseText {
	return &looseText{in: bufio.NewReaderSize(io.NewSectionReader(c, from, to-from), 16<<10), at: from}
}

// ReadByte reads as io.ByteReader says.
func (t *looseText) ReadByte() (byte, error) {
	c, err := t.in.ReadByte()
	if err != nil {
		return 0, err
	}
	t.from, t.coded = t.at, false
	t.at++
	if c != '&' {
		return c, nil
	}
	rest, _ := t.in.Peek(longestReference)
	if d, n, ok := reference(append([]byte{'&'}, rest...)); ok {
		t.in.Discard(n - 1)
		t.at += int64(n - 1)
		t.coded = true
		return d, nil
	}
	return c, nil
}
