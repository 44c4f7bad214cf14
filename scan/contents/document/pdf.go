package document

import (
	"bytes"
	"slices"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// isPDF reports whether the part begins with a PDF, or with form data for one (ISO
// 32000-1, section 12.7.7), which act as well, or soon comes to a PDF:
// readers accept up to 1024 bytes of anything before it.
func (e *examination) isPDF() bool {
	const farthest = 1024
	h := e.head[:min(len(e.head), farthest+8)]
	return bytes.Contains(h, []byte("%PDF-")) || bytes.Contains(h, []byte("%FDF-")) ||
		bytes.Contains(h, []byte("%!PS-Adobe-")) && bytes.Contains(h, []byte("PDF-"))
}

// pdfFile is a PDF being looked into.
type pdfFile struct {
	*examination
	reader  *pdf.Reader
	ends    *pdf.Ends
	objects int
	packed  []pdf.Object // streams that hold further objects, their values dropped
	kept    []pdf.Dict   // those in which something is to be judged
	actions map[int64]pdfKnown[pdf.Dict]
	names   map[int64]pdfKnown[string]
	filters map[int64]pdfKnown[any]
	locked  bool // something says that it is encrypted
}

// pdfKnown keeps objects by their numbers, to be referred to: actions, names and
// strings, filters and their parameters. Of several
// objects with the same number the last one in the file is right.
type pdfKnown[T any] struct {
	what T
	at   int64 // where in the file, for those in a stream that of the stream
}

// Bounds of what we keep of the objects of one file.
const (
	mostObjects = 1_000_000
	mostKept    = 50_000
)

// pdf looks into a PDF (ISO 32000-1).
func (e *examination) pdf() error {
	f := &pdfFile{examination: e, ends: pdf.NewEnds(e.part.Content), actions: map[int64]pdfKnown[pdf.Dict]{},
		names: map[int64]pdfKnown[string]{}, filters: map[int64]pdfKnown[any]{}}
	f.reader = f.newReader()
	if err := f.parsed(func() error { return f.reader.Each(f.object) }); err != nil && err != errStop {
		return err
	}
	f.troubled()
	f.reader = f.newReader() // for the streams
	for _, o := range f.packed {
		if err := f.objectStream(o); err != nil {
			return err
		}
	}
	return f.judge()
}

// newReader reads the document again. No object is read more often than a few times.
func (f *pdfFile) newReader() *pdf.Reader {
	const times, extra = 8, 16 << 20
	return pdf.NewReader(f.ctx, f.part.Content, times*f.part.Content.Size()+extra)
}

// parsed charges for the bytes that parse has the reader parse.
func (f *pdfFile) parsed(parse func() error) error {
	room := f.reader.Room()
	err := parse()
	f.ledger.work.Work(room-f.reader.Room(), priceParsed)
	return err
}

// troubled says what the reader did not follow.
func (f *pdfFile) troubled() {
	if why := f.reader.Trouble(); why != "" {
		f.tooComplex(why)
	}
}

// object takes in an object of the file.
func (f *pdfFile) object(o pdf.Object) error {
	if f.objects++; f.objects > mostObjects {
		f.tooComplex("it holds more objects than are looked at")
		return errStop
	}
	f.enter(o.Number, o.At, o.Value)
	if d, _ := o.Value.(pdf.Dict); o.Data == 0 || !d.IsPacked() {
		return nil
	}
	if len(f.packed) >= mostKept {
		f.tooComplex("it has more streams of objects than are looked at")
		return nil
	}
	o.Value = nil
	f.packed = append(f.packed, o)
	return nil
}

// enter keeps the parts of an object to be judged. Its place is its offset in the
// file, or that of its stream.
func (f *pdfFile) enter(number, at int64, value any) {
	f.know(number, at, value)
	pdf.Dicts(value, func(d pdf.Dict) {
		f.locked = f.locked || d.Has("Encrypt")
		if !notable(d) {
			return
		}
		if len(f.kept) >= mostKept {
			f.tooComplex("it has more actions than are looked at")
			return
		}
		f.kept = append(f.kept, d)
	})
}

// know keeps an object that may be referred to.
func (f *pdfFile) know(number, at int64, value any) {
	const longestChain = 64 // of filters
	switch v := value.(type) {
	case pdf.Name:
		know(f.names, number, pdfKnown[string]{clip(string(v), longestText), at})
	case pdf.String:
		know(f.names, number, pdfKnown[string]{clip(v.Text(), longestText), at})
	case pdf.Array:
		if len(v) <= longestChain && areNames(v) {
			know(f.filters, number, pdfKnown[any]{v, at})
		}
	case pdf.Dict:
		if notable(v) {
			know(f.actions, number, pdfKnown[pdf.Dict]{v, at})
		}
		if v.Has("Predictor") || v.Has("EarlyChange") {
			know(f.filters, number, pdfKnown[any]{v, at})
		}
	}
}

// areNames reports whether a list may be one of filters.
func areNames(list pdf.Array) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(pdf.Name); return !ok })
}

func know[T any](known map[int64]pdfKnown[T], number int64, value pdfKnown[T]) {
	old, twice := known[number]
	if number > 0 && (twice && value.at >= old.at || !twice && len(known) < mostKept) {
		known[number] = value
	}
}

// named returns the name or string with a number, "" if there is none.
func (f *pdfFile) named(ref pdf.Ref) string {
	known, ok := f.names[int64(ref)]
	if !ok && len(f.names) >= mostKept {
		f.tooComplex("it has more names than are kept")
	}
	return known.what
}

// acts are the kinds of actions that are judged (section 12.6.4).
var acts = map[string]bool{
	"Launch": true, "JavaScript": true, "GoToR": true, "GoToE": true, "SubmitForm": true, "ImportData": true, "URI": true,
}

// notableKeys are keys of dictionaries in which something is to be judged: of
// actions, the catalogue, files, forms and trailers; and events, in a dictionary
// that may be an object by itself (section 12.6.3).
var notableKeys = wordSet(`JS JavaScript OpenAction AA EmbeddedFiles EF XFA Encrypt WC WS DS WP DP PO PC PV PI Fo Bl`)

// notable reports whether anything in a dictionary is to be judged. Most that
// have a key S are elements of the text's structure.
func notable(d pdf.Dict) bool {
	for _, e := range d {
		switch v := e.Value.(type) {
		case pdf.Name:
			if e.Key == "S" && acts[string(v)] || e.Key == "Type" && v == "EmbeddedFile" || e.Key == "Subtype" && v == "RichMedia" {
				return true
			}
		case pdf.Ref, pdf.Array:
			if e.Key == "S" {
				return true
			}
		}
		if notableKeys[string(e.Key)] {
			return true
		}
	}
	return false
}

// judge says what was found, once all objects are known.
func (f *pdfFile) judge() error {
	forms := map[int64]int{}
	for _, d := range f.kept {
		if isTrailer(d) && d.Has("Encrypt") {
			f.report.add(rulePDFEncrypted, "its texts and streams are encrypted")
		}
		f.dictionary(d)
		if values := d.All("XFA"); values != nil {
			f.form(values, forms)
		}
	}
	return f.formStreams(forms)
}

// isTrailer reports whether a dictionary is a file's trailer (section 7.5.5), or
// that of a stream in its stead.
func isTrailer(d pdf.Dict) bool { return d.Has("Root") || d.Has("Size") }
