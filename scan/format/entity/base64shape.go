package entity

import (
	"bytes"
	"math/bits"
	"slices"
)

// base64Shape counts the bytes of lines by what they are to base64.
type base64Shape struct {
	lines, digits, url, pads, blanks, junk int

	lower  int       // of the digits: lower-case letters
	binary int       // of the junk: control characters and 8-bit bytes
	kinds  [2]uint64 // which junk, of ASCII
}

// clean reports whether the lines hold nothing but digits and padding.
func (s base64Shape) clean() bool { return s.url+s.blanks+s.junk == 0 }

// IsBase64 reports whether the beginning of a text is lines of base64 and nothing else: more
// than a word, and in letters of both cases, which no number or hash has.
func IsBase64(head []byte) bool {
	isJunk := func(c byte) bool { return standardDigits[3][c] == notDigit && c != '=' && c != '\r' && c != '\n' }
	if slices.ContainsFunc(head, isJunk) { // which most contents have early on
		return false
	}
	s := base64ShapeOf(head)
	return s.digits >= ordinaryRun && s.lower > 0 && bytes.ContainsAny(head, upperCase)
}

const upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

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
			if c < 0x80 {
				s.kinds[c>>6] |= 1 << (c & 63)
			}
			if c < ' ' || c >= 0x7f {
				s.binary++
			}
		}
	}
	return s
}

// manyKinds of junk are more than damage brings into base64.
const manyKinds = 4

// textual reports whether lines look like text, or like a file, that was not
// encoded. Of base64 digits, 26 in 64 are lower-case letters; of the letters of
// a text most are. Junk of one kind says nothing: clients skip it.
func (s base64Shape) textual() bool {
	kinds := bits.OnesCount64(s.kinds[0]) + bits.OnesCount64(s.kinds[1])
	lowerCase := s.blanks+s.junk > 0 && s.digits >= 8 && 4*s.lower > 3*s.digits
	return lowerCase || s.binary > s.digits || kinds >= manyKinds
}

func (s *base64Shape) add(o base64Shape) {
	s.lines, s.digits, s.url = s.lines+o.lines, s.digits+o.digits, s.url+o.url
	s.pads, s.blanks, s.junk = s.pads+o.pads, s.blanks+o.blanks, s.junk+o.junk
	s.lower, s.binary = s.lower+o.lower, s.binary+o.binary
	s.kinds[0], s.kinds[1] = s.kinds[0]|o.kinds[0], s.kinds[1]|o.kinds[1]
}

// inspect notes the deviations of a line that is not plain quanta.
func (d *base64Decoder) inspect(line []byte) {
	s := base64ShapeOf(line)
	if s == (base64Shape{lines: 1}) {
		return
	}
	switch {
	case isArmourChecksum(line):
		d.tail = true
		d.note("base64-text-after-padding", 0, len(line))
		return
	case d.padded:
		d.inspectTail(line, line)
		return
	}
	d.lines++
	d.seen.add(s)
	if d.n > 0 && !d.within && !d.textFirst && s.digits >= 4 && !s.textual() {
		d.note("base64-uneven-line", 0, len(line))
	}
	if d.lines == 1 {
		d.textFirst = s.blanks+s.junk > 0
	} else if d.textFirst && s.clean() && s.digits >= 4 {
		d.note("base64-text-before", 0, len(line))
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

// isArmourChecksum reports whether a line is the checksum that OpenPGP puts
// below its base64: "=" and four digits (RFC 9580, section 6.1).
func isArmourChecksum(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r\n")
	return len(line) == 5 && line[0] == '=' && base64ShapeOf(line[1:]).digits == 4
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
// been met: longer than the words that are alone on a line.
const sentence = 40

// inspectTail judges what follows padding: more data, which some clients decode
// and others do not, or text that a list server put below the body.
func (d *base64Decoder) inspectTail(tail, line []byte) {
	tail = bytes.TrimRight(tail, " \t\r\n")
	s := base64ShapeOf(tail)
	switch {
	case len(tail) == 0 || s.pads == len(tail):
	case s.clean() && s.digits >= 4 && (!d.tail || s.digits >= sentence), s.digits > 0 && tail[len(tail)-1] == '=':
		d.note("base64-data-after-padding", len(line)-len(tail), len(line))
	case s.digits > 0 || s.url > 0 || s.junk > 0:
		d.tail = true
		d.note("base64-text-after-padding", len(line)-len(tail), len(line))
	}
}
