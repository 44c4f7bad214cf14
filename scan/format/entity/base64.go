package entity

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/segmentio/asm/base64"
	"golang.org/x/sys/cpu"
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
// pairs, represent 62 and 63.
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

// base64Reading is a way in which clients take damaged base64.
type base64Reading int

const (
	decodeOn      base64Reading = iota // "=" ends the quantum, and decoding goes on, as in most clients
	stopAtPadding                      // "=" ends the body
	ignorePadding                      // "=" is junk
	wholeLines                         // lines with junk in them are no base64, nor those before the first of whole quanta
	eachLine                           // each line begins a quantum
)

// base64Decoder undoes base64 (RFC 2045, section 6.8) as clients do: bytes
// outside the alphabet are skipped, missing padding is no matter, and after
// padding it decodes on.
type base64Decoder struct {
	*ledger
	digits    *base64Digits
	reading   base64Reading
	quantum   uint32 // the digits of a quantum begun, in their places
	n         int    // how many
	padded    bool   // padding was met
	stopped   bool
	tail      bool        // text, as a list server's footer, was met after padding
	seen      base64Shape // of all lines before padding that are not plain
	lines     int         // before padding, empty ones not counted
	width     int         // of the last line of whole quanta, without its CRLF
	textFirst bool        // the first line that is not empty looks like text
	within    bool        // the line goes on: a fragment of it was decoded
	begun     bool        // a line of whole quanta was met
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
	if d.reading == wholeLines && !d.isWhole(line) {
		d.inspect(line)
		return dst
	}
	dst = d.digitsOf(dst, line)
	d.within = line[len(line)-1] != '\n'
	if d.reading == eachLine && !d.within {
		dst = d.flush(dst)
	}
	return dst
}

// isWhole reports whether a line belongs to the base64 for clients that take whole
// lines only. A long one that lacks its padding begins it as well.
func (d *base64Decoder) isWhole(line []byte) bool {
	s := base64ShapeOf(bytes.TrimRight(line, " \t\r\n"))
	if !s.clean() {
		return false
	}
	d.begun = d.begun || s.digits >= sentence || s.digits > 0 && (s.digits+s.pads)%4 == 0
	return d.begun
}

// digitsOf decodes a line, or a fragment of one.
func (d *base64Decoder) digitsOf(dst, line []byte) []byte {
	used := 0
	if d.n == 0 && !d.padded {
		dst, used = d.quanta(dst, line)
		if rest := line[used:]; used > 0 && (len(rest) == 0 || string(rest) == "\r\n" || string(rest) == "\n") {
			d.lines++
			d.width = 0
			if len(rest) == len("\r\n") && used <= longestLine {
				d.width = used
			}
			if d.textFirst {
				d.note("base64-text-before", 0, len(line))
			}
			return dst
		}
	}
	d.inspect(line)
	return d.bytes(dst, line[used:])
}

// block decodes, from the start of src, lines as long as the last one that hold
// whole quanta and nothing else, and returns how much of src that was. Such lines
// need not be looked for.
func (d *base64Decoder) block(dst, src []byte) ([]byte, int) {
	w := d.width
	if w == 0 || d.n > 0 || d.padded || d.stopped || d.textFirst {
		return dst, 0
	}
	lines := 0
	for at := w; at+1 < len(src) && src[at] == '\r' && src[at+1] == '\n'; at += w + 2 {
		lines++
	}
	dst, plain := d.joined(dst, src, lines)
	for plain < lines {
		at := plain * (w + 2)
		more, used := d.quanta(dst, src[at:at+w])
		if used < w {
			break
		}
		dst = more
		plain++
	}
	d.lines += plain
	return dst, plain * (w + 2)
}

// vectors reports whether base64 is decoded with the vector instructions of the
// processor.
var vectors = cpu.X86.HasAVX2 || cpu.ARM64.HasASIMD

// joined decodes the lines at the start of src without the line ends between them,
// and returns how many it did: all, or none if there is anything but digits in
// them. The lines are put together where the buffer of dst is not used yet.
func (d *base64Decoder) joined(dst, src []byte, lines int) ([]byte, int) {
	w := d.width
	digits, size := lines*w, lines*w/4*3
	if !vectors || d.digits != &standardDigits || lines < fewestJoined {
		return dst, 0
	}
	dst = slices.Grow(dst, size+digits)
	room := dst[len(dst):cap(dst)]
	together := room[size:size]
	for at := 0; len(together) < digits; at += w + 2 {
		together = append(together, src[at:at+w]...)
	}
	if n, err := base64.StdEncoding.Decode(room[:size], together); n < size || err != nil {
		return dst, 0
	}
	return dst[:len(dst)+size], lines
}

// fewestJoined is how many lines are worth being put together.
const fewestJoined = 4

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

// padding treats one "=" as the reading says.
func (d *base64Decoder) padding(dst []byte) []byte {
	switch d.reading {
	case ignorePadding:
		return dst
	case stopAtPadding:
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
