package edit

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Limits of lines: what SMTP takes (RFC 5321, section 4.5.3.1.6, without CRLF),
// and what encodings make (RFC 2045, sections 6.7 and 6.8).
const (
	longestLine = 998
	encodedLine = 76
)

// encode gives every new body its transfer encoding, and says so in the header
// where that is another than before.
func (w *work) encode(changes []*change) error {
	for _, c := range changes {
		if c.body == nil {
			continue
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if c.with != c.entity.Encoding {
			c.set("Content-Transfer-Encoding", encodingName(c.with))
		}
		if c.with == entity.Identity {
			c.encoded = c.body
			continue
		}
		encoded, err := w.keep(func(out io.Writer) error { return encodeTo(out, c.body, c.with, w.newline, w.lastEnd(c)) })
		if err != nil {
			return err
		}
		c.encoded = encoded
	}
	return nil
}

// lastEnd returns the line end to write after the last byte of an encoded body, so
// that a message that ended in a line end does so again: an MTA would add one, and
// to quoted-printable that is one more byte of content. So there the end is a soft
// break. A delimiter brings its own line end.
func (w *work) lastEnd(c *change) string {
	switch {
	case c.entity.Body.End < w.Message.Raw.Size() || tail(w.Message.Raw, 1) != "\n":
		return ""
	case c.with == entity.Base64:
		return w.newline
	case c.body.Size() == 0 || strings.HasSuffix(tail(c.body, int64(len(w.newline))), w.newline):
		return ""
	}
	return "=" + w.newline
}

func encodingName(e entity.Encoding) string {
	if e == entity.Identity {
		return "7bit"
	}
	return string(e)
}

// fitting returns the encoding for the new body of an entity: the one it has, unless its lines have
// become too long for that, no mail should use it, or its name is unknown: clients would have to
// guess it.
func fitting(e *entity.Entity, old, body scan.Content) entity.Encoding {
	switch e.Encoding {
	case entity.Base64, entity.QuotedPrintable:
		return e.Encoding
	case entity.Identity:
		if slices.ContainsFunc(e.Notes, func(n entity.Deviation) bool { return n.Code == "encoding-unknown" }) {
			return entity.QuotedPrintable
		}
		if long := widest(body); long > longestLine && long > widest(old) {
			return entity.QuotedPrintable
		}
		return entity.Identity
	}
	return entity.Base64
}

// widest returns the length of the longest line, without its end.
func widest(c scan.Content) int {
	in := bufio.NewReader(scan.Reader(c))
	longest, line := 0, 0
	for {
		piece, err := in.ReadSlice('\n')
		line += len(piece)
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err != nil:
			return max(longest, line)
		}
		end := 1
		if len(piece) > 1 && piece[len(piece)-2] == '\r' {
			end = 2
		}
		longest, line = max(longest, line-end), 0
	}
}

// encodeTo writes a body in an encoding, its lines ended by newline and the whole
// by last.
func encodeTo(out io.Writer, body scan.Content, e entity.Encoding, newline, last string) error {
	buffered := bufio.NewWriterSize(out, 64<<10)
	var err error
	switch e {
	case entity.Base64:
		err = base64To(buffered, body, newline)
	case entity.QuotedPrintable:
		err = quotedPrintableTo(buffered, body, newline)
	default:
		err = fmt.Errorf("no body is written in encoding %s", e)
	}
	if err != nil {
		return err
	}
	buffered.WriteString(last)
	return buffered.Flush()
}

// base64To writes lines of base64. The last has no end.
func base64To(out *bufio.Writer, body scan.Content, newline string) error {
	in := bufio.NewReaderSize(scan.Reader(body), 64<<10)
	var raw [encodedLine / 4 * 3]byte
	var line [encodedLine]byte
	for first := true; ; first = false {
		n, err := io.ReadFull(in, raw[:])
		if err == io.EOF {
			return nil
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return err
		}
		if !first {
			out.WriteString(newline)
		}
		base64.StdEncoding.Encode(line[:], raw[:n])
		if _, err := out.Write(line[:base64.StdEncoding.EncodedLen(n)]); err != nil {
			return err
		}
	}
}

// quotedPrintableTo writes quoted-printable that decodes to exactly the body:
// only its own kind of line end represents itself.
func quotedPrintableTo(out *bufio.Writer, body scan.Content, newline string) error {
	q := quoter{out: out, in: bufio.NewReaderSize(scan.Reader(body), 64<<10), newline: newline}
	for {
		c, err := q.in.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = q.byte(c)
		}
		if err != nil {
			return err
		}
	}
}

// quoter writes quoted-printable byte by byte.
type quoter struct {
	out     *bufio.Writer
	in      *bufio.Reader
	newline string
	column  int
}

func (q *quoter) byte(c byte) error {
	switch {
	case q.ends(c):
		q.in.Discard(len(q.newline) - 1)
		q.column = 0
		_, err := q.out.WriteString(q.newline)
		return err
	case c == ' ' || c == '\t':
		if q.lineEnds(0) || q.breaks(1) { // some clients drop blanks at both ends of a line
			return q.escape(c)
		}
		return q.plain(c)
	case c > ' ' && c <= '~' && c != '=' && (q.column > 0 || c != '.' && c != 'F'):
		return q.plain(c) // MTAs change a dot, and mailboxes "From", at the start of a line
	}
	return q.escape(c)
}

// ends reports whether c begins a line end.
func (q *quoter) ends(c byte) bool {
	return c == q.newline[0] && (len(q.newline) == 1 || q.lineEnds(1))
}

// lineEnds reports whether what follows ends the line, or the body. Of the
// newline, the first bytes may have been read.
func (q *quoter) lineEnds(read int) bool {
	next, err := q.in.Peek(len(q.newline) - read)
	return err != nil && len(next) == 0 && read == 0 || string(next) == q.newline[read:]
}

func (q *quoter) plain(c byte) error {
	q.room(1)
	return q.out.WriteByte(c)
}

const hexDigits = "0123456789ABCDEF"

func (q *quoter) escape(c byte) error {
	q.room(3)
	q.out.WriteByte('=')
	q.out.WriteByte(hexDigits[c>>4])
	return q.out.WriteByte(hexDigits[c&15])
}

// room breaks the line if n more do not fit together with the sign that breaks it.
func (q *quoter) room(n int) {
	if q.breaks(n) {
		q.out.WriteByte('=')
		q.out.WriteString(q.newline)
		q.column = 0
	}
	q.column += n
}

// breaks reports whether n more begin a line after a soft break.
func (q *quoter) breaks(n int) bool { return q.column+n > encodedLine-1 }

// isASCII reports whether a text needs no more than seven bits.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
