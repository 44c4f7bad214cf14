package unpack

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/spool"
)

// tree makes parts of a message that was parsed, in every reading.
func (w *work) tree(in container, content scan.Content, t *entity.Tree) error {
	t.Reread(content)
	w.talk.heard(content, t.Root)
	return w.entity(in, content, t.Root)
}

// entity makes parts of one entity, of all below it, of the other readings of
// the same bytes, and of what was carved out of them.
func (w *work) entity(in container, content scan.Content, e *entity.Entity) error {
	part, err := w.part(in, content, e)
	if err != nil {
		return err
	}
	w.deviations(part, e.Notes)
	within := in
	within.part = part
	for _, group := range []struct {
		in       container
		entities []*entity.Entity
	}{{within, e.Children}, {within, e.Carved}, {in, e.Also}} {
		for _, other := range group.entities {
			if err := w.entity(group.in, content, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// part makes the part for an entity and opens its content. A multipart that a
// recipient could not save as a file is none; its children take its place.
func (w *work) part(in container, content scan.Content, e *entity.Entity) (int, error) {
	if e.Composite() && e.Number == "" && len(e.Names) == 0 {
		return in.part, nil
	}
	p := scan.Part{
		Parent: in.part,
		Path:   entityPath(in.path, in.separator, e.Number, e.Reading),
		Names:  e.Names,
		Type:   e.Type,
		Entity: e,
		Opened: e.Composite(),
	}
	if e.Composite() {
		return w.add(p)
	}
	return w.leaf(in, p, io.NewSectionReader(content, e.Body.Start, e.Body.Len()))
}

// leaf undoes the transfer encoding of a leaf, in each way a client might, and
// opens what that yields. Its part is that of the likeliest way.
func (w *work) leaf(in container, p scan.Part, body *io.SectionReader) (int, error) {
	if p.Entity.Encoding == entity.Identity {
		p.Content = body
		return w.settle(in, p, nil)
	}
	content, notes, err := w.decoded(p.Entity, body)
	if err != nil {
		return 0, err
	}
	p.Content = content
	if isText(&p) && len(p.Names) == 0 {
		notes = slices.DeleteFunc(notes, func(n entity.Deviation) bool { return n.Code == "qp-indented" })
	}
	said := notes
	if isCarved(p.Entity) {
		said = nil
	}
	part, err := w.settle(in, p, said)
	if err != nil {
		return 0, err
	}
	return part, w.variants(in, p, body, notes)
}

// isCarved reports whether an entity was carved out of a text. No header says that
// it is to be decoded, so oddities in it are no deviation.
func isCarved(e *entity.Entity) bool { return strings.HasPrefix(e.Reading, "carved") }

// variants makes parts of the other ways to undo an encoding, where the body
// was met to be one that clients disagree on and the result differs.
func (w *work) variants(in container, p scan.Part, body *io.SectionReader, met []entity.Deviation) error {
	for _, enc := range entity.Variants(p.Entity.Encoding, met) {
		content, _, err := w.decode(body, enc)
		if err != nil {
			return err
		}
		if same(content, p.Content) {
			continue
		}
		other := p
		other.Content = content
		other.Path = p.Path + "~" + string(enc)
		if _, err := w.settle(in, other, nil); err != nil {
			return err
		}
	}
	return nil
}

// settle adds a part whose content is known, with what was noted about it, and
// opens it.
func (w *work) settle(in container, p scan.Part, notes []entity.Deviation) (int, error) {
	look(&p)
	part, err := w.add(p)
	if err != nil {
		return 0, err
	}
	w.deviations(part, notes)
	w.sealed(part)
	if err := w.open(in, part); err != nil {
		return part, err
	}
	return part, w.views(in, part)
}

// decoded returns the decoded body of a leaf: what was kept of it as it came, or what is decoded now.
func (w *work) decoded(e *entity.Entity, body *io.SectionReader) (scan.Content, []entity.Deviation, error) {
	to, met := e.Decoded()
	kept, ok := to.(*spool.Buffer)
	if !ok {
		return w.decode(body, e.Encoding)
	}
	if w.budget.Grow(kept.Size()) != nil {
		return nil, nil, w.tooMuch()
	}
	kept.Lore().Watch(w.bodyWatches)
	return kept, met, nil
}

// decode undoes one transfer encoding. What it yields is charged to the same
// budget as archives, since some encodings know repeats.
func (w *work) decode(body *io.SectionReader, enc entity.Encoding) (scan.Content, []entity.Deviation, error) {
	out := w.buffer(w.bodyWatches)
	body.Seek(0, io.SeekStart)
	notes, err := entity.Decode(&charged{out, w.budget}, body, enc)
	if errors.Is(err, archive.ErrLimit) {
		return nil, nil, w.tooMuch()
	}
	if err != nil {
		return nil, nil, w.noRoom(err)
	}
	return out, notes, nil
}

// tooMuch says that the parts of the message hold more than the budget.
func (w *work) tooMuch() error {
	w.stop(scan.Unscannable, "mime", "decoded-size", "the parts of this message hold more than may be decoded")
	return errStopped
}

// charged is a writer whose bytes are charged to a budget.
type charged struct {
	w      io.Writer
	budget *archive.Budget
}

// Write fails with archive.ErrLimit when the budget is used up.
func (c *charged) Write(p []byte) (int, error) {
	if err := c.budget.Grow(int64(len(p))); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// message parses a part that holds a message, or a multipart that was encoded
// as a whole.
func (w *work) message(in container, part int) error {
	p := &w.m.Parts[part]
	if in.nested >= w.limits.Nesting {
		w.note(scan.Unscannable, "mime", "nesting", part, fmt.Sprintf("more than %d messages inside each other", w.limits.Nesting))
		return nil
	}
	parser := w.top.Inner()
	if strings.HasPrefix(p.Type, "multipart/") {
		parser = w.top.InnerBody(p.Entity)
	}
	w.budget.Work(p.Content.Size(), priceParse)
	if w.late() {
		return w.tooLong()
	}
	if _, err := io.Copy(parser, scan.Reader(p.Content)); err != nil {
		return w.noRoom(err)
	}
	p.Opened = true
	within := container{part: part, path: p.Path, separator: ".", archives: in.archives, nested: in.nested + 1}
	if p.Archived {
		within.separator = "/"
	}
	return w.tree(within, p.Content, parser.Close())
}

// isMessage reports whether what a part holds is to be parsed as a message or
// as an entity with its header.
func isMessage(p *scan.Part) bool {
	switch p.Type {
	case "message/rfc822", "message/global", "message/rfc822-headers", "message/news":
		return true
	}
	if isEML(p) {
		return true
	}
	return p.Entity != nil && p.Entity.Encoding != entity.Identity && strings.HasPrefix(p.Type, "multipart/")
}

// deviations makes findings of what the parser noted about a part.
func (w *work) deviations(part int, notes []entity.Deviation) {
	for _, d := range notes {
		if d.Class != entity.Ordinary {
			w.note(kindOf(d.Class), "mime", d.Code, part, d.Detail)
		}
	}
}

// kindOf returns the kind of finding for a deviation.
func kindOf(c entity.Class) scan.Kind {
	switch c {
	case entity.Ambiguous:
		return scan.Ambiguous
	case entity.Exceeded:
		return scan.Unscannable
	default:
		return scan.Malformed
	}
}

// same reports whether two contents are equal, byte for byte.
func same(a, b scan.Content) bool {
	if a.Size() != b.Size() {
		return false
	}
	var x, y [32 << 10]byte
	for at := int64(0); at < a.Size(); {
		n, _ := a.ReadAt(x[:], at)
		m, _ := b.ReadAt(y[:], at)
		if n == 0 || !slices.Equal(x[:n], y[:m]) {
			return false
		}
		at += int64(n)
	}
	return true
}
