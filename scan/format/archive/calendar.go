package archive

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/milterscan/milterscan/scan/scratch"
)

// calendarFormat finds what calendars (RFC 5545) and cards (RFC 6350, and vCard
// 2.1 before it) carry in their properties and programs hand over: files in base64,
// as ATTACH, PHOTO, KEY or any other; data: addresses; pages for programs that show
// more than plain text (X-ALT-DESC of Outlook, STYLED-DESCRIPTION of RFC 9073).
type calendarFormat struct{}

// propertyHead bounds the name and the parameters of a property, in bytes.
const propertyHead = 16 << 10

func (calendarFormat) Name() string { return "calendar" }

// Match asks for the line that begins an object, which need not be the first one.
func (calendarFormat) Match(head []byte, _ Content) bool {
	text := narrowed(head)
	return anyAt(text, ':', func(at int) bool {
		from := at - len("BEGIN")
		if from < 0 || !hasFold(text[from:], "BEGIN:V") && !hasFold(text[from:], "BEGIN:DAYLIGHT") {
			return false
		}
		before := text[bytes.LastIndexByte(text[:from], '\n')+1 : from]
		return len(bytes.TrimLeft(before, " \t\xef\xbb\xbf")) == 0
	})
}

func (calendarFormat) suffixes() []string { return []string{".ics", ".vcs", ".vcf", ".ifb"} }

func (calendarFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.apart = true
	text, err := w.plain()
	if err != nil {
		return w.end(err)
	}
	in := &foldedLines{in: bufio.NewReader(scratch.Reader(text))}
	for {
		if err := ctx.Err(); err != nil {
			return w.end(err)
		}
		p, ok := in.property()
		if !ok {
			return w.end(nil)
		}
		if p.name == "" && !in.ended {
			w.note(tooComplex, "a property with more than %d bytes of parameters", propertyHead)
		}
		if err := w.property(p, in); err != nil {
			return w.end(err)
		}
		in.endLine()
	}
}

// property hands over what a property carries, as its parameters and the beginning
// of its value tell.
func (w *walk) property(p cardProperty, in *foldedLines) error {
	for _, v := range p.params {
		if addr, ok := newDataAddress([]byte(v.value)); ok {
			if err := w.member(addr.member(strings.ToLower(p.name)), addr.body()); err != nil {
				return err
			}
		}
	}
	if p.name == "" || in.ended {
		return nil
	}
	m := p.member()
	switch encoding := p.encoding(); {
	case encoding == "base64":
		in.digits = true
		return w.member(m, newUnbase64(in))
	case in.starts(dataScheme):
		return w.dataProperty(m, in)
	case in.starts("BEGIN:V"): // AGENT of vCard 3.0: a card, escaped (RFC 2426, section 3.5.4)
		return w.member(Member{Names: []string{strings.ToLower(p.name) + ".vcf"}, Type: "text/vcard", Size: -1}, newUnescaped(in))
	case encoding == "quoted-printable" && (p.carries() || p.isPage()):
		in.quoted = true
		return w.member(p.page(m), newUnquoted(in))
	case p.isPage():
		return w.member(p.page(m), newUnescaped(in))
	}
	return nil
}

// dataProperty hands over the file of a data: address that is the value of a
// property.
func (w *walk) dataProperty(m Member, in *foldedLines) error {
	head := make([]byte, 0, 256)
	for len(head) < dataHead {
		c, err := in.ReadByte()
		if err != nil {
			return nil
		}
		if c == '\\' { // a comma may be escaped in values of texts
			continue
		}
		if head = append(head, c); c == ',' {
			break
		}
	}
	addr, ok := newDataAddress(head)
	if !ok {
		return nil
	}
	d := addr.member("")
	if len(m.Names) == 0 || d.Names[0] != nameOfData && len(m.Names) == 1 {
		m.Names = distinct(append(d.Names, m.Names...)...)
	}
	if m.Type == "" {
		m.Type = d.Type
	}
	return w.member(m, addr.decode(in))
}

// cardProperty is the part of a line before its value (RFC 5545, section 3.1).
type cardProperty struct {
	name   string // in capitals, without the group that cards may put before it
	params []param
}

// param is a parameter. Those of vCard 2.1 may be values without a name.
type param struct{ name, value string }

// encoding says how the value is written: "base64", "quoted-printable" or "".
func (p cardProperty) encoding() string {
	binary := false
	for _, v := range p.params {
		switch value := strings.ToLower(v.value); {
		case v.name == "VALUE" && value == "binary":
			binary = true
		case v.name != "ENCODING" && v.name != "":
		case value == "base64", value == "b":
			return "base64"
		case value == "quoted-printable":
			return value
		}
	}
	if binary {
		return "base64"
	}
	return ""
}

// carries reports whether the property is one for files.
func (p cardProperty) carries() bool {
	switch p.name {
	case "ATTACH", "IMAGE", "PHOTO", "LOGO", "SOUND", "KEY", "STRUCTURED-DATA":
		return true
	}
	return false
}

// isPage reports whether the value is a page.
func (p cardProperty) isPage() bool {
	kind := p.mediaType()
	return p.name == "X-ALT-DESC" && kind != "text/plain" || strings.Contains(kind, "html")
}

// mediaType returns the declared type of the value.
func (p cardProperty) mediaType() string {
	for _, v := range p.params {
		if v.name == "FMTTYPE" || v.name == "MEDIATYPE" {
			kind, _, _ := strings.Cut(v.value, ";")
			return strings.ToLower(strings.TrimSpace(kind))
		}
	}
	return ""
}

// member returns the file in the property. Programs use different parameters for the
// name of the file.
func (p cardProperty) member() Member {
	m := Member{Size: -1, Type: p.mediaType()}
	for _, v := range p.params {
		if strings.Contains(v.name, "NAME") || v.name == "LABEL" || v.name == "X-LABEL" || v.name == "TITLE" || v.name == "X-TITLE" {
			m.Names = append(m.Names, v.value, unpercented(v.value))
		}
	}
	if m.Names = distinct(m.Names...); len(m.Names) == 0 {
		m.Names = distinct(strings.ToLower(p.name))
	}
	return m
}

// page returns m as a page.
func (p cardProperty) page(m Member) Member {
	if m.Type == "" && p.isPage() {
		m.Type = "text/html"
	}
	return m
}

// unpercented returns a name without the escapes of addresses.
func unpercented(s string) string {
	b, _ := io.ReadAll(newUnpercent(&byteReader{at: []byte(s), r: eof{}}))
	return string(b)
}
