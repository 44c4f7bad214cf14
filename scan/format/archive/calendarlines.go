package archive

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// foldedLines reads the lines of a calendar or card, joined where they are folded
// (RFC 5545, section 3.1). ReadByte ends with io.EOF at the end of a line.
type foldedLines struct {
	in     *bufio.Reader
	digits bool // the value is in base64, which vCard 2.1 goes on with in lines that are not folded
	quoted bool // the value is in quoted-printable, which has its own soft line ends
	ended  bool // the line was read to its end
	last   byte
}

// ReadByte reads the next byte of the line.
func (f *foldedLines) ReadByte() (byte, error) {
	for !f.ended {
		c, err := f.in.ReadByte()
		switch {
		case err != nil:
			f.ended = true
		case c == '\n' || c == '\r':
			if c == '\r' {
				f.skip('\n')
			}
			if !f.goesOn() {
				f.ended = true
			} else if f.quoted {
				f.last = '\n'
				return '\n', nil
			}
		default:
			f.last = c
			return c, nil
		}
	}
	return 0, io.EOF
}

func (f *foldedLines) skip(c byte) {
	if next, err := f.in.Peek(1); err == nil && next[0] == c {
		f.in.ReadByte()
	}
}

// goesOn reports whether the next line belongs to this one, and skips the
// blank that says so.
func (f *foldedLines) goesOn() bool {
	next, err := f.in.Peek(1)
	if err != nil {
		return false
	}
	if next[0] == ' ' || next[0] == '\t' {
		f.in.ReadByte()
		return true
	}
	return f.quoted && f.last == '=' || f.digits && digitsAhead(f.in)
}

// digitsAhead reports whether the next line is one of base64 and nothing else.
func digitsAhead(in *bufio.Reader) bool {
	const longest = 128
	next, _ := in.Peek(longest)
	line, _, ended := bytes.Cut(next, []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	if len(line) < 4 && (len(line) == 0 || !bytes.HasSuffix(line, []byte("="))) {
		return false
	}
	for _, c := range line {
		if base64Digits[c] < 0 && c != '=' {
			return false
		}
	}
	return ended || len(next) == longest || len(next) > 0
}

// endLine skips the rest of the line.
func (f *foldedLines) endLine() {
	for !f.ended {
		f.ReadByte()
	}
	f.ended, f.digits, f.quoted, f.last = false, false, false, 0
}

// property reads the next line up to its value; ok is false at the end of all.
func (f *foldedLines) property() (p cardProperty, ok bool) {
	if _, err := f.in.Peek(1); err != nil {
		return cardProperty{}, false
	}
	var pieces []string
	var piece []byte
	quoted := false
	for n := 0; n < propertyHead; n++ {
		c, err := f.ReadByte()
		if err != nil {
			return cardProperty{}, true
		}
		switch {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ';' || c == ':'):
			pieces = append(pieces, string(piece))
			if piece = piece[:0]; c == ':' {
				return propertyOf(pieces), true
			}
		default:
			piece = append(piece, c)
		}
	}
	return cardProperty{}, true
}

func propertyOf(pieces []string) cardProperty {
	name := strings.ToUpper(strings.TrimSpace(pieces[0]))
	p := cardProperty{name: name[strings.LastIndexByte(name, '.')+1:]}
	for _, piece := range pieces[1:] {
		name, value, named := strings.Cut(piece, "=")
		if !named {
			name, value = "", name
		}
		p.params = append(p.params, param{strings.ToUpper(strings.TrimSpace(name)), caretless.Replace(strings.TrimSpace(value))})
	}
	return p
}

// caretless undoes the escapes of values of parameters (RFC 6868).
var caretless = strings.NewReplacer("^n", " ", "^^", "^", "^'", `"`)

// starts reports whether the value begins with a mark, upper and lower case alike.
func (f *foldedLines) starts(mark string) bool {
	next, _ := f.in.Peek(16)
	return hasFold(bytes.Map(unfolded, next), mark)
}

// unfolded drops what folding may have put between the letters of a scheme.
func unfolded(r rune) rune {
	if r <= ' ' {
		return -1
	}
	return r
}

// newUnescaped undoes the escapes of texts (RFC 5545, section 3.3.11).
func newUnescaped(in io.ByteReader) io.Reader {
	return &stepped{step: func(dst []byte) ([]byte, error) {
		for len(dst) < steppedRoom {
			c, err := in.ReadByte()
			if err == nil && c == '\\' {
				if c, err = in.ReadByte(); c|0x20 == 'n' {
					c = '\n'
				}
			}
			if err != nil {
				return dst, err
			}
			dst = append(dst, c)
		}
		return dst, nil
	}}
}

// newUnquoted undoes quoted-printable (RFC 2045, section 6.7).
func newUnquoted(in io.ByteReader) io.Reader {
	return &stepped{step: func(dst []byte) ([]byte, error) {
		for len(dst) < steppedRoom {
			c, err := in.ReadByte()
			if err != nil {
				return dst, err
			}
			if c != '=' {
				dst = append(dst, c)
				continue
			}
			high, err := in.ReadByte()
			if err != nil || high == '\n' {
				continue
			}
			low, _ := in.ReadByte()
			a, ok := hexDigit(high)
			b, too := hexDigit(low)
			if ok && too {
				dst = append(dst, a<<4|b)
			} else {
				dst = append(dst, c, high, low)
			}
		}
		return dst, nil
	}}
}
