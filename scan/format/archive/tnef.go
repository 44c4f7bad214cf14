package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// tnefFormat reads TNEF (MS-OXTNEF), the winmail.dat of Outlook: the attachments
// with all their names, and the texts of the mail.
type tnefFormat struct{}

const (
	tnefMagic     = "\x78\x9f\x3e\x22"
	tnefHeader    = 6 // bytes of the signature and the key
	tnefAttribute = 9 // bytes before an attribute's data; after them a checksum of 2
)

// The attributes that matter, section 2.1.3.
const (
	tnefBody        = 0x800c
	tnefData        = 0x800f
	tnefTitle       = 0x8010
	tnefRendering   = 0x9002 // begins an attachment
	tnefMessage     = 0x9003 // properties of the mail
	tnefAttachment  = 0x9005 // properties of an attachment
	tnefTransported = 0x9001 // its name in transport

	tnefOfMessage    = 1
	tnefOfAttachment = 2
)

func (tnefFormat) Name() string { return "tnef" }

func (tnefFormat) Match(head []byte, _ Content) bool { return hasAny(head, tnefMagic) }

func (tnefFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := &tnefWalk{walk: begin(ctx, c, b, visit), c: c, at: tnefHeader}
	w.apart = true
	for w.at < c.Size() {
		if left := c.Size() - w.at; w.at > tnefHeader && left < tnefAttribute {
			w.note(trailingData, "%d bytes", left)
			break
		}
		a, err := w.next()
		if err != nil {
			w.note(damagedContainer, "at byte %d: %v", w.at, err)
		}
		if a.size >= 0 {
			err = errors.Join(err, stop(w.attribute(a)))
		}
		var end walkError
		if errors.As(err, &end) {
			return w.end(end.error)
		}
		if err != nil {
			break
		}
	}
	return w.end(w.flush())
}

type tnefWalk struct {
	*walk
	c    Content
	at   int64
	file tnefFile
}

// tnefFile holds the properties found so far of the attachment that is being read.
type tnefFile struct {
	title, transported string
	mapi               mapiFile
	data               span
	some               bool // there is such an attachment
}

// attribute is one attribute, with the place of its data.
type attribute struct {
	level byte
	id    uint16
	start int64
	size  int64 // -1 for none
}

var errTNEF = errors.New("no attribute where one must be")

// next reads up to the next attribute. One that is cut off comes with an error.
func (w *tnefWalk) next() (attribute, error) {
	b := fixed(w.c, w.at, tnefAttribute)
	if b == nil {
		return attribute{size: -1}, io.ErrUnexpectedEOF
	}
	a := attribute{level: b[0], id: le16(b[1:]), start: w.at + tnefAttribute, size: int64(le32(b[5:]))}
	if a.level != tnefOfMessage && a.level != tnefOfAttachment {
		return attribute{size: -1}, fmt.Errorf("%w: level %d", errTNEF, a.level)
	}
	if left := w.c.Size() - a.start; a.size > left {
		a.size = left
		return a, io.ErrUnexpectedEOF
	}
	w.at = a.start + a.size + 2
	return a, nil
}

// attribute takes names, texts and files from an attribute.
func (w *tnefWalk) attribute(a attribute) error {
	switch {
	case a.id == tnefRendering:
		return w.flush()
	case a.id == tnefBody:
		return w.member(Member{Size: a.size}, stretch(w.c, a.start, a.size))
	case a.id == tnefMessage:
		return w.properties(a)
	case a.level != tnefOfAttachment:
		return nil
	}
	w.file.some = true
	switch a.id {
	case tnefTitle:
		w.file.title, _, _ = cstring(append(piece(w.c, a.start, min(a.size, maxName)), 0))
	case tnefTransported:
		w.file.transported, _, _ = cstring(append(piece(w.c, a.start, min(a.size, maxName)), 0))
	case tnefData:
		return w.data(a)
	case tnefAttachment:
		w.file.mapi = mapiFile{}
		w.damaged(readMAPI(w.c, a.start, a.start+a.size, w.file.mapi.take))
	}
	return nil
}

// damaged notes that properties could not be read to their end.
func (w *tnefWalk) damaged(err error) {
	if err != nil {
		w.note(damagedContainer, "properties: %v", err)
	}
}

// data keeps where the data of an attachment are. Two of them are two files.
func (w *tnefWalk) data(a attribute) error {
	if w.file.data != (span{}) {
		if err := w.flush(); err != nil {
			return err
		}
		w.file.some = true
	}
	w.file.data = span{a.start, a.start + a.size}
	return nil
}

// flush hands over the attachment that was read. Its data may be in the
// attribute, in the properties, or in both.
func (w *tnefWalk) flush() error {
	f := w.file
	w.file = tnefFile{}
	if !f.some {
		return nil
	}
	m := Member{Names: distinct(append(f.mapi.names(), f.title, f.transported)...)}
	for _, s := range [...]span{f.data, f.mapi.data} {
		if s == (span{}) {
			continue
		}
		m.Size = s.end - s.start
		if err := w.member(m, stretch(w.c, s.start, m.Size)); err != nil {
			return err
		}
	}
	if f.data == (span{}) && f.mapi.data == (span{}) {
		m.Size = 0
		return w.member(m, stretch(w.c, 0, 0))
	}
	return nil
}

// properties hands over the texts of the mail.
func (w *tnefWalk) properties(a attribute) error {
	var failed error
	w.damaged(readMAPI(w.c, a.start, a.start+a.size, func(p mapiProperty) {
		if failed != nil {
			return
		}
		m := Member{Size: p.value.end - p.value.start}
		src := stretch(w.c, p.value.start, m.Size)
		switch p.id {
		case mapiBody, mapiHTML:
			failed = w.member(m, src)
		case mapiRTF:
			failed = w.rtf(m, src)
		}
	}))
	return failed
}
