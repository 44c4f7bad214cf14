package entity

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// sights names, for each code that calls for other readings, the sight that it
// means.
var sights = []struct {
	code string
	seen suspicion
}{
	{"duplicate-content-type", severalTypes},
	{"media-type-list", severalTypes},
	{"duplicate-encoding", severalEncodings},
	{"encoding-damaged", severalEncodings},
	{"encoding-unknown", severalEncodings},
	{"encoded-multipart", encodedComposite},
	{"field-name-damaged", oddFieldName | foldedField},
	{"header-junk-line", junkLine},
	{"header-line-end", loneCR | crLine},
	{"header-blank-line", blankLine},
	{"header-in-body", fieldsInBody},
	{"boundary-missing", oddBoundary},
	{"boundary-duplicate", oddBoundary},
	{"boundary-damaged", oddBoundary},
	{"boundary-unused", boundaryUnused},
	{"boundary-on-leaf", boundaryOnLeaf},
	{"boundary-reused", sameBoundary},
	{"boundary-stray", strayDelimiter},
	{"delimiter-tail", delimiterTail},
	{"delimiter-in-line", delimiterInLine},
	{"delimiter-line-end", delimiterAfterCR},
	{"parts-after-close", afterClose},
	{"undeclared-base64", bareBase64},
	{"undeclared-quoted-printable", bareQP},
}

func sightOf(code string) suspicion {
	for _, s := range sights {
		if s.code == code {
			return s.seen
		}
	}
	return 0
}

// habits says which departures a sight calls for.
var habits = []struct {
	seen    suspicion
	dialect dialect
}{
	{loneCR, crEnds},
	{loneCR, crEnds | blanksEnd | junkEnds},
	{crLine, crLineGoesOn},
	{crLine, crEnds},
	{blankLine, blanksEnd},
	{junkLine, junkEnds},
	{junkLine, junkJoins},
	{noField, junkJoins},
	{oddFieldName, strictNames},
	{foldedField, unfolds},
	{fieldsInBody, pastBlank},
	{fieldsInBody, pastBlank | junkEnds},
	{delimiterTail, prefixes},
	{delimiterInLine, anywhere},
	{delimiterAfterCR, crEnds},
	{delimiterAfterCR, anywhere},
	{afterClose, closeGoesOn},
	{strayDelimiter, innerOnly},
	{strayDelimiter, closeGoesOn | innerOnly},
	{sameBoundary, outerFirst},
	{sameBoundary, outerFirst | prefixes},
	{sameBoundary, prefixes},
}

// readings lists the other ways to read e that the sights in open call for.
func (r *rereader) readings(e *Entity, open suspicion) []pin {
	var list []pin
	for _, h := range habits {
		if open&h.seen != 0 && (h.seen != noField || e.seen&(fieldsInBody|holdsFields) != 0) {
			list = append(list, pin{why: h.seen, choice: choice{dialect: h.dialect}})
		}
	}
	var m meaning
	m.understand(e.Header, &r.limits)
	list = append(list, r.otherEncodings(e, &m, open)...)
	if open&(severalTypes|oddBoundary|boundaryUnused|boundaryOnLeaf) != 0 {
		list = append(list, r.otherTypes(e, &m, open)...)
	}
	return list
}

// otherEncodings lists the readings that differ in the transfer encoding.
func (r *rereader) otherEncodings(e *Entity, m *meaning, open suspicion) []pin {
	var list []pin
	add := func(why suspicion, enc Encoding) {
		if enc != e.Encoding && !e.composite {
			list = append(list, pin{why: why, choice: choice{encoding: enc, recode: true}})
		}
	}
	if open&severalEncodings != 0 {
		for _, enc := range m.encodings {
			add(severalEncodings, enc)
		}
	}
	if open&severalEncodings != 0 && m.oddEncodings && len(m.encodings) < 2 {
		for _, enc := range r.guessEncodings(e.Body) {
			add(severalEncodings, enc)
		}
	}
	if open&bareBase64 != 0 {
		add(bareBase64, Base64)
	}
	if open&bareQP != 0 {
		add(bareQP, QuotedPrintable)
	}
	if open&encodedComposite != 0 {
		list = append(list, r.recoded(e, m)...)
	}
	return list
}

// guessEncodings lists the encodings that the beginning of a body looks like.
func (r *rereader) guessEncodings(s Span) []Encoding {
	head := make([]byte, min(s.Len(), 4096))
	n, _ := r.content.ReadAt(head, s.Start)
	head = head[:n]
	var list []Encoding
	if shape := base64ShapeOf(head); shape.digits >= 8 && !shape.textual() {
		list = append(list, Base64)
	}
	if escapes(head) > 0 {
		list = append(list, QuotedPrintable)
	}
	return list
}

// recoded lists the readings of a composite with a transfer encoding that undo
// it where the first did not, or do not where it did.
func (r *rereader) recoded(e *Entity, m *meaning) []pin {
	var list []pin
	if !e.composite {
		if isMessage(e.Type) && r.startsWithField(e.Body) {
			list = append(list, pin{why: encodedComposite, choice: choice{recode: true}})
		}
		return list
	}
	for _, enc := range m.encodings {
		inside := r.decoded(e, enc)
		if inside == nil || !inside.Root.composite {
			continue
		}
		list = append(list, pin{
			why:    encodedComposite,
			choice: choice{encoding: enc, recode: true, leaf: true},
			mild:   sameShape(e, inside.Root),
		})
	}
	return list
}

// decoded decodes the body of e and parses the result.
func (r *rereader) decoded(e *Entity, enc Encoding) *Tree {
	if enc == Identity || !r.spend(4*e.Body.Len()) {
		return nil
	}
	p := (&Tree{books: newBooks(r.limits)}).InnerBody(e)
	if _, err := Decode(p, io.NewSectionReader(r.content, e.Body.Start, e.Body.Len()), enc); err != nil {
		r.stop(err.Error())
		return nil
	}
	return p.Close()
}

// sameShape reports whether two entities hold leaves of the same types, names
// and encodings.
func sameShape(a, b *Entity) bool {
	if a.Type != b.Type || a.Encoding != b.Encoding || len(a.Children) != len(b.Children) || !slices.Equal(a.Names, b.Names) &&
		len(b.Header.Fields) > 0 {
		return false
	}
	for i := range a.Children {
		if !sameShape(a.Children[i], b.Children[i]) {
			return false
		}
	}
	return true
}

// startsWithField reports whether a span begins with a header field.
func (r *rereader) startsWithField(s Span) bool {
	head := make([]byte, min(s.Len(), 1000))
	n, _ := r.content.ReadAt(head, s.Start)
	line, _, whole := bytes.Cut(head[:n], []byte{'\n'})
	return whole && isFieldLine(line)
}

// otherTypes lists the readings that differ in the media type or the boundary.
func (r *rereader) otherTypes(e *Entity, m *meaning, open suspicion) []pin {
	why := open & (severalTypes | oddBoundary | boundaryUnused | boundaryOnLeaf)
	var list []pin
	multipart := ""
	for _, t := range m.types {
		switch {
		case isMultipart(t.name) && multipart == "":
			multipart = t.name
		case !isMultipart(t.name) && t.name != e.Type && open&severalTypes != 0:
			list = append(list, pin{why: severalTypes, choice: choice{typ: t.name}})
		}
	}
	if multipart == "" && open&boundaryOnLeaf != 0 {
		multipart = "multipart/mixed"
	}
	if multipart == "" || !r.spend(e.Body.Len()) {
		return list
	}
	for _, b := range r.boundaries(e, m) {
		list = append(list, pin{why: why, choice: choice{typ: multipart, boundary: b, recode: true}})
	}
	return list
}

// boundaries lists those that the header may mean and the body uses. If there
// are none, and the first reading found none, it lists what the body suggests.
func (r *rereader) boundaries(e *Entity, m *meaning) []string {
	lines := r.dashLines(e.Body)
	var list []string
	known := map[string]bool{}
	for i := range m.values {
		v := fieldValue(e.Header, "Content-Type", i)
		if known[v] {
			continue
		}
		known[v] = true
		for _, b := range boundaryForms(v, m.values[i].Params) {
			if len(b) <= r.limits.BoundaryBytes && (b != e.Boundary || !e.composite) && lines.uses(b) {
				list = append(list, b)
			}
		}
	}
	if len(list) == 0 && !e.composite {
		list = lines.guesses()
	}
	if len(list) > r.limits.Boundaries {
		r.note(e, "boundaries-limit", e.Head, "")
		list = list[:r.limits.Boundaries]
	}
	return list
}

// fieldValue returns the value of the i-th field of that name.
func fieldValue(h Header, name string, i int) string {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			if i == 0 {
				return f.Value
			}
			i--
		}
	}
	return ""
}
