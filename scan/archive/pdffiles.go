package archive

// take remembers what others may refer to, and finds file specifications.
func (w *pdfWalk) take(number int64, value any) {
	keep := value != nil
	if dict, ok := value.(pdfDict); ok {
		keep = isPDFFiles(dict) || dict.get("Filter") == pdfName("Standard")
	}
	if keep && len(w.values) < pdfValues {
		w.values[number] = value
	}
	w.collect(value)
}

// isPDFFiles reports whether a dictionary may be the EF of a file specification
// that stands for itself.
func isPDFFiles(dict pdfDict) bool {
	for _, e := range dict {
		if _, ok := e.value.(pdfRef); !ok || !isPDFFile(e.key) {
			return false
		}
	}
	return len(dict) > 0
}

func isPDFFile(key pdfName) bool {
	switch key {
	case "F", "UF", "DOS", "Mac", "Unix":
		return true
	}
	return false
}

// collect finds file specifications in an object, at any depth.
func (w *pdfWalk) collect(value any) {
	switch v := value.(type) {
	case pdfArray:
		for _, e := range v {
			w.collect(e)
		}
	case pdfDict:
		for _, e := range v {
			w.collect(e.value)
			if e.key == "EF" {
				w.specify(v, e.value)
			}
		}
	}
}

func (w *pdfWalk) specify(dict pdfDict, files any) {
	if len(w.specs) == pdfSpecs {
		w.complain("too many file specifications")
		return
	}
	s := pdfSpec{files: files}
	for _, key := range [...]pdfName{"UF", "F", "DOS", "Mac", "Unix"} {
		for _, e := range dict {
			if e.key == key {
				s.names = append(s.names, e.value)
			}
		}
	}
	w.specs = append(w.specs, s)
}

// resolve is what a reference leads to, as far as that was remembered.
func (w *pdfWalk) resolve(value any) any {
	for range pdfDepth {
		ref, ok := value.(pdfRef)
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
		files, _ := w.resolve(s.files).(pdfDict)
		for _, f := range files {
			if ref, ok := f.value.(pdfRef); ok {
				w.targets[int64(ref)] = distinct(append(w.targets[int64(ref)], w.text(s.names)...)...)
			}
		}
	}
}

func (w *pdfWalk) text(values []any) []string {
	var texts []string
	for _, v := range values {
		if s, ok := w.resolve(v).(pdfString); ok && !w.locked() {
			texts = append(texts, s.text())
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
	src, err := w.open(s)
	if err != nil {
		w.noteNext(codeOf(err), "%s: %v", m.name(), err)
	}
	return w.member(m, src)
}
