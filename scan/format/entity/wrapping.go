package entity

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"sync"
)

// Wrapping is a file that is inside a text: a uuencoded block, a file in
// yEnc, a BinHex file. Many clients show it as an attachment, though no header
// announces it.
type Wrapping struct {
	Encoding Encoding // what Decode undoes it with
	Name     string   // as the wrapping has it, undecoded
	Span     Span     // from the line that starts it to the line that ends it, or to the end of the text
}

// Wrappings finds the files wrapped in a text, at most limit of them. A line
// that only looks like a start ("begin 100 days before") is none: the next one
// must hold data. The error is one of src; what was found before it is
// returned. It reads no further than it needs to.
func Wrappings(src io.Reader, limit int) ([]Wrapping, error) {
	f := wrapFinder{limit: limit}
	in := readers.Get().(*bufio.Reader)
	defer readers.Put(in)
	in.Reset(src)
	defer in.Reset(nil)
	for !f.full() {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			f.line(line)
		}
		if err != nil && err != bufio.ErrBufferFull {
			f.close(f.offset)
			if err == io.EOF {
				err = nil
			}
			return f.found, err
		}
	}
	return f.found, nil
}

// readers holds the buffers that are not in use at present.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, lineBuffer) }}

// WrappedName returns the name of the first file that is wrapped in src in that
// encoding, or "".
func WrappedName(enc Encoding, src io.Reader) string {
	found, _ := Wrappings(src, wrappedNameTries)
	for _, w := range found {
		if w.Encoding == enc {
			return w.Name
		}
	}
	return ""
}

// wrappedNameTries is how many files in other encodings may be before it.
const wrappedNameTries = 16

// wrapFinder follows a text line by line.
type wrapFinder struct {
	limit  int
	found  []Wrapping
	offset int64
	within bool // the fragment before had no line end

	open   Wrapping               // Span.End not known yet; no Encoding: none is open
	ending func(text []byte) bool // whether a line ends it
	plain  func(text []byte) bool // whether the line below the start holds data; nil once it was seen
	before []byte                 // each line of it: the text is quoted
	binhex *binhexDecoder
}

func (f *wrapFinder) full() bool { return len(f.found) >= f.limit }

func (f *wrapFinder) line(line []byte) {
	within := f.within
	f.within = line[len(line)-1] != '\n'
	end := f.offset + int64(len(line))
	if !within {
		f.text(trimEnd(line), end)
	}
	if f.binhex != nil {
		f.binhex.line(nil, line)
		f.open.Name = f.binhex.file.name()
		if f.binhex.place == afterData {
			f.close(end)
		}
	}
	f.offset = end
}

// text takes the start of a line that ends at the offset end.
func (f *wrapFinder) text(text []byte, end int64) {
	inner := text
	if f.open.Encoding == UUEncode {
		inner = withoutQuoting(text, f.before)
	}
	if f.plain != nil {
		if !f.plain(inner) {
			f.open = Wrapping{}
		}
		f.plain = nil
	}
	switch w, before, ok := wrapStart(text); {
	case ok && f.binhex == nil:
		f.start(w)
		f.before = append(f.before[:0], before...)
	case f.open.Encoding != Identity && f.ending(inner):
		f.close(end)
	}
}

// start opens a wrapping; one that is still open has lost its end.
func (f *wrapFinder) start(w Wrapping) {
	f.close(f.offset)
	w.Span.Start = f.offset
	f.open, f.ending, f.plain = w, never, nil
	switch w.Encoding {
	case UUEncode:
		f.ending, f.plain = uuEnd, uuOrBase64Data
	case YEnc:
		f.ending = yencEnd
	case BinHex:
		f.binhex = &binhexDecoder{ledger: new(ledger), fork: dataFork}
	}
}

// close ends the open files at the offset.
func (f *wrapFinder) close(at int64) {
	empty := f.plain != nil || f.binhex != nil && f.binhex.place == beforeData
	if f.open.Encoding == Identity || empty || f.full() {
		f.open, f.plain, f.binhex = Wrapping{}, nil, nil
		return
	}
	f.open.Span.End = at
	if n := len(f.found); n > 0 && f.open.Encoding == YEnc && f.found[n-1].Encoding == YEnc && f.found[n-1].Name == f.open.Name {
		f.found[n-1].Span.End = at // the next part of the same file
	} else {
		f.found = append(f.found, f.open)
	}
	f.open, f.binhex = Wrapping{}, nil
}

// wrapStart recognises the line that starts a wrapping, and what may be before each line
// of it.
func wrapStart(text []byte) (w Wrapping, before []byte, ok bool) {
	before = text[:quoting(text)]
	if text = text[len(before):]; len(text) < 2 || len(before) > 0 && text[0] != 'b' {
		return Wrapping{}, nil, false
	}
	switch text[0] {
	case 'b':
		name, kind := uuBegin(text)
		return Wrapping{Encoding: UUEncode, Name: name}, before, kind != ""
	case '=':
		name, ok := yencBegin(text)
		return Wrapping{Encoding: YEnc, Name: name}, nil, ok
	case '(':
		return Wrapping{Encoding: BinHex}, nil, bytes.HasPrefix(text, []byte(binhexMarker))
	}
	return Wrapping{}, nil, false
}

func never([]byte) bool { return false }

func uuEnd(text []byte) bool { return string(text) == "end" || string(text) == "====" }

func yencEnd(text []byte) bool { return strings.HasPrefix(string(text), "=yend") }

// uuOrBase64Data reports whether a line can be below "begin" or
// "begin-base64".
func uuOrBase64Data(text []byte) bool {
	s := base64ShapeOf(text)
	return uuData(text) || xxData(text) || s.digits >= 2 && s.blanks+s.junk+s.url == 0 || string(text) == "===="
}
