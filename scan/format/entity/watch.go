package entity

import "bytes"

const (
	lookBytes   = 56 // how much of a line is looked at
	firstLines  = 8  // lines of a body in which content fields may be a header gone astray
	tokenLength = 40 // as long a word is no ordinary text
)

// watcher looks at the start of every line of a text for what calls for
// carving or another reading. The lines come in pieces of any size.
type watcher struct {
	seen  suspicion
	lines int  // lines looked at
	limit int  // look at no more lines than this
	done  bool // the rest of the current line does not matter
	have  int
	start [lookBytes]byte // of the current line, where it came in pieces
}

// begin starts a new text.
func (w *watcher) begin(limit int) {
	w.seen, w.lines, w.limit, w.done, w.have = 0, 0, limit, false, 0
}

func (w *watcher) feed(b []byte) {
	for len(b) > 0 && w.lines < w.limit {
		end := bytes.IndexByte(b, '\n')
		switch {
		case end < 0:
			w.piece(b)
			return
		case w.done || w.have > 0:
			w.piece(b[:end])
			w.finish()
		default:
			w.look(b[:end])
		}
		b = b[end+1:]
	}
}

// piece takes a part of a line.
func (w *watcher) piece(b []byte) {
	if w.done {
		return
	}
	w.have += copy(w.start[w.have:], b)
	if w.have == lookBytes {
		w.look(w.start[:])
		w.done = true
	}
}

// finish ends the current line.
func (w *watcher) finish() {
	if !w.done {
		w.look(w.start[:w.have])
	}
	w.have, w.done = 0, false
}

// end ends the text.
func (w *watcher) end() {
	if w.have > 0 || w.done {
		w.finish()
	}
}

// look judges a line by its first bytes.
func (w *watcher) look(line []byte) {
	w.lines++
	if len(line) < 8 {
		return
	}
	line = line[:min(len(line), lookBytes)]
	var s suspicion
	switch c := line[0]; {
	case c == 'C' || c == 'c':
		if startsField(line) {
			s = holdsFields
			if w.lines <= firstLines {
				s |= fieldsInBody
			}
		}
	case c == 'b' && startsUU(line), c == '=' && bytes.HasPrefix(line, yencStart), c == '(' && bytes.HasPrefix(line, binhexStart):
		s = holdsWrapped
	case isQuoting(c):
		if rest := line[quoting(line):]; len(rest) > 0 && rest[0] == 'b' && startsUU(rest) {
			s = holdsWrapped
		}
	}
	if bytes.IndexByte(line, '=') >= 0 && escapes(line) >= manyEscapes {
		if s |= holdsQP; w.lines == 1 {
			s |= bareQP
		}
	}
	if len(line) >= tokenLength && bytes.IndexByte(line, ' ') < 0 {
		s |= holdsText
		if len(line) == lookBytes && isBase64(line) {
			s |= holdsBase64
			if w.lines == 1 {
				s |= bareBase64
			}
		}
	}
	w.seen |= s
}

var (
	uuStart       = []byte("begin ")
	uuBase64Start = []byte("begin-base64 ")
	yencStart     = []byte("=ybegin ")
	binhexStart   = []byte("(This file must be converted with BinHex")
)

// manyEscapes in so few bytes are no accident.
const manyEscapes = 5

// escapes counts the quoted-printable escapes in b.
func escapes(b []byte) (n int) {
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '=' && hexDigits[b[i+1]] < 16 && hexDigits[b[i+2]] < 16 {
			n++
			i += 2
		}
	}
	return n
}

// startsUU reports whether a line is `begin 644 name` or the like.
func startsUU(line []byte) bool {
	rest, found := bytes.CutPrefix(line, uuStart)
	if !found {
		rest, found = bytes.CutPrefix(line, uuBase64Start)
	}
	return found && len(rest) > 0 && rest[0] >= '0' && rest[0] <= '7'
}

// longestQuoting bounds what mail programs put before the lines of a text that they
// quote, in bytes.
const longestQuoting = 32

// isQuoting reports whether mail programs put c before lines that they quote or indent.
func isQuoting(c byte) bool { return c == '>' || c == ' ' || c == '|' || c == '\t' }

// quoting returns how long the part of a line is that shows that it is quoted.
func quoting(line []byte) (n int) {
	for n < len(line) && n < longestQuoting && isQuoting(line[n]) {
		n++
	}
	return n
}

// withoutQuoting returns a line without the signs before each line of the text it belongs to. Of a
// line that is empty but for that, the blanks may be lost.
func withoutQuoting(line, before []byte) []byte {
	if rest, ok := bytes.CutPrefix(line, before); ok {
		return rest
	}
	if bytes.Equal(line, trimBlanks(before)) {
		return nil
	}
	return line
}

var contentFields = [...][]byte{[]byte("content-type"), []byte("content-transfer-encoding"), []byte("content-disposition")}

// startsField reports whether a line starts with a content field.
func startsField(line []byte) bool {
	if len(line) < 13 || line[7] != '-' {
		return false
	}
	for _, name := range contentFields {
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], name) {
			rest := bytes.TrimLeft(line[len(name):], " \t\x00")
			return len(rest) > 0 && rest[0] == ':'
		}
	}
	return false
}

// isBase64 reports whether b is nothing but base64 digits and padding.
func isBase64(b []byte) bool {
	for _, c := range b {
		if !base64Digit[c] {
			return false
		}
	}
	return true
}

var base64Digit = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") {
		t[c] = true
	}
	return t
}()
