// Package entity reads a message as MIME (RFC 2045, 2046, 5322): leniently, as
// it streams in, recording offsets instead of copying. It knows that programs
// disagree about damaged mail, so it names every deviation, and can read the
// same bytes again in each of the other ways a mail client might.
package entity

import "strings"

// Span is a range of bytes of the content that was parsed: from Start up to,
// not including, End.
type Span struct{ Start, End int64 }

// Len returns the number of bytes in the span.
func (s Span) Len() int64 { return s.End - s.Start }

// Field is one header field as it is in the message.
type Field struct {
	Name  string // as written, without the colon and blanks before it
	Value string // all after the colon: folding, blanks and damage kept, final line end not
	Span  Span   // the whole field with its line ends

	damaged bool // some clients do not take this line for a field
}

// Header is a header block: the fields in their order.
type Header struct{ Fields []Field }

// Values returns the values of all fields of a name, in their order. Upper and lower
// case in names are alike.
func (h Header) Values(name string) []string {
	var values []string
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// Encoding is a content transfer encoding (RFC 2045, section 6), or a wrapping
// that clients undo though no standard says so.
type Encoding string

// The encodings this package can undo. Identity means 7bit, 8bit, binary, or no
// encoding at all.
const (
	Identity        Encoding = ""
	Base64          Encoding = "base64"
	QuotedPrintable Encoding = "quoted-printable"
	UUEncode        Encoding = "uuencode"
	YEnc            Encoding = "yenc"
	BinHex          Encoding = "binhex"
)

// Class says what a deviation means for the decision about the message.
type Class int

// Ordinary is the class of what no standard forbids and some clients decode
// differently all the same. It calls for variants and is reported nowhere.
const Ordinary Class = -1

// The classes of deviation.
const (
	Malformed Class = iota // untidy; all clients show the same leaves
	Ambiguous              // some client shows another leaf than others do
	Exceeded               // a limit was reached; what lies after was not read
)

// Deviation is one way in which the message departs from the standards, by a
// code that docs/findings.md explains.
type Deviation struct {
	Code   string // "duplicate-content-type"
	Class  Class
	Detail string // for the log: may quote the message
	Span   Span   // where
}

// Entity is a MIME entity: a header and a body, which is either a leaf or a
// composite of further entities. Offsets count from the start of the content
// that was parsed. Entities are read-only once the parser is closed and the
// tree, if it is, read again.
type Entity struct {
	Number      string // IMAP part number, "2.1" (RFC 9051, section 6.4.5); "" for a multipart that is the whole of a message
	Reading     string // "" in the first reading; "b", "c" … in others; "carved1" … for what was carved out
	Header      Header
	Head        Span      // the header block with the empty line that ends it
	Body        Span      // the body as transferred, without the line end that belongs to the delimiter
	Type        string    // media type, lower case: "text/plain" (the default where none can be read)
	Charset     string    // charset parameter, lower case, "" if none
	Boundary    string    // where this reading splits a multipart
	Names       []string  // every file name any client might show, decoded, without repeats
	Disposition string    // "attachment", "inline" or ""
	Encoding    Encoding  // the transfer encoding this reading undoes
	Children    []*Entity // of a multipart, in order; of message/rfc822, the one message inside
	Loose       []Span    // bytes that belong to no child: preamble, epilogue, text after a premature end
	Notes       []Deviation
	Also        []*Entity // other readings of the same bytes, filled in by Tree.Reread
	Carved      []*Entity // what Tree.Reread found in Loose or in a text body though no header says so

	composite bool      // this reading took the body apart
	message   bool      // it is the whole of a message, attached or not
	prefix    string    // of a message: the prefix of its body's number
	seen      suspicion // what calls for another look
	early     *early    // the decoding of its body while it was read; nil if there was none
}

// Composite reports whether this reading takes the body apart into Children.
// A multipart whose boundary never appears and a composite that has to be
// decoded first are leaves.
func (e *Entity) Composite() bool { return e.composite }

// Tree is what a Parser has read.
type Tree struct {
	Root *Entity
	Size int64

	books *books
}
