package document

import (
	"bytes"
	"errors"
)

// isPDF reports whether the part begins with a PDF, or soon comes to one:
// readers accept up to 1024 bytes of anything before it.
func (e *examination) isPDF() bool {
	const farthest = 1024
	h := e.head[:min(len(e.head), farthest+8)]
	return bytes.Contains(h, []byte("%PDF-")) || bytes.Contains(h, []byte("%!PS-Adobe-")) && bytes.Contains(h, []byte("PDF-"))
}

// pdfFile is a PDF being looked into. All that looks like an object is read,
// wherever it stands, since the table of objects may point anywhere: into
// comments, strings and streams.
type pdfFile struct {
	*examination
	parser  pdfParser
	kept    []pdfDict       // those in which something is to be judged
	actions map[int]pdfDict // of these, the ones that are objects by themselves
	names   map[int]string  // names and strings that are objects by themselves
	locked  bool            // the word for encryption stands somewhere
}

// What is kept of the objects of one file.
const (
	mostObjects = 1_000_000
	mostKept    = 50_000
)

// pdf looks into a PDF (ISO 32000-1).
func (e *examination) pdf() error {
	f := &pdfFile{examination: e, actions: map[int]pdfDict{}, names: map[int]string{}}
	f.parser.pdfSource = newPDFSource(e.ctx, e.part.Content)
	err := e.occurrences(e.part.Content, "/Encrypt", 1, func(int64) error { f.locked = true; return errStop })
	if err != nil {
		return err
	}
	for _, mark := range [...]string{"obj", "trailer"} {
		err := e.occurrences(e.part.Content, mark, mostObjects, func(off int64) error { return f.object(off, mark) })
		if err != nil {
			return err
		}
	}
	if f.parser.deep {
		e.tooComplex("its objects stand too deep inside each other")
	}
	return f.judge()
}

// object reads the object behind a mark at off.
func (f *pdfFile) object(off int64, mark string) error {
	number := 0
	if mark == "obj" {
		const before = 32
		b, err := readAt(f.part.Content, max(off-before, 0), int(min(before, off)))
		if err != nil || bytes.HasSuffix(b, []byte("end")) {
			return err
		}
		number = objectNumber(b)
	}
	p := &f.parser
	p.pos = off + int64(len(mark))
	v, _ := p.value(p.token(), 0)
	f.enter(number, v)
	if v.dict != nil && isObjectStream(v.dict) && p.token() == pdfKeyword && bytes.Equal(p.text, []byte("stream")) {
		if err := f.objectStream(v.dict); err != nil {
			return err
		}
	}
	if errors.Is(p.err, errTooLong) {
		f.tooComplex(p.err.Error())
		p.err, p.left = nil, 0
		return errStop
	}
	return p.err
}

// objectNumber is the number in "12 0 " at the end of b, 0 if there is none.
func objectNumber(b []byte) int {
	words := bytes.Fields(b)
	if len(words) < 2 {
		return 0
	}
	return int(integer(words[len(words)-2]))
}

// enter keeps what is to be judged of an object.
func (f *pdfFile) enter(number int, v pdfValue) {
	if name := v.name + v.text; name != "" && number > 0 && len(f.names) < mostKept {
		f.names[number] = clip(name, longestText)
	}
	v.each(func(d pdfDict) {
		if !notable(d) {
			return
		}
		if len(f.kept) >= mostKept {
			f.tooComplex("it has more actions than are looked at")
			return
		}
		f.kept = append(f.kept, d)
	})
	if number > 0 && v.dict != nil && notable(v.dict) && len(f.actions) < mostKept {
		f.actions[number] = v.dict
	}
}

// acts are the kinds of actions that are judged (section 12.6.4).
var acts = map[string]bool{"Launch": true, "JavaScript": true, "GoToR": true, "GoToE": true, "SubmitForm": true, "ImportData": true, "URI": true}

// notableKeys are keys of dictionaries in which something is to be judged: of
// actions, the catalogue, files, forms and trailers; and events, in a dictionary
// that may be an object by itself (section 12.6.3).
var notableKeys = wordSet(`JS JavaScript OpenAction AA EmbeddedFiles EF XFA Encrypt WC WS DS WP DP PO PC PV PI Fo Bl`)

// notable reports whether anything in a dictionary is to be judged. Most that
// have a key S are elements of the text's structure.
func notable(d pdfDict) bool {
	for key := range d {
		if notableKeys[key] {
			return true
		}
	}
	s := d["S"]
	return acts[s.name] || s.ref > 0 || s.list != nil || d["Type"].name == "EmbeddedFile" || d["Subtype"].name == "RichMedia"
}

// judge says what was found, once all objects are known.
func (f *pdfFile) judge() error {
	for _, d := range f.kept {
		if d.isTrailer() && d.has("Encrypt") {
			f.report.add(rulePDFEncrypted, "its texts and streams are encrypted")
		}
		f.dictionary(d)
		if err := f.form(d["XFA"]); err != nil {
			return err
		}
	}
	return nil
}

// isTrailer reports whether a dictionary is a file's trailer (section 7.5.5), or
// that of a stream in its stead.
func (d pdfDict) isTrailer() bool { return d.has("Root") || d.has("Size") }
