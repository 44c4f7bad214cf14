package pdf

import (
	"bytes"
	"math"

	"github.com/milterscan/milterscan/scan/scratch"
)

// survey is what one pass over a document tells who reads it again. It does not change once it is learnt.
type survey struct {
	marks   []uint32 // where those before objects and trailers are, in their order
	picture *naming  // looks for the name of pictures; nil once it was found
}

type surveyKey struct{}

// PictureName is the subtype of pictures (section 8.9.5).
const PictureName = "Image"

// mostMarks is how many marks are remembered; a document of more is searched for them again.
const mostMarks = 1 << 16

// whole reports whether all marks are known.
func (s *survey) whole() bool { return s != nil && len(s.marks) < mostMarks }

// markLook is shown a mark at a place of a window, which is from an offset on.
type markLook func(b []byte, off int64, at int) error

// eachMark calls look with all marks before objects and trailers, until it returns an error. After each window over
// is asked whether there is one. The document is searched for marks once, if it keeps what is learnt of it.
func eachMark(c Content, look markLook, over func() error) error {
	lore := scratch.LoreOf(c)
	known, _ := lore.Recall(surveyKey{}).(*survey)
	if known.whole() {
		return known.again(c, look, over)
	}
	s := new(survey)
	if lore == nil || known != nil || c.Size() > math.MaxUint32 {
		return s.pass(c, look, over)
	}
	s.picture = newNaming(PictureName)
	err := s.pass(c, look, over)
	if err == nil {
		lore.Learn(surveyKey{}, s)
	}
	return err
}

// pass calls look with all marks, and remembers them.
func (s *survey) pass(c Content, look markLook, over func() error) error {
	return scratch.Windows(c, 0, longestNumber, func(b []byte, off int64) error {
		if s.picture != nil && s.picture.isIn(b, off+int64(len(b)) == c.Size()) {
			s.picture = nil
		}
		m := newMarks(b, off > 0)
		for at, mark := m.next(); mark != ""; at, mark = m.next() {
			if mark == objMark && bytes.HasSuffix(b[:at], []byte("end")) {
				continue
			}
			if len(s.marks) < mostMarks {
				s.marks = append(s.marks, uint32(off+int64(at)))
			}
			if err := look(b, off, at); err != nil {
				return err
			}
		}
		return over()
	})
}

// What is read from a mark on, in bytes, and how near the next one is to be read with it.
const (
	afterMark = 2 << 10
	nearMark  = 8 << 10
)

// again calls look with the marks that are known.
func (s *survey) again(c Content, look markLook, over func() error) error {
	buf := scratch.Lend()
	defer buf.Return()
	for marks := s.marks; len(marks) > 0; {
		from := max(0, int64(marks[0])-longestNumber)
		b, err := buf.Window(c, from, 0, together(marks)+afterMark)
		if err != nil {
			return err
		}
		end := from + int64(len(b))
		for len(marks) > 0 && (int64(marks[0])+int64(len(trailerMark)) <= end || end == c.Size()) {
			if err := look(b, from, int(int64(marks[0])-from)); err != nil {
				return err
			}
			marks = marks[1:]
		}
		if err := over(); err != nil {
			return err
		}
	}
	return nil
}

// together returns how many bytes lie between the first of the marks and the last that is read with it.
func together(marks []uint32) int64 {
	last := 0
	for last+1 < len(marks) && marks[last+1]-marks[last] < nearMark && marks[last+1]-marks[0] < scratch.Size-afterMark {
		last++
	}
	return int64(marks[last]-marks[0]) + longestNumber
}

// markAt returns the mark that b begins with.
func markAt(b []byte) string {
	if b[0] == objMark[0] {
		return objMark
	}
	return trailerMark
}

// MayShow reports whether the name of pictures may stand in a document, as MayName does. The answer is known of one
// whose objects were read.
func MayShow(c Content) bool {
	if s, ok := scratch.LoreOf(c).Recall(surveyKey{}).(*survey); ok {
		return s.picture == nil
	}
	return MayName(c, PictureName)
}
