package pdf

import "bytes"

// The marks before objects.
const (
	objMark     = "obj"
	trailerMark = "trailer"
)

// longestNumber is how many bytes the number of an object takes before its mark at
// most.
const longestNumber = 32

// marks finds the marks in a window. Most of a large document is pictures, in
// which all bytes are alike; outside of packed data, "j" and "i" are the rarest bytes
// of the marks.
type marks struct {
	b            []byte
	obj, trailer int // where the next ones are; len(b) for nowhere
}

// newMarks returns the marks of a window. Of one that is not the first, the first
// bytes were seen in the one before.
func newMarks(b []byte, more bool) *marks {
	m := &marks{b: b}
	seen := 0
	if more {
		seen = min(longestNumber, len(b))
	}
	m.obj = m.find(objMark, 2, max(0, seen-len(objMark)+1))
	m.trailer = m.find(trailerMark, 3, max(0, seen-len(trailerMark)+1))
	return m
}

// next returns the place of the next mark, "" at the end of the window.
func (m *marks) next() (at int, mark string) {
	switch at = min(m.obj, m.trailer); {
	case at == len(m.b):
		return at, ""
	case at == m.obj:
		m.obj = m.find(objMark, 2, at+len(objMark))
		return at, objMark
	}
	m.trailer = m.find(trailerMark, 3, at+len(trailerMark))
	return at, trailerMark
}

// find returns the place of a mark, from some place on, looked for by its byte rare.
func (m *marks) find(mark string, rare, from int) int {
	for at := from + rare; at < len(m.b); at++ {
		i := bytes.IndexByte(m.b[at:], mark[rare])
		if i < 0 {
			break
		}
		at += i
		if m.b[at-1] != mark[rare-1] {
			continue
		}
		if begin := at - rare; len(m.b)-begin >= len(mark) && string(m.b[begin:begin+len(mark)]) == mark {
			return begin
		}
	}
	return len(m.b)
}

// numbers reads the number of an object and its generation, which are before its
// mark, from the end of b: -1 and 0 if they are missing. Of a damaged object, the
// number is the last word but one.
func numbers(b []byte) (number, generation int64) {
	b = b[max(0, len(b)-longestNumber):]
	second, rest := lastNumber(b)
	first, _ := lastNumber(rest)
	const most = 18 // digits of a number that is one
	if len(first) > 0 && len(second) > 0 && len(first) <= most {
		return integer(first), integer(second)
	}
	words := bytes.Fields(b)
	if len(words) < 2 {
		return -1, 0
	}
	if n := integer(words[len(words)-2]); n > 0 {
		return n, 0
	}
	return -1, 0
}

// lastNumber cuts digits, and blanks after them, from the end of b.
func lastNumber(b []byte) (digits, rest []byte) {
	end := len(b)
	for end > 0 && isSpace(b[end-1]) {
		end--
	}
	start := end
	for start > 0 && b[start-1] >= '0' && b[start-1] <= '9' {
		start--
	}
	return b[start:end], b[:start]
}
