package entity

import (
	"bytes"
	"io"
)

// lineReader hands out the lines of a span of the content. Of a line longer
// than the buffer only the beginning is seen.
type lineReader struct {
	src  io.Reader
	buf  []byte
	data []byte // the unread part of buf
	at   int64  // offset of data
	done bool
	err  error // why it is done, unless that is the end
}

// lines hands the lines of a span to take until that returns false. What cannot
// be read ends the rereading.
func (r *rereader) lines(s Span, take func(line []byte, at int64) bool) {
	from := newLineReader(r.content, s, r.buf)
	for line, at := from.next(); line != nil && take(line, at); line, at = from.next() {
	}
	if from.err != nil {
		r.stop(from.err.Error())
	}
}

// lineBytes is how much of a line can be seen. It is more than any window.
const lineBytes = 16 << 10

func newLineReader(c io.ReaderAt, s Span, buf []byte) *lineReader {
	return &lineReader{src: io.NewSectionReader(c, s.Start, s.Len()), buf: buf, at: s.Start}
}

// next returns the next line with its line end, and its offset. The line is
// valid until the next call. It is nil at the end.
func (r *lineReader) next() (line []byte, at int64) {
	end := bytes.IndexByte(r.data, '\n') + 1
	for end == 0 && len(r.data) < lineBytes && !r.done {
		r.fill()
		end = bytes.IndexByte(r.data, '\n') + 1
	}
	if end == 0 {
		return r.long()
	}
	line, at = r.data[:end], r.at
	r.data, r.at = r.data[end:], r.at+int64(end)
	return line, at
}

// fill reads more bytes after those in the buffer.
func (r *lineReader) fill() {
	n := copy(r.buf, r.data)
	m, err := r.src.Read(r.buf[n:])
	r.data = r.buf[:n+m]
	if r.done = err != nil; err != io.EOF {
		r.err = err
	}
}

// long returns the beginning of a line without an end in sight and passes over
// the rest.
func (r *lineReader) long() (line []byte, at int64) {
	if len(r.data) == 0 {
		return nil, r.at
	}
	at = r.at
	line = bytes.Clone(r.data[:min(len(r.data), lineBytes)])
	for {
		r.at += int64(len(r.data))
		r.data = nil
		if r.done {
			return line, at
		}
		r.fill()
		if i := bytes.IndexByte(r.data, '\n'); i >= 0 {
			r.data, r.at = r.data[i+1:], r.at+int64(i+1)
			return line, at
		}
	}
}
