package entity

import (
	"slices"
	"strings"
)

// meaning is what a header says about its entity, contradictions included. Its
// lists hold the likeliest first.
type meaning struct {
	values       []value // of each Content-Type
	types        []typed
	encodings    []Encoding
	disposition  string
	ct, cd       [][]Param
	damage       damage
	oddTypes     bool // a media type is not of the form type/subtype
	listedTypes  bool // one value names several
	comments     bool
	oddEncodings bool // clients may take the encoding for unknown
	counts       struct{ types, encodings, dispositions int }
}

// typed is a media type and the index of the value it is in.
type typed struct {
	name  string
	value int
}

// understand takes a header's content fields apart. What m held before is
// gone, but its memory is used again.
func (m *meaning) understand(h Header, l *Limits) {
	*m = meaning{values: m.values[:0], types: m.types[:0], encodings: m.encodings[:0], ct: m.ct[:0], cd: m.cd[:0]}
	for i := range h.Fields {
		f := &h.Fields[i]
		switch {
		case !isContentField(f.Name):
		case strings.EqualFold(f.Name, "Content-Type"):
			m.contentType(f.Value, l)
		case strings.EqualFold(f.Name, "Content-Disposition"):
			m.contentDisposition(f.Value, l)
		default:
			m.transferEncoding(f.Value)
		}
	}
}

func (m *meaning) contentType(s string, l *Limits) {
	m.counts.types++
	v := parseValue(s, l.Params)
	m.damage |= v.damage
	m.ct = append(m.ct, v.Params)
	m.ct = m.hidden(m.ct, &v, s, l)
	m.values = append(m.values, v)
	if head := strings.Trim(v.Head, " \t\r\n"); isMediaType(head) {
		m.types = append(m.types, typed{strings.ToLower(head), len(m.values) - 1})
		return
	}
	m.comments = m.comments || strings.Contains(v.Head, "(")
	list, clean := mediaTypes(v.Head)
	m.oddTypes = m.oddTypes || !clean
	m.listedTypes = m.listedTypes || len(list) > 1
	for _, name := range list {
		m.types = append(m.types, typed{name, len(m.values) - 1})
	}
}

// hidden adds the parameters of a value that is an encoded word as a whole, for
// clients that decode a field before they take it apart.
func (m *meaning) hidden(to [][]Param, v *value, s string, l *Limits) [][]Param {
	if !holdsWord(v.Head) {
		return to
	}
	m.damage |= oddName
	return append(to, parseValue(DecodeWords(unfold(s)), l.Params).Params)
}

func (m *meaning) transferEncoding(s string) {
	m.counts.encodings++
	if enc, known := knownEncoding(strings.ToLower(strings.Trim(s, " \t\r\n"))); known {
		m.addEncoding(enc)
		return
	}
	m.comments = m.comments || strings.Contains(s, "(")
	list, clean := encodings(s)
	m.oddEncodings = m.oddEncodings || !clean
	for _, enc := range list {
		m.addEncoding(enc)
	}
}

func (m *meaning) addEncoding(enc Encoding) {
	if !slices.Contains(m.encodings, enc) {
		m.encodings = append(m.encodings, enc)
	}
}

func (m *meaning) contentDisposition(s string, l *Limits) {
	v := parseValue(s, l.Params)
	m.damage |= v.damage
	m.cd = append(m.cd, v.Params)
	m.cd = m.hidden(m.cd, &v, s, l)
	if strings.Contains(v.Head, "=") { // clients look for "filename=" anywhere, and in encoded words
		m.cd = append(m.cd, parseValue(";"+DecodeWords(v.Head), l.Params).Params)
	}
	if m.counts.dispositions++; m.counts.dispositions == 1 {
		m.disposition = strings.ToLower(strings.Trim(stripComments(v.Head), " \t\r\n"))
	}
}

// mediaType returns the media type of the first reading.
func (m *meaning) mediaType(byDefault string) string {
	if len(m.types) == 0 || m.types[0].name == "" {
		return byDefault
	}
	return m.types[0].name
}

// encoding returns the transfer encoding of the first reading.
func (m *meaning) encoding() Encoding {
	if len(m.encodings) == 0 {
		return Identity
	}
	return m.encodings[0]
}

// params returns the parameters that belong to the media type of the first
// reading.
func (m *meaning) params() []Param {
	if len(m.types) == 0 {
		return nil
	}
	return m.values[m.types[0].value].Params
}

// charset returns the first charset parameter, lower case.
func (m *meaning) charset() string {
	for _, params := range m.ct {
		for i := range params {
			if params[i].Name == "charset" {
				return strings.ToLower(params[i].Value)
			}
		}
	}
	return ""
}

// describe sets what the first reading of its header says about e, and notes
// what others could see in it. The media type is byDefault if there is none.
func (k *books) describe(e *Entity, m *meaning, byDefault string) {
	m.understand(e.Header, &k.limits)
	e.Type = m.mediaType(byDefault)
	e.Charset = m.charset()
	e.Disposition = m.disposition
	e.Encoding = m.encoding()
	k.names(e, decodeNames(nil, m.cd), decodeNames(m.ct, nil))
	k.noteTypes(e, m)
	k.noteEncodings(e, m)
	k.noteDamage(e, m)
}

func (k *books) noteDamage(e *Entity, m *meaning) {
	for _, d := range [...]struct {
		found bool
		code  string
	}{
		{m.damage&^untidy != 0, "parameter-damaged"},
		{m.damage&doubled != 0, "parameter-repeated"},
		{m.damage&unquoted != 0, "parameter-unquoted"},
		{m.damage&blanks != 0, "parameter-blank"},
		{m.damage&comments != 0 || m.comments, "header-comment"},
		{m.damage&tooManyParams != 0, "parameters-limit"},
		{m.counts.dispositions > 1, "duplicate-disposition"},
	} {
		if d.found {
			k.note(e, d.code, e.Head, "")
		}
	}
}

// names sets the file names: those of the dispositions, then those of the
// types.
func (k *books) names(e *Entity, names, types []string) {
	common := len(names) == 0 || len(types) == 0
	for _, name := range types {
		if slices.Contains(names, name) {
			common = true
		} else {
			names = append(names, name)
		}
	}
	if !common {
		k.note(e, "names-differ", e.Head, strings.Join(names, ", "))
	}
	if len(names) > k.limits.Names {
		k.note(e, "names-limit", e.Head, names[k.limits.Names])
		names = names[:k.limits.Names]
	}
	e.Names = names
}

func (k *books) noteTypes(e *Entity, m *meaning) {
	if m.counts.types > 1 {
		k.suspect(e, severalTypes, "duplicate-content-type", e.Head, e.Type)
	}
	if m.listedTypes {
		k.suspect(e, severalTypes, "media-type-list", e.Head, m.values[0].Head)
	} else if m.oddTypes {
		k.note(e, "media-type-damaged", e.Head, m.values[0].Head)
	}
	switch b, odd := firstBoundary(m.params()); {
	case isMultipart(e.Type):
		e.Boundary = b
		k.noteBoundary(e, m, odd)
	case b != "" || odd:
		k.suspect(e, boundaryOnLeaf, "boundary-on-leaf", e.Head, b)
	}
}

func (k *books) noteBoundary(e *Entity, m *meaning, odd bool) {
	if n := len(e.Boundary); n > k.limits.BoundaryBytes {
		k.note(e, "boundary-limit", e.Head, e.Boundary)
		e.Boundary = e.Boundary[:k.limits.BoundaryBytes]
	} else if n > longestBoundary {
		k.note(e, "boundary-long", e.Head, e.Boundary)
	}
	switch several := countBoundaries(m.ct) > 1; {
	case several:
		k.suspect(e, oddBoundary, "boundary-duplicate", e.Head, e.Boundary)
	case odd:
		k.suspect(e, oddBoundary, "boundary-damaged", e.Head, e.Boundary)
	case e.Boundary == "":
		k.suspect(e, oddBoundary, "boundary-missing", e.Head, "")
	}
}

func (k *books) noteEncodings(e *Entity, m *meaning) {
	switch {
	case m.counts.encodings > 1:
		k.suspect(e, severalEncodings, "duplicate-encoding", e.Head, string(e.Encoding))
	case m.oddEncodings && len(m.encodings) > 1:
		k.suspect(e, severalEncodings, "encoding-damaged", e.Head, string(e.Encoding))
	case m.oddEncodings && e.Encoding == Identity:
		k.suspect(e, severalEncodings, "encoding-unknown", e.Head, "")
	}
	switch e.Encoding {
	case Identity, Base64, QuotedPrintable:
	default:
		k.note(e, "encoding-nonstandard", e.Head, string(e.Encoding))
	}
}

// suspect enters a deviation that calls for other readings.
func (k *books) suspect(e *Entity, s suspicion, code string, at Span, detail string) {
	e.seen |= s
	k.dubious = true
	k.note(e, code, at, detail)
}
