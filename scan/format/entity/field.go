package entity

import "strings"

// dialect is a set of ways in which a client departs from how this package
// reads in the first place.
type dialect uint16

const (
	crEnds       dialect = 1 << iota // a lone CR ends a line
	crLineGoesOn                     // a line of nothing but CRs does not end the header
	blanksEnd                        // a line of nothing but blanks does
	junkEnds                         // a line that is no field does, and is body
	junkJoins                        // such a line continues the field before it
	strictNames                      // fields with damaged names are not there
	pastBlank                        // the first empty line does not end the header
	prefixes                         // a delimiter may be followed by anything
	anywhere                         // a delimiter may be anywhere in a line
	closeGoesOn                      // the closing delimiter is one like the others
	outerFirst                       // the delimiters of outer multiparts come first
	innerOnly                        // the delimiters of outer multiparts do not count inside an open one
	unfolds                          // a continuation line that looks like a content field is one
)

// ofSubtree are the habits that concern all below an entity; the others concern
// its own header.
const ofSubtree = crEnds | prefixes | anywhere | closeGoesOn | outerFirst | innerOnly

// suspicion is a set of sights, in the first reading, that call for another.
type suspicion uint32

const (
	loneCR           suspicion = 1 << iota // in the header
	crLine                                 // a line of CRs ended the header
	blankLine                              // a line of blanks inside the header
	junkLine                               // a line that is no field
	noField                                // the first line is none: the entity has no header
	oddFieldName                           // blanks, NULs and the like in or before a name that matters
	foldedField                            // a continuation line that looks like a content field
	fieldsInBody                           // content fields right after the empty line
	delimiterTail                          // --boundary, and something after it
	delimiterInLine                        // --boundary, but not at the start of a line
	delimiterAfterCR                       // --boundary after a lone CR
	afterClose                             // --boundary after the closing delimiter
	strayDelimiter                         // a delimiter of a multipart that has ended
	sameBoundary                           // a boundary that begins with, or is, one further out
	severalTypes                           // Content-Type more than once, or several types in one
	severalEncodings                       // the same for the transfer encoding
	oddBoundary                            // clients may read the boundary differently
	boundaryUnused                         // a multipart none of whose delimiters was met
	boundaryOnLeaf                         // a boundary, but no multipart type
	encodedComposite                       // a composite with a transfer encoding
	bareBase64                             // base64 is there, nothing is declared
	bareQP                                 // the same for quoted-printable
	holdsWrapped                           // a line that begins uuencode, yEnc or BinHex
	holdsBase64                            // a long line of base64 digits
	holdsQP                                // a line of quoted-printable escapes
	holdsFields                            // a line that looks like a content field
	holdsText                              // text outside the parts that is not the usual notice
)

// carvable are the sights that call for carving but not for another reading.
const carvable = holdsWrapped | holdsBase64 | holdsQP | holdsFields | holdsText

// block turns a header block into fields. It is made for one block.
type block struct {
	text    string // the block as it is
	start   int64  // offset of text in the content
	dialect dialect
	limits  *Limits
	fields  []Field
	value   int // where the value of the last field starts; -1: none is open
	seen    suspicion
	over    string // the code of a limit that was reached
}

// parse takes the block line by line.
func (k *block) parse() {
	k.value = -1
	k.fields = make([]Field, 0, min(strings.Count(k.text, "\n")+1, 40))
	for pos := 0; pos < len(k.text); {
		end := pos + lineLength(k.text[pos:], k.dialect)
		k.line(pos, end)
		pos = end
	}
}

// line takes the line from pos to end, with its line end.
func (k *block) line(pos, end int) {
	line := chomp(k.text[pos:end])
	switch {
	case line != "" && isSpace(line[0]) && k.value >= 0 && (k.dialect&unfolds == 0 || !foldsField(line)):
		k.extend(end)
	case line == "" || pos == 0 && isMboxLine(line):
		k.value = -1
	case len(k.fields) >= k.limits.Fields:
		k.over, k.value = "fields-limit", -1
	default:
		k.field(line, pos, end)
	}
}

// field takes a line that begins a field, or is none.
func (k *block) field(line string, pos, end int) {
	name, value, damaged := fieldName(line)
	switch {
	case name == "" && k.dialect&junkJoins != 0 && k.value >= 0:
		k.extend(end)
	case name == "", damaged && k.dialect&strictNames != 0:
		k.value = -1
	default:
		if damaged && isContentField(name) {
			k.seen |= oddFieldName
		}
		k.fields = append(k.fields, Field{Name: name, Span: Span{k.start + int64(pos), 0}, damaged: damaged})
		k.value = pos + value
		k.extend(end)
	}
}

// extend makes the last field end at end.
func (k *block) extend(end int) {
	f := &k.fields[len(k.fields)-1]
	f.Span.End = k.start + int64(end)
	f.Value = chomp(k.text[k.value:end])
	if len(f.Value) > k.limits.FieldBytes {
		f.Value = f.Value[:k.limits.FieldBytes]
		k.over = "field-limit"
	}
}

// lineLength returns the length of the first line of s with its line end.
func lineLength(s string, d dialect) int {
	if d&crEnds == 0 {
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			return i + 1
		}
		return len(s)
	}
	i := strings.IndexAny(s, "\r\n")
	switch {
	case i < 0:
		return len(s)
	case s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n':
		return i + 2
	}
	return i + 1
}

// chomp takes the line end off, and CRs before it.
func chomp(line string) string { return strings.TrimRight(line, "\r\n") }

// isMboxLine reports whether a line is the envelope line of an mbox file,
// plain or quoted, which attached messages often keep.
func isMboxLine(line string) bool {
	return strings.HasPrefix(line, "From ") || strings.HasPrefix(line, ">From ")
}

// fieldName splits a line into the name of its field and the index of the
// value. The name is "" if the line is no field. A name with blanks before or
// after it, or with bytes that no name has, is damaged; the latter is taken
// for a field only if it would matter.
func fieldName(line string) (name string, value int, damaged bool) {
	colon := strings.IndexByte(line, ':')
	if colon <= 0 {
		return "", 0, false
	}
	name = line[:colon]
	if plainName(name) {
		return name, colon + 1, false
	}
	if trimmed := strings.Trim(name, " \t"); trimmed != "" && plainName(trimmed) {
		return trimmed, colon + 1, true
	}
	if len(name) > 200 {
		return "", 0, false
	}
	name = strings.Map(onlyName, name)
	if !isContentField(name) {
		return "", 0, false
	}
	return name, colon + 1, true
}

func plainName[S string | []byte](s S) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func onlyName(r rune) rune {
	if r <= ' ' || r >= 0x7f {
		return -1
	}
	return r
}

// isContentField reports whether a field decides about structure, decoding or
// file names.
func isContentField(name string) bool {
	switch len(name) {
	case len("Content-Type"), len("Content-Transfer-Encoding"), len("Content-Disposition"):
		return strings.EqualFold(name, "Content-Type") || strings.EqualFold(name, "Content-Disposition") ||
			strings.EqualFold(name, "Content-Transfer-Encoding")
	}
	return false
}

// foldsField reports whether a continuation line looks like a content field
// that only the blank before it hides. Names of fields alone are common there:
// signatures list them.
func foldsField(line string) bool {
	line = strings.TrimLeft(line, " \t\x00")
	name, value, ok := strings.Cut(line[:min(len(line), 200)], ":")
	name = strings.TrimRight(name, " \t\x00")
	if !ok || !isContentField(name) {
		return false
	}
	value = strings.ToLower(strings.Trim(value, " \t"))
	switch len(name) {
	case len("Content-Type"):
		return strings.Contains(value, "/")
	case len("Content-Disposition"):
		return strings.HasPrefix(value, "attachment") || strings.HasPrefix(value, "inline")
	}
	list, _ := encodings(value)
	return list[0] != Identity
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }
