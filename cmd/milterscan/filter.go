package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/entity"
)

// filter judges the one mail on standard input as the daemon would and writes
// what is to be delivered to standard output. Standard output is empty unless
// the status is 0.
func filter(ctx context.Context, args []string, std streams) int {
	f := flags("filter", "[-c FILE] [--from A] [--to B]... [--client IP] [--helo H] [--auth USER] <MAIL >RESULT", std)
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	var about envelopeFlags
	about.register(f)
	if status, ok := parse(f, args); !ok {
		return status
	}
	env, err := about.envelope()
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(std.err, "milterscan filter:", err)
		return exitUsage
	}
	p, status := newPipeline(*path, std.err)
	if p == nil {
		return status
	}
	defer p.Close()
	return p.filter(ctx, env, std)
}

// filter reads, judges and answers. Whatever goes wrong on the way is a
// temporary failure: the caller still has the mail.
func (p *pipeline) filter(ctx context.Context, env scan.Envelope, std streams) int {
	raw, err := p.keep(std.in)
	if err == nil && raw.Size() == 0 {
		err = errors.New("there is no mail on standard input")
	}
	if err != nil {
		return p.unable(std, err)
	}
	mail := withoutMboxLine(raw)
	in, err := p.receive(env, mail)
	if err != nil {
		return p.unable(std, err)
	}
	ruling, release := p.judge.Message(ctx, in)
	defer release()
	return answer(ruling, std, func(out io.Writer) error {
		if _, err := io.CopyN(out, scan.Reader(raw), raw.Size()-mail.Size()); err != nil {
			return err
		}
		return apply(out, mail, in.Tree.Root, ruling.Changes)
	})
}

// unable says why a mail could not be judged at all.
func (p *pipeline) unable(std streams, err error) int {
	fmt.Fprintln(std.err, "milterscan filter:", err)
	return exitTempfail
}

// answer turns a ruling into an exit status, and writes the mail if it goes on.
func answer(r policy.Ruling, std streams, write func(io.Writer) error) int {
	switch r.Answer {
	case policy.Deliver:
		if err := write(std.out); err != nil {
			fmt.Fprintln(std.err, "milterscan filter: the result could not be written:", err)
			return exitTempfail
		}
		return exitOK
	case policy.Reject:
		fmt.Fprintln(std.err, r.Reply)
		return exitRefused
	case policy.Discard:
		return exitNothingLeft
	case policy.Hold:
		fmt.Fprintf(std.err, "451 4.7.1 The message is held and there is no queue to hold it in [%s]\n", r.ID)
		return exitTempfail
	default:
		fmt.Fprintln(std.err, r.Reply)
		return exitTempfail
	}
}

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
	for _, c := range changes {
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
