package pdf

import (
	"bytes"
	"math"
	"slices"

	"github.com/milterscan/milterscan/scan/scratch"
)

// endMark is at the end of each stream.
const endMark = "endstream"

// Ends finds the ends of the streams of one document. It looks for all their marks
// at once, when one is first asked for: a document of streams without a mark is not
// searched to its end for each of them. It is not for several goroutines at once.
type Ends struct {
	c     Content
	found bool
	marks []uint32 // where they are, in their order; a document of 4 GB has none further on
	err   error
}

// NewEnds returns the ends of the streams in c.
func NewEnds(c Content) *Ends { return &Ends{c: c} }

// Of returns where a stream ends whose data begins at start: where its length
// says, if its mark is there, or at the first mark. Length is what its dictionary
// has for it, below 0 if that is not known. Without any mark, a stream ends where its
// length says, even after the end of the document, or else with the document. An
// error comes with the best end that is known.
func (e *Ends) Of(start, length int64) (int64, error) {
	const longest = 1<<62 - 1
	c := e.c
	var buf [len(endMark) + 4]byte
	if length >= 0 && length < c.Size()-start {
		n, _ := c.ReadAt(buf[:], start+length)
		if bytes.HasPrefix(bytes.TrimLeft(buf[:n], "\r\n"), []byte(endMark)) {
			return start + length, nil
		}
	}
	end, err := e.next(start)
	switch {
	case end < 0 && length > 0:
		return start + min(length, longest-start), err
	case end < 0:
		return c.Size(), err
	}
	from := max(start, end-2)
	n, err := c.ReadAt(buf[:end-from], from)
	line := bytes.TrimSuffix(buf[:n], []byte("\n"))
	return from + int64(len(bytes.TrimSuffix(line, []byte("\r")))), err
}

// next returns the first mark from a place on, -1 if there is none.
func (e *Ends) next(from int64) (int64, error) {
	if !e.found {
		e.find()
	}
	i, _ := slices.BinarySearch(e.marks, uint32(min(from, math.MaxUint32)))
	if i == len(e.marks) {
		return -1, e.err
	}
	return int64(e.marks[i]), nil
}

// find finds all marks.
func (e *Ends) find() {
	e.found = true
	to := min(e.c.Size(), math.MaxUint32)
	for from := int64(0); ; from += int64(len(endMark)) {
		if from, e.err = scratch.Index(e.c, endMark, from, to); from < 0 {
			return
		}
		e.marks = append(e.marks, uint32(from))
	}
}
