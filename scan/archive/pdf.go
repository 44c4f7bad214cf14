package archive

import (
	"bytes"
	"context"
	"strconv"

	"github.com/milterscan/milterscan/scan/scratch"
)

// pdfFormat finds the files embedded in a PDF (ISO 32000-1). Cross-reference
// tables, which say where objects are, can lie, and viewers repair them in ways
// of their own; so all objects are looked for by their marks, also in object
// streams, and every stream that anything calls an embedded file is a member. The
// pages themselves are not taken apart.
type pdfFormat struct{}

const (
	pdfMagic  = "%PDF-"
	pdfBefore = 32      // bytes that the number of an object takes at most
	pdfLarge  = 1 << 20 // bytes of the largest object, its stream not counted

	// Bounds of what is remembered, in objects.
	pdfStreams = 1 << 18
	pdfValues  = 1 << 16
	pdfSpecs   = 1 << 14
)

func (pdfFormat) Name() string { return "pdf" }

func (pdfFormat) Match(head []byte, _ Content) bool {
	return hasAny(bytes.TrimLeft(head[:min(len(head), 16)], "\xef\xbb\xbf \t\r\n\x00"), pdfMagic)
}

// inside looks as far as viewers do.
func (pdfFormat) inside(c Content, taken Places) bool {
	at := find(c, pdfMagic, 0, min(c.Size(), HeadSize))
	return at > 0 && !taken.hold(at)
}

func (f pdfFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &pdfWalk{walk: begin(ctx, c, b, visit), c: c, values: map[int64]any{}, targets: map[int64][]string{}}
	w.room = w.space()
	w.apart = true
	if err := w.scan(); err != nil {
		return w.end(err)
	}
	if w.objects == 0 && f.Match(piece(c, 0, HeadSize), c) {
		w.note(damagedContainer, "no objects")
	}
	if err := w.decrypt(); err != nil {
		return w.end(err)
	}
	if w.locked() {
		w.note(encryptedDocument, "no known password opens the document")
	} else if err := w.packedObjects(); err != nil {
		return w.end(err)
	}
	w.link()
	for _, s := range w.streams {
		if err := w.one(s); err != nil {
			return w.end(err)
		}
	}
	return w.end(nil)
}

type pdfWalk struct {
	*walk
	c       Content
	objects int
	streams []pdfStream
	specs   []pdfSpec
	values  map[int64]any      // by the numbers of objects, what others may refer to
	targets map[int64][]string // names by the numbers of streams that are embedded files
	encrypt any                // what the trailer says of encryption, nil for nothing
	ids     []string           // what it says the document is
	key     *pdfKey            // nil if nothing is encrypted, or no password known
	room    int64              // bytes that may still be parsed; objects do not overlap
}

// pdfStream is where an object with a stream is.
type pdfStream struct {
	number, generation int64

	at       int64 // behind "obj"
	packed   bool  // an object stream
	embedded bool  // says of itself that it is an embedded file
}

// pdfSpec is a file specification, section 7.11.3.
type pdfSpec struct {
	names []any
	files any
}

// scan finds all objects and trailers.
func (w *pdfWalk) scan() error {
	return scratch.Windows(w.c, 0, pdfBefore, func(b []byte, start int64) error {
		seen := 0 // bytes in which the window before had all marks
		if start > 0 {
			seen = pdfBefore
		}
		w.each(b, "obj", seen, func(i int) {
			if s, ok := pdfNumber(b[:i]); ok {
				s.at = start + int64(i) + 3
				w.object(s, b[i+3:])
			}
		})
		w.each(b, "trailer", seen, func(i int) {
			value, _ := w.parse(b[i+7:], start+int64(i)+7)
			w.trailer(value)
		})
		return w.ctx.Err()
	})
}

// each calls f for every place of mark in b that is not all in the bytes seen.
func (w *pdfWalk) each(b []byte, mark string, seen int, f func(i int)) {
	for at := max(0, seen-len(mark)+1); ; {
		i := bytes.Index(b[at:], []byte(mark))
		if i < 0 {
			return
		}
		f(at + i)
		at += i + len(mark)
	}
}

// pdfNumber reads the number of an object and its generation, which stand before
// "obj", from the end of b.
func pdfNumber(b []byte) (s pdfStream, ok bool) {
	second, b := lastNumber(b)
	if b == nil {
		return s, false
	}
	first, b := lastNumber(b)
	s.generation, _ = strconv.ParseInt(second, 10, 64)
	var err error
	s.number, err = strconv.ParseInt(first, 10, 64)
	return s, b != nil && err == nil
}

// lastNumber cuts digits and blanks from the end of b; nil if there are none.
func lastNumber(b []byte) (digits string, rest []byte) {
	end := len(b)
	for end > 0 && isPDFSpace(b[end-1]) {
		end--
	}
	start := end
	for start > 0 && isDigit(b[start-1]) {
		start--
	}
	if start == end {
		return "", nil
	}
	return string(b[start:end]), b[:start:start]
}

// parse reads the object at off, which b begins with; what follows is there up to
// some length.
func (w *pdfWalk) parse(b []byte, off int64) (any, *pdfParser) {
	p := &pdfParser{b: b}
	if w.room < 0 {
		return nil, p
	}
	value := p.whole()
	w.room -= int64(p.at)
	for size := int64(16 << 10); p.short && size <= pdfLarge && int64(len(p.b)) < w.c.Size()-off; size *= 8 {
		if w.room -= size; w.room < 0 {
			break
		}
		if size > int64(len(p.b)) {
			p = &pdfParser{b: piece(w.c, off, size)}
			value = p.whole()
		}
	}
	if p.deep {
		w.complain("objects are nested too deeply")
	}
	if w.room < 0 {
		w.complain("objects overlap")
	}
	return value, p
}

// complain says that not all of the structure was followed.
func (w *pdfWalk) complain(why string) {
	if w.told[tooComplex] == 0 {
		w.note(tooComplex, "%s", why)
	}
}

// object takes in an object of the file.
func (w *pdfWalk) object(s pdfStream, b []byte) {
	w.objects++
	value, p := w.parse(b, s.at)
	dict, isDict := value.(pdfDict)
	if isDict && p.has(streamMark) {
		w.stream(s, dict)
	}
	if w.key != nil {
		value = w.key.clear(value, s.number, s.generation)
	}
	w.take(s.number, value)
}

// stream remembers an object with a stream.
func (w *pdfWalk) stream(s pdfStream, dict pdfDict) {
	kind, _ := dict.get("Type").(pdfName)
	s.packed, s.embedded = kind == "ObjStm", kind == "EmbeddedFile"
	if kind == "XRef" {
		w.trailer(dict)
	}
	if len(w.streams) == pdfStreams {
		w.complain("too many streams")
		return
	}
	w.streams = append(w.streams, s)
}

// pdfIDs bounds the trailers that are listened to.
const pdfIDs = 4

// trailer looks whether the document is encrypted, section 7.6.1.
func (w *pdfWalk) trailer(value any) {
	dict, _ := value.(pdfDict)
	switch e := dict.get("Encrypt").(type) {
	case pdfRef, pdfDict:
		w.encrypt = e
	}
	if ids, ok := dict.get("ID").(pdfArray); ok && len(ids) > 0 && len(w.ids) < pdfIDs {
		if id, ok := ids[0].(pdfString); ok {
			w.ids = append(w.ids, string(id))
		}
	}
}

// locked reports whether the document is encrypted and stays so.
func (w *pdfWalk) locked() bool { return w.encrypt != nil && w.key == nil }

// decrypt finds the key of an encrypted document and, with it, reads all objects
// anew.
func (w *pdfWalk) decrypt() error {
	if w.encrypt == nil {
		return nil
	}
	key, password := w.unlock()
	if key == nil {
		return nil
	}
	if password != "" {
		w.note(openedByPassword, "the document")
	}
	w.key, w.streams, w.specs, w.values, w.objects, w.room = key, nil, nil, map[int64]any{}, 0, w.space()
	return w.scan()
}

// space is how much may be parsed.
func (w *pdfWalk) space() int64 { return 4*w.c.Size() + 4*pdfLarge }
