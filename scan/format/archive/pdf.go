package archive

import (
	"bytes"
	"context"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// pdfFormat finds the files embedded in a PDF (ISO 32000-1): every stream that
// anything calls an embedded file is a member. The pages themselves are not taken
// apart.
type pdfFormat struct{}

const (
	pdfMagic = "%PDF-"
	pdfSpare = 4 << 20 // bytes that may be parsed in the smallest document

	// How many objects are remembered at most.
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
	w := &pdfWalk{walk: begin(ctx, c, b, visit), c: c, ends: pdf.NewEnds(c), targets: map[int64][]string{}}
	w.apart, w.cost = true, codecFilter
	if err := w.scan(); err != nil {
		return w.end(err)
	}
	if w.objects == 0 && f.Match(piece(c, 0, HeadSize), c) {
		w.note(damagedContainer, "no objects")
	}
	if err := w.decrypt(); err != nil {
		return w.end(err)
	}
	w.reader = w.newReader() // for the streams
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
	reader  *pdf.Reader
	ends    *pdf.Ends
	objects int
	streams []pdfStream
	specs   []pdfSpec
	values  map[int64]any      // by the numbers of objects, what others may refer to
	targets map[int64][]string // names by the numbers of streams that are embedded files
	encrypt any                // what the trailer says of encryption, nil for nothing
	ids     []string           // what it says the document is
	key     *pdfKey            // nil if nothing is encrypted, or no password known
}

// pdfStream is where an object with a stream is.
type pdfStream struct {
	number, generation int64

	at       int64 // of the object
	again    bool  // it is to be read the other way
	packed   bool  // an object stream
	embedded bool  // says of itself that it is an embedded file
	picture  bool  // says of itself that it is a picture of pages
}

// pdfSpec is a file specification, section 7.11.3.
type pdfSpec struct {
	names []any
	files any
}

// newReader reads the document again. No object is read more often than a few times.
func (w *pdfWalk) newReader() *pdf.Reader {
	return pdf.NewReader(w.ctx, w.c, w.budget.affords(4*w.c.Size()+pdfSpare, priceParsed)+1)
}

// scan finds all objects and trailers.
func (w *pdfWalk) scan() error {
	w.streams, w.specs, w.values, w.objects = nil, nil, map[int64]any{}, 0
	w.reader = w.newReader()
	room := w.reader.Room()
	err := w.reader.Each(func(o pdf.Object) error {
		if o.Trailer {
			w.trailer(o.Value)
		} else {
			w.object(o)
		}
		return nil
	})
	w.budget.Work(room-w.reader.Room(), priceParsed)
	w.troubled(w.reader)
	return err
}

// troubled says what a reader did not follow.
func (w *pdfWalk) troubled(r *pdf.Reader) {
	if why := r.Trouble(); why != "" {
		w.complain(why)
	}
}

// complain says that not all of the structure was followed.
func (w *pdfWalk) complain(why string) {
	if w.told[tooComplex] == 0 {
		w.note(tooComplex, "%s", why)
	}
}

// object takes in an object of the file.
func (w *pdfWalk) object(o pdf.Object) {
	if o.Number >= 0 {
		w.objects++
	}
	if o.Data > 0 {
		w.stream(o)
	}
	value := o.Value
	if w.key != nil {
		value = w.key.clear(value, o.Number, o.Generation)
	}
	w.take(o.Number, value)
}

// stream remembers an object with a stream.
func (w *pdfWalk) stream(o pdf.Object) {
	dict, _ := o.Value.(pdf.Dict)
	s := pdfStream{number: o.Number, generation: o.Generation, at: o.At, again: o.Again}
	kind, _ := dict.Get("Type").(pdf.Name)
	s.packed, s.embedded = dict.IsPacked(), kind == "EmbeddedFile"
	s.picture = dict.Get("Subtype") == pdf.Name(pdf.PictureName)
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
	dict, _ := value.(pdf.Dict)
	switch e := dict.Get("Encrypt").(type) {
	case pdf.Ref, pdf.Dict:
		w.encrypt = e
	}
	if ids, ok := dict.Get("ID").(pdf.Array); ok && len(ids) > 0 && len(w.ids) < pdfIDs {
		if id, ok := ids[0].(pdf.String); ok {
			w.ids = append(w.ids, string(id))
		}
	}
}

// locked reports whether the document is encrypted and stays so.
func (w *pdfWalk) locked() bool { return w.encrypt != nil && w.key == nil }

// decrypt finds the key of an encrypted document and, with it, reads all objects
// again.
func (w *pdfWalk) decrypt() error {
	if w.encrypt == nil {
		return nil
	}
	key, s := w.unlock()
	if key == nil {
		return nil
	}
	if s.text != "" {
		w.note(s.code(), "the document")
	}
	w.key = key
	return w.scan()
}
