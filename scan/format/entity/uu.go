package entity

import (
	"bytes"
	"strings"
)

// uuDecoder undoes uuencode (POSIX.1-2017, uuencode): from each line "begin
// 644 name" to its "end". It drops the text outside. It joins several files in one
// body; Wrappings tells where each is.
type uuDecoder struct {
	*ledger
	inside decoder // of the lines of a begin-base64 block, nil outside one
	open   bool    // inside a plain block
	fresh  bool    // no line of it was read yet
	xx     bool    // its digits are those of xxencode
	blocks int
	within bool   // the fragment before had no line end: the next goes on with its line
	before []byte // each line of the block: the text is quoted
}

func (u *uuDecoder) line(dst, line []byte) []byte {
	within := u.within
	u.within = line[len(line)-1] != '\n'
	if within {
		return u.overlong(dst, line)
	}
	text := trimEnd(line)
	if u.open || u.inside != nil {
		inner := withoutQuoting(text, u.before)
		line, text = line[len(text)-len(inner):], inner
	}
	switch {
	case u.inside != nil:
		return u.base64Line(dst, line, text)
	case u.open:
		return u.dataLine(dst, text)
	}
	u.outside(text)
	return dst
}

// overlong takes the rest of a line that is longer than any data line is.
func (u *uuDecoder) overlong(dst, line []byte) []byte {
	if u.inside != nil {
		return u.inside.line(dst, line)
	}
	return dst
}

// outside waits for the start of a block.
func (u *uuDecoder) outside(text []byte) {
	before := text[:quoting(text)]
	_, kind := uuBegin(text[len(before):])
	if kind == "" {
		return
	}
	u.before = append(u.before[:0], before...)
	if u.blocks++; u.blocks > 1 {
		u.note("uu-several-files", 0, len(text))
	}
	u.open, u.fresh, u.xx = kind == "begin", true, false
	if !u.open {
		u.inside = &base64Decoder{ledger: u.ledger, digits: &standardDigits}
	}
}

func (u *uuDecoder) base64Line(dst, line, text []byte) []byte {
	if string(text) == "====" {
		dst, u.inside = u.inside.end(dst), nil
		return dst
	}
	return u.inside.line(dst, line)
}

// dataLine decodes one line: its length as a character, then four characters
// for every three bytes. Blanks at the end may be lost on the way, so a missing
// character counts as zero; a character more is a checksum.
func (u *uuDecoder) dataLine(dst, text []byte) []byte {
	if string(text) == "end" {
		u.open = false
		return dst
	}
	if len(text) == 0 {
		return dst
	}
	if u.fresh {
		u.fresh, u.xx = false, xxData(text) && !uuExact(text)
	}
	if u.xx {
		return u.xxLine(dst, text)
	}
	size, data := uuValue(text[0]), text[1:]
	if text[0] < ' ' || text[0] > '`' || len(data) > uuLength(size)+2 {
		u.note("uu-line-length", 0, len(text))
	}
	if bytes.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '`' }) >= 0 {
		u.note("uu-junk", 0, len(text))
	}
	return appendUU(dst, data, size, uuValue)
}

// xxLine decodes one line of xxencode, which differs in its digits only.
func (u *uuDecoder) xxLine(dst, text []byte) []byte {
	if !xxData(text) {
		u.note("uu-junk", 0, len(text))
	}
	return appendUU(dst, text[1:], xxValue(text[0]), xxValue)
}

// appendUU decodes size bytes of digits.
func appendUU(dst, data []byte, size int, value func(byte) int) []byte {
	for at := 0; size > 0; at += 4 {
		var q uint32
		for i := range 4 {
			q <<= 6
			if at+i < len(data) {
				q |= uint32(value(data[at+i]))
			}
		}
		b := [3]byte{byte(q >> 16), byte(q >> 8), byte(q)}
		n := min(size, 3)
		dst = append(dst, b[:n]...)
		size -= n
	}
	return dst
}

func (u *uuDecoder) end(dst []byte) []byte {
	switch {
	case u.inside != nil:
		dst = u.inside.end(dst)
		u.note("uu-no-end", 0, 0)
	case u.open:
		u.note("uu-no-end", 0, 0)
	case u.blocks == 0:
		u.note("uu-no-begin", 0, 0)
	}
	return dst
}

// uuValue returns the value of a character; the backtick is another zero.
func uuValue(c byte) int { return int(c-' ') & 63 }

// xxDigits are those of xxencode, which survive translation between character sets.
const xxDigits = "+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// xxValue returns the value of a digit of xxencode, zero for any other character.
func xxValue(c byte) int { return max(0, strings.IndexByte(xxDigits, c)) }

// xxData reports whether a line can be below a "begin" in xxencode: it is as long
// as its first digit says, or one longer for a checksum.
func xxData(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	for _, c := range line {
		if strings.IndexByte(xxDigits, c) < 0 {
			return false
		}
	}
	longer := len(line) - 1 - uuLength(xxValue(line[0]))
	return longer == 0 || longer == 1
}

// uuExact reports whether a line is one of uuencode, as long as it says.
func uuExact(line []byte) bool {
	longer := len(line) - 1 - uuLength(uuValue(line[0]))
	return uuData(line) && (longer == 0 || longer == 1)
}

// uuLength returns how many characters hold size bytes.
func uuLength(size int) int { return (size + 2) / 3 * 4 }

// longestMode is how many digits the mode of a file may have: decoders read any
// number, of which files need three.
const longestMode = 16

// uuBegin reads a line "begin MODE NAME" or "begin-base64 MODE NAME" and
// returns the name and the first word, or two empty strings. The mode is octal;
// the name may hold blanks, or be missing.
func uuBegin(line []byte) (name, kind string) {
	if !bytes.HasPrefix(line, []byte("begin")) {
		return "", ""
	}
	kind, rest, _ := strings.Cut(string(line), " ")
	mode, name, _ := strings.Cut(strings.Trim(rest, " "), " ")
	if kind != "begin" && kind != "begin-base64" {
		return "", ""
	}
	if mode == "" || len(mode) > longestMode || strings.Trim(mode, "01234567") != "" {
		return "", ""
	}
	return strings.TrimSpace(name), kind
}

// uuData reports whether a line can be below a "begin": it is as long as its
// first character says, give or take lost blanks and a checksum. It tells a
// block from a sentence.
func uuData(line []byte) bool {
	if string(line) == "end" {
		return true
	}
	if len(line) < 2 || line[0] <= ' ' || line[0] > '`' {
		return len(line) == 1 && (line[0] == '`' || line[0] == ' ')
	}
	want := uuLength(uuValue(line[0]))
	got := len(line) - 1
	plain := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '`' }) < 0
	return plain && got <= want+2 && got >= want/2
}

// trimEnd cuts the line end off.
func trimEnd(line []byte) []byte {
	return bytes.TrimRight(line, "\r\n")
}
