package lzma

import (
	"bufio"
	"io"
)

// source is the input of the decoder: a stream, or a chunk of one.
type source struct {
	r     *bufio.Reader
	left  int64 // bytes of the chunk; -1 for a stream
	taken int64

	tail [2 * longest]byte // the last bytes, with room for a symbol after them
	real int               // how many of them there are; -1 before the end
	why  error             // why there are no more
}

// limit begins a chunk of n bytes, or a stream.
func (s *source) limit(n int64) { s.left = n }

// show returns bytes to decode that a symbol is in at least. Close to the end there are
// zeros after them.
func (s *source) show() []byte {
	s.real = -1
	b, err := s.r.Peek(s.within(longest))
	if len(b) == longest {
		b, _ = s.r.Peek(s.within(s.r.Buffered()))
		return b
	}
	s.why = io.ErrUnexpectedEOF
	if err != nil && err != io.EOF {
		s.why = err
	}
	clear(s.tail[:])
	s.real = copy(s.tail[:], b)
	return s.tail[:]
}

func (s *source) within(n int) int {
	if s.left >= 0 {
		return int(min(int64(n), s.left))
	}
	return n
}

// skip takes n bytes that were shown.
func (s *source) skip(n int) {
	s.r.Discard(n) // they are there
	s.taken += int64(n)
	if s.left >= 0 {
		s.left -= int64(n)
	}
}

// take reads n bytes, few.
func (s *source) take(n int) ([]byte, error) {
	if s.within(n) < n {
		return nil, errChunk
	}
	b, err := s.r.Peek(n)
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	b = append([]byte(nil), b...)
	s.skip(n)
	return b, nil
}
