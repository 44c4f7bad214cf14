package pdf

import (
	"context"
	"io"
)

// source is bytes to be read forwards, with jumps. Errors, the end of the data and
// the limit of the bytes to read look alike to the lexer.
type source struct {
	ctx   context.Context
	c     Content
	buf   []byte // bytes of c from start on
	start int64
	pos   int64
	end   int64 // where reading stops for now
	own   []byte
	err   error // of the content, or the context
	over  bool  // end was reached
}

// jump goes to a place. b holds the bytes at that place, if the caller has any.
func (s *source) jump(pos int64, b []byte) { s.pos, s.start, s.buf = pos, pos, b }

// rest returns the buffered bytes that are not read yet, nil at the end.
func (s *source) rest() []byte {
	if i := s.pos - s.start; i >= 0 && i < int64(len(s.buf)) {
		return s.buf[i:]
	}
	return s.fill()
}

// peek returns the next byte, without reading it.
func (s *source) peek() (byte, bool) {
	if b := s.rest(); b != nil {
		return b[0], true
	}
	return 0, false
}

// A source fills small windows at first: most objects are small.
const (
	firstWindow = 2 << 10
	lastWindow  = 32 << 10
)

// fill reads a window at pos, each larger than the one before.
func (s *source) fill() []byte {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err != nil || s.over || s.pos >= s.c.Size() {
		return nil
	}
	if s.pos >= s.end {
		s.over = true
		return nil
	}
	size := firstWindow
	if len(s.buf) >= firstWindow && len(s.own) > 0 && &s.buf[0] == &s.own[0] {
		size = min(4*len(s.buf), lastWindow)
	}
	if len(s.own) < size {
		s.own = make([]byte, size)
	}
	n, err := s.c.ReadAt(s.own[:min(int64(size), s.c.Size()-s.pos)], s.pos)
	s.buf, s.start = s.own[:n], s.pos
	if n == 0 {
		if err != io.EOF {
			s.err = err
		}
		return nil
	}
	return s.buf
}
