package archive

import (
	"slices"

	"github.com/milterscan/milterscan/scan/format/pdf"
)

// take remembers what others may refer to, and finds file specifications.
func (w *pdfWalk) take(number int64, value any) {
	keep := value != nil
	if dict, ok := value.(pdf.Dict); ok {
		keep = isPDFFiles(dict) || dict.Get("Filter") == pdf.Name("Standard")
	}
	if keep && len(w.values) < pdfValues {
		w.values[number] = value
	}
	w.collect(value)
}

// isPDFFiles reports whether a dictionary may be the EF of a file specification as a
// separate object.
func isPDFFiles(dict pdf.Dict) bool {
	return slices.ContainsFunc(dict, func(e pdf.Entry) bool {
		_, ok := e.Value.(pdf.Ref)
		return ok && isPDFFile(e.Key)
	})
}

func isPDFFile(key pdf.Name) bool {
	switch key {
	case "F", "UF", "DOS", "Mac", "Unix":
		return true
	}
	return false
}

// collect finds file specifications in an object, at any depth.
func (w *pdfWalk) collect(value any) {
	switch v := value.(type) {
	case pdf.Array:
		for _, e := range v {
			w.collect(e)
		}
	case pdf.Dict:
		for _, e := range v {
			w.collect(e.Value)
			if e.Key == "EF" {
				w.specify(v, e.Value)
			}
		}
	}
}

func (w *pdfWalk) specify(dict pdf.Dict, files any) {
	if len(w.specs) == pdfSpecs {
		w.complain("too many file specifications")
		return
	}
	s := pdfSpec{files: files}
	for _, key := range [...]pdf.Name{"UF", "F", "DOS", "Mac", "Unix"} {
		for _, e := range dict {
			if e.Key == key {
				s.names = append(s.names, e.Value)
			}
		}
	}
	w.specs = append(w.specs, s)
}

// resolve returns what a reference leads to, as far as that was remembered.
func (w *pdfWalk) resolve(value any) any {
	const most = 32 // references to references
	for range most {
		ref, ok := value.(pdf.Ref)
		if !ok {
			return value
		}
		value = w.values[int64(ref)]
	}
	return nil
}

// link finds the streams that file specifications lead to, and their names.
func (w *pdfWalk) link() {
	for _, s := range w.specs {
		files, _ := w.resolve(s.files).(pdf.Dict)
		for _, f := range files {
			if ref, ok := f.Value.(pdf.Ref); ok {
				w.targets[int64(ref)] = distinct(append(w.targets[int64(ref)], w.text(s.names)...)...)
			}
		}
	}
}

func (w *pdfWalk) text(values []any) []string {
	var texts []string
	for _, v := range values {
		if s, ok := w.resolve(v).(pdf.String); ok && !w.locked() {
			texts = append(texts, s.Text())
		}
	}
	return texts
}

// one hands over a stream, if it is an embedded file.
func (w *pdfWalk) one(s pdfStream) error {
	names, linked := w.targets[s.number]
	if !linked && !s.embedded {
		return nil
	}
	m := Member{Names: names, Size: -1}
	if w.locked() {
		m.Encrypted = true
		w.noteNext(encryptedDocument, "%s", m.name())
		return w.member(m, nil)
	}
	dict, data := w.again(s)
	src, err := w.open(s, dict, data)
	if err != nil {
		w.noteNext(codeOf(err), "%s: %v", m.name(), err)
	}
	return w.member(m, src)
}
