package edit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scratch"
)

// prove parses the new message and compares it with the old one: the same
// entities, each byte of those that were not edited equal, and of the others
// exactly what was meant.
func (w *work) prove(r *Result, changes []*change) error {
	parser := w.NewParser()
	if _, err := io.Copy(parser, scratch.Until(w.ctx.Err, scan.Reader(r.Message))); err != nil {
		return err
	}
	r.Tree = parser.Close()
	p := &proof{work: w, result: r, by: map[*entity.Entity]*change{}}
	for _, c := range changes {
		p.by[c.entity] = c
	}
	if err := p.entity(w.Message.Root, r.Tree.Root); err != nil {
		return fmt.Errorf("the edited message failed the check: %w", err)
	}
	r.Tree.Reread(r.Message)
	for e := range r.Tree.All() {
		if len(e.Also) > 0 {
			return errors.New("the edited message can be read in more than one way")
		}
	}
	return p.nothingNew()
}

// proof compares two messages.
type proof struct {
	*work
	result *Result
	by     map[*entity.Entity]*change
	bodies []newBody
}

// newBody is an entity whose body was edited, with what it was to become.
type newBody struct {
	c     *change
	after *entity.Entity
}

// entity compares an entity with the one in its place.
func (p *proof) entity(before, after *entity.Entity) error {
	c := p.by[before]
	if before.Number != after.Number {
		return fmt.Errorf("part %q is part %q", before.Number, after.Number)
	}
	if c == nil || len(c.fields) == 0 {
		if err := p.sameBytes("header", before, before.Head, after.Head); err != nil {
			return err
		}
	}
	if c != nil && c.body != nil {
		return p.edited(c, after)
	}
	if len(before.Children) != len(after.Children) || before.Composite() != after.Composite() {
		return fmt.Errorf("part %q has %d parts and had %d", before.Number, len(after.Children), len(before.Children))
	}
	if !before.Composite() {
		return p.sameBytes("body", before, before.Body, after.Body)
	}
	if len(before.Loose) != len(after.Loose) {
		return fmt.Errorf("there is text between the parts of %q", before.Number)
	}
	for i := range before.Loose {
		if err := p.sameBytes("text", before, before.Loose[i], after.Loose[i]); err != nil {
			return err
		}
	}
	for i := range before.Children {
		if err := p.entity(before.Children[i], after.Children[i]); err != nil {
			return err
		}
	}
	return nil
}

// sameBytes compares a span of the old message with one of the new.
func (p *proof) sameBytes(what string, e *entity.Entity, before, after entity.Span) error {
	a := io.NewSectionReader(p.Message.Raw, before.Start, before.Len())
	b := io.NewSectionReader(p.result.Message, after.Start, after.Len())
	if err := p.equal(a, b); err != nil {
		return fmt.Errorf("the %s of part %q: %w", what, e.Number, err)
	}
	return nil
}

var errDiffers = errors.New("it differs")

// equal compares what two readers yield.
func (p *proof) equal(a, b io.Reader) error {
	var x, y [32 << 10]byte
	for {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		n, errA := io.ReadFull(a, x[:])
		m, errB := io.ReadFull(b, y[:])
		if !bytes.Equal(x[:n], y[:m]) {
			return errDiffers
		}
		switch {
		case ended(errA) && ended(errB):
			return nil
		case errA != nil && !ended(errA):
			return errA
		case errB != nil && !ended(errB):
			return errB
		case ended(errA) != ended(errB):
			return errDiffers
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// edited compares an entity with what it was to become.
func (p *proof) edited(c *change, after *entity.Entity) error {
	if after.Composite() {
		return fmt.Errorf("part %q has become a composite", after.Number)
	}
	if after.Encoding != c.with {
		return fmt.Errorf("part %q has encoding %q", after.Number, after.Encoding)
	}
	p.bodies = append(p.bodies, newBody{c, after})
	want := &matching{want: scan.Reader(c.body)}
	if _, err := entity.Decode(want, io.NewSectionReader(p.result.Message, after.Body.Start, after.Body.Len()), c.with); err != nil {
		return fmt.Errorf("the new body of part %q: %w", after.Number, err)
	}
	if !want.all() {
		return fmt.Errorf("the new body of part %q: %w", after.Number, errDiffers)
	}
	return p.lineEnds(c)
}

// nothingNew makes sure that no edited entity deviates in a way that it did not before, or
// that other readings came of. It looks when all readings were made: of a transfer encoding
// that is unknown, or that is named twice, only they say that there is but one.
func (p *proof) nothingNew() error {
	for _, b := range p.bodies {
		for _, n := range b.after.Notes {
			if n.Class != entity.Malformed || !slices.ContainsFunc(b.c.entity.Notes, func(old entity.Deviation) bool { return old.Code == n.Code }) {
				return fmt.Errorf("the edited message failed the check: part %q: %s", b.after.Number, n.Code)
			}
		}
	}
	return nil
}

// matching is a writer that takes nothing but what it wants.
type matching struct{ want *io.SectionReader }

func (m *matching) Write(p []byte) (int, error) {
	want := make([]byte, len(p))
	if _, err := io.ReadFull(m.want, want); err != nil || !bytes.Equal(p, want) {
		return 0, errDiffers
	}
	return len(p), nil
}

// all reports whether all that was wanted has come.
func (m *matching) all() bool {
	n, _ := m.want.Read(make([]byte, 1))
	return n == 0
}

// lineEnds makes sure that no line end of a body was damaged.
func (p *proof) lineEnds(c *change) error {
	old := io.NewSectionReader(p.Message.Raw, c.entity.Body.Start, c.entity.Body.Len())
	crs, lfs, err := lone(scan.Reader(c.encoded))
	if err != nil {
		return err
	}
	oldCRs, oldLFs, err := lone(old)
	if p.newline == "\r\n" && (crs > oldCRs || lfs > oldLFs) {
		return errors.Join(err, fmt.Errorf("part %q has damaged line ends", c.entity.Number))
	}
	return err
}

// lone counts CRs that no LF follows, and LFs that no CR is before.
func lone(r io.Reader) (crs, lfs int, err error) {
	var block [32 << 10]byte
	before := byte(0)
	for {
		n, err := r.Read(block[:])
		for _, c := range block[:n] {
			switch {
			case c == '\n' && before != '\r':
				lfs++
			case before == '\r' && c != '\n':
				crs++
			}
			before = c
		}
		if err == io.EOF {
			if before == '\r' {
				crs++
			}
			return crs, lfs, nil
		}
		if err != nil {
			return crs, lfs, err
		}
	}
}
