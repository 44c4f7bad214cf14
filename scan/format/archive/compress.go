package archive

import (
	"bufio"
	"context"
	"errors"
	"io"
)

// compressFormat reads the .Z files of compress(1).
type compressFormat struct{}

func (compressFormat) Name() string { return "compress" }

func (compressFormat) Match(head []byte, _ Content) bool {
	return len(head) >= 3 && hasAny(head, "\x1f\x9d") && head[2]&0x60 == 0 && head[2]&0x1f >= lzwInitial && head[2]&0x1f <= lzwMaximal
}

func (compressFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.cost = codecBits
	var head [3]byte
	c.ReadAt(head[:], 0)
	body := bufio.NewReader(w.feed(io.NewSectionReader(c, 3, max(0, c.Size()-3))))
	return w.end(w.member(Member{Size: -1}, newUncompress(body, head[2])))
}

// Widths of compress's codes in bits, and the code that empties its table where
// there is one.
const (
	lzwInitial = 9
	lzwMaximal = 16
	lzwClear   = 256
)

// uncompress undoes the LZW of compress: codes grow from 9 bits to a maximum, and
// come in groups of eight, the rest of which is void when the width changes.
type uncompress struct {
	in       *bufio.Reader
	maxWidth uint
	block    bool // lzwClear means clear
	width    uint
	bits     uint32
	have     uint // bits in bits
	group    uint // bits read since the width was set
	next     int  // code that is given out next
	previous int  // code read before, -1 after a clear
	first    byte // first byte of the previous code's text
	prefix   [1 << lzwMaximal]uint16
	suffix   [1 << lzwMaximal]byte
	out      []byte // text not handed out yet, reversed
	err      error
}

func newUncompress(in *bufio.Reader, flags byte) *uncompress {
	u := &uncompress{in: in, maxWidth: uint(flags & 0x1f), block: flags&0x80 != 0}
	for i := range lzwClear {
		u.suffix[i] = byte(i)
	}
	u.reset()
	return u
}

func (u *uncompress) reset() {
	u.width, u.previous, u.next = lzwInitial, -1, lzwClear
	if u.block {
		u.next++
	}
}

func (u *uncompress) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(u.out) == 0 {
			if u.err == nil {
				u.err = u.step()
			}
			if u.err != nil {
				return n, u.err
			}
			continue
		}
		p[n] = u.out[len(u.out)-1]
		u.out = u.out[:len(u.out)-1]
		n++
	}
	return n, nil
}

var errLZW = errors.New("code out of order")

// step reads one code and puts its text into out.
func (u *uncompress) step() error {
	code, err := u.code()
	if err != nil {
		return err
	}
	if code == lzwClear && u.block {
		u.skipGroup()
		u.reset()
		return nil
	}
	if u.previous < 0 && code > 0xff || code > u.next {
		return errLZW
	}
	u.expand(code)
	if u.previous >= 0 && u.next < 1<<u.maxWidth {
		u.prefix[u.next], u.suffix[u.next] = uint16(u.previous), u.first
		u.next++
	}
	u.previous = code
	u.widen()
	return nil
}

// expand writes the text of a code. A code that is about to be given out is
// for the previous text and its own first byte.
func (u *uncompress) expand(code int) {
	if code == u.next {
		u.out = append(u.out, u.first)
		code = u.previous
	}
	for code > 0xff {
		u.out = append(u.out, u.suffix[code])
		code = int(u.prefix[code])
	}
	u.first = byte(code)
	u.out = append(u.out, u.first)
}

// widen makes codes longer once the table needs it.
func (u *uncompress) widen() {
	if u.next >= 1<<u.width && u.width < u.maxWidth {
		u.skipGroup()
		u.width++
	}
}

// skipGroup skips the rest of a group of eight codes.
func (u *uncompress) skipGroup() {
	group := 8 * u.width
	if rest := (group - u.group%group) % group; rest > u.have {
		u.in.Discard(int(rest-u.have) / 8)
	}
	u.bits, u.have, u.group = 0, 0, 0
}

// code reads the next code, lowest bit first. Bits short of a code at the end are
// padding.
func (u *uncompress) code() (int, error) {
	for u.have < u.width {
		b, err := u.in.ReadByte()
		if err != nil {
			return 0, err
		}
		u.bits |= uint32(b) << u.have
		u.have += 8
	}
	code := u.bits & (1<<u.width - 1)
	u.bits >>= u.width
	u.have -= u.width
	u.group += u.width
	return int(code), nil
}
