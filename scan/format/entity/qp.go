package entity

import (
	"bytes"
	"encoding/binary"
)

// qpReading is a way in which clients take damaged quoted-printable.
type qpReading int

const (
	mending    qpReading = iota // damaged soft breaks count, and escapes are joined over them
	strictly                    // only "=", blanks, line end is a soft break; all else is text
	loosely                     // as mending, but bytes that may not be there are dropped first, and what cuts escapes
	dropping                    // as mending, but a stray "=" is dropped
	skipping                    // as mending, but a stray "=" is dropped with the byte after it
	swallowing                  // as mending, but a stray "=" is dropped with the two bytes after it
	trimming                    // as mending, but blanks after a soft break are dropped
)

// heldBack bounds how much of the end of an unfinished line waits for the rest.
const heldBack = 1 << 10

// qpDecoder undoes quoted-printable (RFC 2045, section 6.7) as clients do: what
// is no escape is text.
type qpDecoder struct {
	*ledger
	reading qpReading
	carry   []byte // of the lines before: what cannot be decoded without the next one
	split   bool   // carry is an escape cut by a soft break
	crlf    bool   // the line before ended in a soft break with CRLF
	soft    bool   // the line before ended in a soft break
	crlfs   bool   // a line ended in CRLF
	scratch []byte
	digits  base64Shape // of the lines so far, while they could all be base64
	upper   bool        // among them are upper-case letters, which hashes lack
	prose   bool        // a line could not
}

// leastEncoded is how many base64 digits a body has at least to be taken for
// base64 and not for a word.
const leastEncoded = 40

func (q *qpDecoder) line(dst, line []byte) []byte {
	q.back = 0
	if len(line) > longestLine+2 {
		q.note("qp-long-line", 0, len(line))
	}
	if !q.prose {
		q.weigh(line)
	}
	if q.crlf && len(line) == 1 && line[0] == '\n' && q.reading != strictly {
		q.crlf = false
		q.note("qp-damaged-break", 0, 1) // "=", CR, LF, LF
		return dst
	}
	q.crlf = false
	if q.soft {
		line = q.afterSoftBreak(line)
	}
	if q.reading == loosely {
		line = q.tidied(line)
	}
	if len(q.carry) > 0 {
		line = q.joined(line)
	}
	if !bytes.HasSuffix(line, []byte("\n")) {
		return q.fragment(dst, line)
	}
	return q.whole(dst, line)
}

// afterSoftBreak returns the line after a soft break without the blanks that some clients drop.
func (q *qpDecoder) afterSoftBreak(line []byte) []byte {
	text := bytes.TrimLeft(line, " \t")
	q.soft = len(text) == 0
	if n := len(line) - len(text); n > 0 && len(bytes.TrimRight(text, "\r\n")) > 0 {
		q.note("qp-indented", 0, n)
	}
	if q.reading == trimming {
		return text
	}
	return line
}

// weigh looks whether a line could be base64 under a wrong label: digits, then
// nothing but padding, escaped or not, or a soft break.
func (q *qpDecoder) weigh(line []byte) {
	body, end, _ := bytes.Cut(bytes.TrimRight(line, " \t\r\n"), []byte("="))
	s := base64ShapeOf(body)
	q.digits.add(s)
	q.upper = q.upper || bytes.ContainsAny(body, upperCase)
	q.prose = s.digits < len(body) || len(bytes.Trim(end, "=3D")) > 0
}

// tidied returns the line without bytes that must be escaped, blanks that are
// inside escapes, and all but one "=" of a soft break.
func (q *qpDecoder) tidied(line []byte) []byte {
	body := bytes.TrimRight(line, "\r\n")
	end := line[len(body):]
	if n := len(end); n > 1 && end[n-1] == '\n' {
		end = end[n-2:] // CR before CR
	}
	kept := make([]byte, 0, len(line))
	last := len(bytes.TrimRight(body, "= \t")) // the rest holds no more than a soft break
	final := bytes.LastIndexByte(body, '=')
	for i, c := range body {
		switch {
		case c >= 0x7f, c < ' ' && c != '\t', isBlankByte(c) && insideEscape(kept, body[i:]):
		case i >= last && i <= final && bytes.HasSuffix(kept, []byte("=")):
		default:
			kept = append(kept, c)
		}
	}
	if len(end) == 1 && end[0] == '\r' {
		end = nil
	}
	return append(kept, end...)
}

// insideEscape reports whether blanks are between "=" and two digits, or between
// the two.
func insideEscape(before, blanks []byte) bool {
	rest := bytes.TrimLeft(blanks[:min(len(blanks), heldBack)], " \t")
	if n := len(before); n > 1 && before[n-2] == '=' && hexDigits[before[n-1]] < 16 {
		return len(rest) > 0 && hexDigits[rest[0]] < 16
	}
	return bytes.HasSuffix(before, []byte("=")) && len(rest) > 1 && hexDigits[rest[0]] < 16 && hexDigits[rest[1]] < 16
}

// joined puts what was carried over before the line.
func (q *qpDecoder) joined(line []byte) []byte {
	q.scratch = append(append(q.scratch[:0], q.carry...), line...)
	q.back = len(q.carry)
	q.carry = q.carry[:0]
	if s := q.scratch; q.split && len(s) > 2 && hexDigits[s[1]] < 16 && hexDigits[s[2]] < 16 {
		q.note("qp-split-escape", 0, 3)
	}
	q.split = false
	return q.scratch
}

// whole decodes a line that has its end.
func (q *qpDecoder) whole(dst, line []byte) []byte {
	body, end := q.cutEnd(line)
	kept := trimBlanks(body)
	if q.reading == loosely {
		if cut := q.cutEscape(kept, end); cut > 0 {
			dst = q.text(dst, kept[:len(kept)-cut])
			q.carry = append(q.carry[:0], kept[len(kept)-cut:]...)
			return dst
		}
	}
	if n := len(kept); n > 0 && kept[n-1] == '=' {
		if n < len(body) {
			q.note("qp-blank-after-soft-break", n, len(body))
		}
		return q.softBreak(dst, kept[:n-1], end)
	}
	if len(kept) < len(body) {
		q.note("qp-trailing-blank", len(kept), len(body))
	}
	q.crlfs = q.crlfs || len(end) == 2
	return append(q.text(dst, kept), end...)
}

// cutEscape returns how many bytes at the end of a line are an escape that the
// line end cuts, for clients that drop line ends in escapes.
func (q *qpDecoder) cutEscape(body, end []byte) int {
	switch n := len(body); {
	case n > 1 && body[n-2] == '=' && hexDigits[body[n-1]] < 16:
		return 2
	case n > 0 && body[n-1] == '=' && len(end) == 1 && q.crlfs:
		return 1
	}
	return 0
}

// cutEnd cuts the line end off: LF, CRLF or, before a soft break that is to be
// mended, any number of CR before them.
func (q *qpDecoder) cutEnd(line []byte) (body, end []byte) {
	n := len(line) - 1
	if n > 0 && line[n-1] == '\r' {
		n--
	}
	if q.reading != strictly && n > 0 && line[n-1] == '\r' {
		body = bytes.TrimRight(line[:n], "\r")
		if bytes.HasSuffix(trimBlanks(body), []byte("=")) {
			q.note("qp-damaged-break", len(body), len(line)) // "=", CR, CR, LF
			return body, line[n:]
		}
	}
	return line[:n], line[n:]
}

// softBreak decodes a line that goes on in the next.
func (q *qpDecoder) softBreak(dst, body, end []byte) []byte {
	if q.reading == strictly {
		return q.text(dst, body)
	}
	q.crlf, q.soft = len(end) == 2, true
	if len(end) == 1 && q.crlfs {
		q.note("qp-bare-break", len(body), len(body)+2)
	}
	q.crlfs = q.crlfs || len(end) == 2
	keep := len(body)
	switch n := keep; {
	case n > 0 && body[n-1] == '=':
		keep = n - 1
	case n > 1 && body[n-2] == '=' && hexDigits[body[n-1]] < 16:
		keep = n - 2
	}
	dst = q.text(dst, body[:keep])
	q.carry = append(q.carry[:0], body[keep:]...)
	q.split = len(q.carry) > 0
	return dst
}

// fragment decodes a line whose end is not there yet, but for its last bytes:
// blanks that may prove to be at the end, and an escape that may go on.
func (q *qpDecoder) fragment(dst, line []byte) []byte {
	least := max(0, len(line)-heldBack)
	n := len(line)
	for n > least && (isBlankByte(line[n-1]) || line[n-1] == '\r') {
		n--
	}
	for n > least && bytes.IndexByte(line[max(0, n-3):n], '=') >= 0 {
		n--
	}
	dst = q.text(dst, line[:n])
	q.carry = append(q.carry[:0], line[n:]...)
	return dst
}

// end decodes what was held back; the body ends without a line end.
func (q *qpDecoder) end(dst []byte) []byte {
	if !q.prose && q.upper && q.digits.lower > 0 && q.digits.digits >= leastEncoded {
		q.note("qp-holds-base64", 0, 0)
	}
	q.back = len(q.carry)
	last := trimBlanks(q.carry)
	if n := len(last); n > 0 && last[n-1] == '=' && !q.split {
		last = last[:n-1]
	}
	return q.text(dst, last)
}

// text decodes text without soft breaks at its end.
func (q *qpDecoder) text(dst, s []byte) []byte {
	if i := unprintable(s); i >= 0 {
		q.noteUnprintable(s, i)
	}
	for at := 0; ; {
		i := bytes.IndexByte(s[at:], '=')
		if i < 0 {
			return append(dst, s[at:]...)
		}
		dst = append(dst, s[at:at+i]...)
		at += i
		for at < len(s) && s[at] == '=' {
			var used int
			dst, used = q.escape(dst, s, at)
			at += used
		}
	}
}

// escape decodes what begins with the "=" at s[at] and returns how much it was.
func (q *qpDecoder) escape(dst, s []byte, at int) ([]byte, int) {
	if rest := s[at:]; len(rest) > 2 {
		high, low := hexDigits[rest[1]], hexDigits[rest[2]]
		if high < 16 && low < 16 {
			if rest[1] >= 'a' || rest[2] >= 'a' {
				q.note("qp-lowercase", at, at+3)
			}
			return append(dst, high<<4|low), 3
		}
	}
	if at+1 < len(s) && s[at+1] == '\r' && q.reading != strictly {
		q.note("qp-damaged-break", at, at+2) // "=", CR
		return dst, 2
	}
	q.note("qp-stray-equals", at, at+1)
	if at+1 < len(s) && s[at+1] > ' ' && s[at+1] < 0x7f {
		q.note("qp-unescaped", at, at+1)
	}
	switch q.reading {
	case dropping:
		return dst, 1
	case skipping:
		return dst, min(2, len(s)-at)
	case swallowing:
		return dst, min(3, len(s)-at)
	}
	return append(dst, '='), 1
}

// noteUnprintable says which bytes are there that must be escaped.
func (q *qpDecoder) noteUnprintable(s []byte, from int) {
	if q.noted("qp-8bit") && q.noted("qp-control") {
		return
	}
	for i, c := range s[from:] {
		switch {
		case c >= 0x80:
			q.note("qp-8bit", from+i, from+i+1)
		case c < ' ' && c != '\t' || c == 0x7f:
			q.note("qp-control", from+i, from+i+1)
		}
	}
}

// unprintable returns the index of the first 8 bytes that hold anything but
// printable ASCII and tabs, or -1. A tab may be reported as well.
func unprintable(s []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		below := (w - ' '*ones) &^ w // the high bit of bytes below a blank
		above := w + ones            // and of those above "~"
		if (below|above|w)&high != 0 {
			return i
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' {
			return i
		}
	}
	return -1
}

// hexDigits has the value of each hexadecimal digit, 255 for all else.
var hexDigits = func() (t [256]byte) {
	for c := range t {
		t[c] = 255
	}
	for i, c := range []byte("0123456789ABCDEF") {
		t[c] = byte(i)
	}
	for i, c := range []byte("abcdef") {
		t[c] = byte(i) + 10
	}
	return t
}()

func isBlankByte(c byte) bool { return c == ' ' || c == '\t' }

func trimBlanks(s []byte) []byte {
	n := len(s)
	for n > 0 && isBlankByte(s[n-1]) {
		n--
	}
	return s[:n]
}
