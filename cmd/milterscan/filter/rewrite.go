package filter

import (
	"io"
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// apply writes the mail with the changes made. Without changes that is the mail
// byte for byte.
func apply(out io.Writer, mail scan.Content, root *entity.Entity, c policy.Changes) error {
	if len(c.Headers) == 0 && c.Body == nil {
		_, err := io.Copy(out, scan.Reader(mail))
		return err
	}
	w := &rewriter{out: out, mail: mail, newline: lineEnd(mail)}
	w.header(root, c.Headers)
	if c.Body != nil {
		w.copy(scan.Reader(c.Body))
	} else {
		w.bytes(root.Head.End, mail.Size())
	}
	return w.err
}

// rewriter writes a mail with a changed header. The first error ends it.
type rewriter struct {
	out     io.Writer
	mail    scan.Content
	newline string
	err     error
}

// header writes the changed header block and the line that ends it.
func (w *rewriter) header(root *entity.Entity, changes []policy.HeaderChange) {
	for _, c := range slices.Backward(changes) { // each goes above those before it
		if c.Op == policy.InsertTop {
			w.field(c)
		}
	}
	at := root.Head.Start
	seen := map[string]int{}
	for _, f := range root.Header.Fields {
		name := canonical(f.Name)
		seen[name]++
		w.bytes(at, f.Span.Start)
		at = f.Span.End
		switch c, ok := changeOf(changes, name, seen[name]); {
		case !ok:
			w.bytes(f.Span.Start, f.Span.End)
		case c.Op == policy.Change:
			w.field(c)
		}
	}
	for _, c := range changes {
		if c.Op == policy.AppendBottom {
			w.field(c)
		}
	}
	w.bytes(at, root.Head.End)
}

// changeOf finds the change or deletion of the n-th field of a name.
func changeOf(changes []policy.HeaderChange, name string, n int) (policy.HeaderChange, bool) {
	for _, c := range changes {
		if (c.Op == policy.Change || c.Op == policy.Delete) && c.Index == n && canonical(c.Name) == name {
			return c, true
		}
	}
	return policy.HeaderChange{}, false
}

func (w *rewriter) field(c policy.HeaderChange) {
	value := c.Value
	if w.newline == "\n" {
		value = bareNewlines(value)
	}
	w.write(c.Name + ": " + value + w.newline)
}

func (w *rewriter) write(s string) {
	if w.err == nil {
		_, w.err = io.WriteString(w.out, s)
	}
}

func (w *rewriter) bytes(from, to int64) {
	w.copy(io.NewSectionReader(w.mail, from, to-from))
}

func (w *rewriter) copy(r io.Reader) {
	if w.err == nil {
		_, w.err = io.Copy(w.out, r)
	}
}
