package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// filter judges the one mail on standard input as the daemon would: by the
// daemon itself, where one is running. What is to be delivered goes to standard
// output, which is empty unless the status is 0, or to the program named behind
// "--", whose status is ours then.
func filter(ctx context.Context, args []string, std streams) int {
	f := flags("filter", "[-c FILE] [--from A] [--to B]... [--client IP] [--helo H] [--auth USER] [-- PROGRAM ARGUMENT...] <MAIL >RESULT", std)
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	var about envelopeFlags
	about.register(f.FlagSet)
	if status, ok := parseProgram(f, args); !ok {
		return status
	}
	env, err := about.envelope()
	if err == nil && f.NArg() > 0 && !filepath.IsAbs(f.Arg(0)) {
		err = fmt.Errorf("%q is no absolute path of a program", f.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(std.err, "milterscan filter:", err)
		return exitUsage
	}
	// A reader that is gone is an error to be told, not the end of us.
	signal.Ignore(syscall.SIGPIPE)
	c, err := load(*path)
	if err != nil {
		fmt.Fprintln(std.err, err)
		return exitConfig
	}
	w := filtering{config: c, commons: newCommons(c, 0), env: env, std: std, program: f.Args()}
	defer w.workers.Close()
	defer w.settleAccounts(ctx)
	return w.run(ctx)
}

// filtering is one mail on its way through filter.
type filtering struct {
	config *config.Config
	*commons
	env     scan.Envelope
	std     streams
	program []string // who gets the result; empty: standard output

	accounts *accounts // of a mail judged here; nil where the daemon has them
}

// settleAccounts remembers and tells what the daemon would, where there is none.
func (w *filtering) settleAccounts(ctx context.Context) {
	if w.accounts == nil {
		return
	}
	w.accounts.Close()
	w.kept.Close()
	newOffice(w.accounts.notices, func() *config.Config { return w.config }, w.accounts.warn).Round(ctx, time.Now())
}

// run reads, judges and hands on. Whatever goes wrong on the way is a temporary
// failure: the caller still has the mail.
func (w *filtering) run(ctx context.Context) int {
	if len(w.program) == 0 && nowhere(w.std.out) {
		return w.unable(errors.New("standard output is closed"))
	}
	// Given back when we end: a scanner that outstays its time may still read it.
	raw := w.spool.Buffer()
	if _, err := io.Copy(raw, w.std.in); err != nil {
		return w.unable(err)
	}
	if raw.Size() == 0 {
		return w.unable(errors.New("there is no mail on standard input"))
	}
	mail := withoutMboxLine(raw)
	parser := entity.NewParser(w.config.Limits.MIME)
	if _, err := io.Copy(parser, scan.Reader(mail)); err != nil {
		return w.unable(err)
	}
	tree := parser.Close()
	ruling, release, err := w.judge(ctx, mail, tree)
	if err != nil {
		return w.unable(err)
	}
	defer release()
	return w.answer(ruling, func(out io.Writer) error {
		if _, err := io.CopyN(out, scan.Reader(raw), raw.Size()-mail.Size()); err != nil {
			return err
		}
		return apply(out, mail, tree.Root, ruling.Changes)
	})
}

// unable says why a mail could not be judged or handed on.
func (w *filtering) unable(err error) int {
	fmt.Fprintln(w.std.err, "milterscan filter:", err)
	return exitTempfail
}

// judge asks the daemon, or judges here where none is running. release is called
// when the ruling is done with.
func (w *filtering) judge(ctx context.Context, mail scan.Content, tree *entity.Tree) (policy.Ruling, func(), error) {
	if conn := w.daemon(); conn != nil {
		patience := w.config.Limits.Time.Go() + daemonGrace
		r, err := milter.Ask(ctx, conn, patience, w.env, mail, tree.Root)
		if !errors.Is(err, milter.ErrUnsayable) {
			return r, func() {}, err
		}
	}
	w.accounts = newAccounts(w.config, func(err error) { fmt.Fprintln(w.std.err, "milterscan filter:", err) })
	j, err := newJudge(w.config, 1, w.commons, func(r *judge.Result) { w.accounts.enter(r, w.config) })
	if err != nil {
		return policy.Ruling{}, nil, err
	}
	in := scan.Received{Envelope: w.env, Raw: kept{mail}, Tree: tree, Size: mail.Size()}
	if limit := int64(w.config.Limits.Message); in.Size > limit {
		in.Raw = kept{io.NewSectionReader(mail, 0, limit)}
		if in.Tree, err = parseAgain(in.Raw, w.config.Limits.MIME); err != nil {
			return policy.Ruling{}, nil, err
		}
	}
	r, release := j.Message(ctx, in)
	return r, release, nil
}

// daemonGrace is how much longer than a message may take the daemon may be
// silent.
const daemonGrace = 30 * time.Second

// dialTime is how long a daemon may take to accept a connection; it is local.
const dialTime = 5 * time.Second

// daemon is a connection to the daemon, nil where none is listening.
func (w *filtering) daemon() net.Conn {
	for _, a := range w.config.Milter.Listen {
		network, address := a.Split()
		if conn, err := net.DialTimeout(network, address, dialTime); err == nil {
			return conn
		}
	}
	return nil
}

// kept is a content that is not closed by whoever reads it.
type kept struct{ scan.Content }

// Close does nothing.
func (kept) Close() error { return nil }

// parseAgain parses what is left of a message that is too large.
func parseAgain(c scan.Content, limits entity.Limits) (*entity.Tree, error) {
	parser := entity.NewParser(limits)
	if _, err := io.Copy(parser, scan.Reader(c)); err != nil {
		return nil, err
	}
	return parser.Close(), nil
}

// answer turns a ruling into an exit status, and hands the mail on if it is to
// be.
func (w *filtering) answer(r policy.Ruling, write func(io.Writer) error) int {
	switch r.Answer {
	case policy.Deliver:
		if err := unmade(r.Changes); err != nil {
			return w.unable(err)
		}
		return w.deliver(write)
	case policy.Reject:
		fmt.Fprintln(w.std.err, r.Reply)
		return exitRefused
	case policy.Discard:
		return exitNothingLeft
	case policy.Hold:
		fmt.Fprintf(w.std.err, "451 4.7.1 The message is held and there is no queue to hold it in (%s)\n", r.Reason)
		return exitTempfail
	default:
		fmt.Fprintln(w.std.err, r.Reply)
		return exitTempfail
	}
}

// unmade is an error if a filter cannot make all the changes: whoever calls it
// has its own idea of sender and recipients.
func unmade(c policy.Changes) error {
	if c.Sender == nil && len(c.Drop) == 0 && len(c.Add) == 0 {
		return nil
	}
	return fmt.Errorf("a filter cannot change sender or recipients (drop %q, add %q); call it once for each recipient, and leave the rest to the milter", c.Drop, c.Add)
}
