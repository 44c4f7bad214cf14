package entity

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// base64Digits has, for each place in a quantum, the value of each byte shifted
// to that place, or notDigit.
type base64Digits [4][256]uint32

const notDigit = 1 << 31

var (
	standardDigits = newBase64Digits('+', '/')
	urlDigits      = newBase64Digits('+', '/', '-', '_')
)

// newBase64Digits makes the tables of RFC 4648. The last digits, given in
// pairs, stand for 62 and 63.
func newBase64Digits(last ...byte) (t base64Digits) {
	values := [256]uint32{}
	for c := range values {
		values[c] = notDigit
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") {
		values[c] = uint32(i)
	}
	for i, c := range last {
		values[c] = 62 + uint32(i%2)
	}
	for place := range t {
		for c, v := range values {
			t[place][c] = v
			if v != notDigit {
				t[place][c] = v << (18 - 6*place)
			}
		}
	}
	return t
}

// paddingRule is what a decoder does at "=".
type paddingRule int

const (
	restart paddingRule = iota // end the quantum and decode on, as most clients do
	stop                       // end the body
	ignore                     // take it for junk
)

// base64Decoder undoes base64 (RFC 2045, section 6.8) as clients do: bytes
// outside the alphabet are skipped, missing padding is no matter, and after
// padding it decodes on.
type base64Decoder struct {
	*ledger
	digits    *base64Digits
	atPadding paddingRule
	quantum   uint32 // the digits of a quantum begun, in their places
	n         int    // how many
	padded    bool   // padding was met
	stopped   bool
	tail      bool        // text, as a list server's footer, was met after padding
	seen      base64Shape // of all lines that are not plain
	lines     int
	textFirst bool // the first line that is not empty looks like text
}

// line decodes lines that hold whole quanta and nothing else without looking
// back; that is nearly all there are.
func (d *base64Decoder) line(dst, line []byte) []byte {
	if d.stopped {
		return dst
	}
	if len(line) > longestLine+2 {
		d.note("base64-long-line", 0, len(line))
	}
	used := 0
	if d.n == 0 && !d.padded {
		dst, used = d.quanta(dst, line)
		if rest := line[used:]; used > 0 && (len(rest) == 0 || string(rest) == "\r\n" || string(rest) == "\n") {
			d.lines++
			return dst
		}
	}
	d.inspect(line)
	return d.bytes(dst, line[used:])
}

// quanta decodes whole quanta from the start of src, up to the first byte that
// is no digit, and returns how much of src that was.
func (d *base64Decoder) quanta(dst, src []byte) ([]byte, int) {
	t := d.digits
	i, j := 0, len(dst)
	dst = slices.Grow(dst, len(src)/4*3+8)
	room := dst[:cap(dst)]
	for len(src)-i >= 8 {
		s := src[i : i+8 : i+8]
		a := t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
		b := t[0][s[4]] | t[1][s[5]] | t[2][s[6]] | t[3][s[7]]
		if (a|b)&notDigit != 0 {
			break
		}
		binary.BigEndian.PutUint64(room[j:], uint64(a)<<40|uint64(b)<<16)
		i, j = i+8, j+6
	}
	for len(src)-i >= 4 {
		s := src[i : i+4 : i+4]
		a := t[0][s[0]] | t[1][s[1]] | t[2][s[2]] | t[3][s[3]]
		if a&notDigit != 0 {
			break
		}
		binary.BigEndian.PutUint32(room[j:], a<<8)
		i, j = i+4, j+3
	}
	return room[:j], i
}

// bytes decodes byte by byte, and by quanta again where one is complete.
func (d *base64Decoder) bytes(dst, src []byte) []byte {
	for i := 0; i < len(src) && !d.stopped; {
		if d.n == 0 {
			var used int
			dst, used = d.quanta(dst, src[i:])
			if i += used; i == len(src) {
				break
			}
		}
		c := src[i]
		i++
		if v := d.digits[d.n][c]; v != notDigit {
			d.quantum |= v
			d.n++
		} else if c == '=' {
			dst = d.padding(dst)
		}
		if d.n == 4 {
			dst = d.flush(dst)
		}
	}
	return dst
}

// padding is called for each "=".
func (d *base64Decoder) padding(dst []byte) []byte {
	switch d.atPadding {
	case ignore:
		return dst
	case stop:
		d.stopped = true
	}
	d.padded = true
	return d.flush(dst)
}

// flush ends the quantum: each digit after the first completes a byte.
func (d *base64Decoder) flush(dst []byte) []byte {
	for i := 1; i < d.n; i++ {
		dst = append(dst, byte(d.quantum>>(24-8*i)))
	}
	d.quantum, d.n = 0, 0
	return dst
}

func (d *base64Decoder) end(dst []byte) []byte {
	switch {
	case d.tail || d.n == 0:
	case d.n == 1:
		d.note("base64-cut", 0, 0)
	default:
		d.note("base64-no-padding", 0, 0)
	}
	if d.textFirst && d.seen.textual() && 2*d.seen.lines > d.lines {
		d.note("base64-not-encoded", 0, 0)
	}
	return d.flush(dst)
}

// base64Shape counts the bytes of lines by what they are to base64.
type base64Shape struct {
	lines, digits, url, pads, blanks, junk int

	lower  int // of the digits: lower-case letters
	binary int // of the junk: control characters and 8-bit bytes
}

func base64ShapeOf(line []byte) (s base64Shape) {
	s.lines = 1
	for _, c := range line {
		switch {
		case standardDigits[3][c] != notDigit:
			s.digits++
			s.lower += int(c >> 5 & 1 & (c >> 6))
		case c == '-' || c == '_':
			s.url++
		case c == '=':
			s.pads++
		case c == ' ' || c == '\t':
			s.blanks++
		case c != '\r' && c != '\n':
			s.junk++
			if c < ' ' || c >= 0x7f {
				s.binary++
			}
		}
	}
	return s
}

// textual reports whether lines look like text, or like a file, that nobody
// encoded. Of base64 digits, 26 in 64 are lower-case letters; of the letters of
// a text most are. Junk alone says nothing: clients skip it.
func (s base64Shape) textual() bool {
	return s.binary > s.digits || s.blanks+s.junk > 0 && s.digits >= 8 && 4*s.lower > 3*s.digits
}

func (s *base64Shape) add(o base64Shape) {
	s.lines, s.digits, s.url = s.lines+o.lines, s.digits+o.digits, s.url+o.url
	s.pads, s.blanks, s.junk = s.pads+o.pads, s.blanks+o.blanks, s.junk+o.junk
	s.lower, s.binary = s.lower+o.lower, s.binary+o.binary
}

// inspect says what is odd about a line that is not plain quanta.
func (d *base64Decoder) inspect(line []byte) {
	s := base64ShapeOf(line)
	if s == (base64Shape{lines: 1}) {
		return
	}
	d.lines++
	if d.padded {
		d.inspectTail(line, line)
		return
	}
	d.seen.add(s)
	if d.lines == 1 {
		d.textFirst = s.blanks+s.junk > 0
	}
	if before, after, found := bytes.Cut(line, []byte("=")); found {
		d.inspectPadding(before, line, after)
		s = base64ShapeOf(before)
	}
	switch {
	case s.url > 0 && s.digits > 0 && s.blanks == 0 && s.junk == 0:
		d.note("base64-url-alphabet", 0, len(line))
	case s.url > 0 || s.junk > 0:
		d.note("base64-junk", 0, len(line))
	}
	if s.blanks > 0 {
		d.note("base64-blank", 0, len(line))
	}
}

// inspectPadding looks at the first line that has padding, cut at the first "=".
func (d *base64Decoder) inspectPadding(before, line, after []byte) {
	if n := (d.n + base64ShapeOf(before).digits) % 4; n < 2 {
		d.note("base64-stray-padding", len(before), len(before)+1)
	}
	after = bytes.TrimLeft(after, "= \t")
	d.inspectTail(after, line)
}

// sentence is how long a line of digits must be to count as data once text has
// been met: longer than the words that stand alone on a line.
const sentence = 40

// inspectTail judges what follows padding: more data, which some clients decode
// and others do not, or text that a list server put below the body.
func (d *base64Decoder) inspectTail(tail, line []byte) {
	tail = bytes.TrimRight(tail, " \t\r\n")
	s := base64ShapeOf(tail)
	clean := s.blanks+s.junk+s.url == 0
	switch {
	case len(tail) == 0 || s.pads == len(tail):
	case clean && s.digits >= 4 && (!d.tail || s.digits >= sentence), s.digits > 0 && tail[len(tail)-1] == '=':
		d.note("base64-data-after-padding", len(line)-len(tail), len(line))
	case s.digits > 0 || s.url > 0 || s.junk > 0:
		d.tail = true
		d.note("base64-text-after-padding", len(line)-len(tail), len(line))
	}
}
