package archive

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// open is what a stream unpacks to; beside an error, as far as that is known how.
func (w *pdfWalk) open(s pdfStream) (io.Reader, error) {
	value, p := w.parse(piece(w.c, s.at, pdfBefore), s.at)
	dict, _ := value.(pdfDict)
	if !p.has(streamMark) {
		return nil, fmt.Errorf("object %d has no stream", s.number)
	}
	start := s.at + int64(p.at) + int64(len(streamMark))
	switch rest := p.b[p.at+len(streamMark):]; {
	case hasAny(rest, "\r\n"):
		start += 2
	case hasAny(rest, "\r", "\n"):
		start++
	}
	end := w.streamEnd(start, dict)
	src := stretch(w.c, start, end-start)
	filters := w.filters(dict)
	if w.key != nil && !slices.ContainsFunc(filters, func(f pdfFilter) bool { return f.name == "Crypt" }) {
		method := w.key.streams
		if s.embedded {
			method = w.key.files
		}
		var err error
		if src, err = w.key.decrypted(src, method, s.number, s.generation); err != nil {
			return nil, err
		}
	}
	return w.decoded(src, filters)
}

// streamEnd is where a stream that begins at start ends: where its length says,
// if its mark is there, or at the first mark.
func (w *pdfWalk) streamEnd(start int64, dict pdfDict) int64 {
	const mark = "endstream"
	length, ok := w.resolve(dict.get("Length")).(int64)
	if ok && length >= 0 && length < w.c.Size()-start {
		behind := piece(w.c, start+length, int64(len(mark))+2)
		if hasAny(bytes.TrimLeft(behind, "\r\n"), mark) {
			return start + length
		}
	}
	end := find(w.c, mark, start, w.c.Size())
	switch {
	case end < 0 && ok && length > 0:
		return start + min(length, largest-start)
	case end < 0:
		return w.c.Size()
	}
	tail := piece(w.c, max(start, end-2), min(2, end-start))
	return end - int64(len(tail)-len(trimEOL(tail)))
}

// trimEOL cuts one end of line.
func trimEOL(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// packedObjects reads the objects in object streams, section 7.5.7.
func (w *pdfWalk) packedObjects() error {
	for _, s := range w.streams {
		if !s.packed {
			continue
		}
		src, err := w.open(s)
		if err != nil {
			w.note(codeOf(err), "object stream %d: %v", s.number, err)
			continue
		}
		text, err := w.readAll(s, src)
		if err != nil {
			return err
		}
		value, _ := w.parse(piece(w.c, s.at, pdfBefore), s.at)
		dict, _ := value.(pdfDict)
		w.unpack(text, dict)
	}
	return nil
}

// pdfPacked is how large an object stream may be, in bytes.
const pdfPacked = 16 << 20

// readAll reads an object stream, as far as it can be read.
func (w *pdfWalk) readAll(s pdfStream, src io.Reader) ([]byte, error) {
	if err := w.enter(); err != nil {
		return nil, err
	}
	b := &body{w: w.walk, src: src}
	text, err := io.ReadAll(io.LimitReader(b, pdfPacked))
	switch {
	case w.ctx.Err() != nil:
		return nil, w.ctx.Err()
	case b.limited():
		w.note(b.limit, "object stream %d", s.number)
		return nil, ErrLimit
	case err != nil:
		w.note(codeOf(err), "object stream %d: %v", s.number, err)
	case len(text) == pdfPacked:
		w.complain("an object stream is too large")
	}
	return text, nil
}

// unpack takes in the objects of an object stream: pairs of number and place,
// and the objects themselves from First on.
func (w *pdfWalk) unpack(text []byte, dict pdfDict) {
	first, _ := w.resolve(dict.get("First")).(int64)
	if first < 0 || first > int64(len(text)) {
		first = 0
	}
	index, room := &pdfParser{b: text[:first]}, 4*len(text)
	for index.space() {
		number, _ := index.object()
		place, ok := index.object()
		n, isNumber := number.(int64)
		at, isPlace := place.(int64)
		if !ok || !isNumber || !isPlace || at < 0 || at > int64(len(text))-first {
			return
		}
		p := &pdfParser{b: text[first+at:]}
		value, _ := p.object()
		if room -= p.at; room < 0 || p.deep {
			w.complain("objects overlap or are nested too deeply")
			return
		}
		w.objects++
		w.take(n, value)
	}
}
