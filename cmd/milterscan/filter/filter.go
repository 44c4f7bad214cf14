// Package filter judges one mail for a caller that is no MTA: by the daemon, where
// one is running, and writes the mail with the changes made.
package filter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/milter"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Job is one mail on its way through the filter.
type Job struct {
	Config   *config.Config
	Envelope scan.Envelope
	Streams  cli.Streams
	Program  []string // who gets the result; empty: standard output

	shared   *pipeline.Shared
	recorder *pipeline.Recorder // of a mail judged here; nil where the daemon has one
	back     func()             // makes us the caller's again, see cli.AsOwner
}

// Run judges the mail on standard input and hands the result on. It returns the
// exit status.
func (j *Job) Run(ctx context.Context) int {
	j.shared, j.back = pipeline.NewShared(j.Config), func() {}
	defer func() { j.back() }()
	defer j.shared.Workers.Close()
	defer j.report(ctx)
	return j.run(ctx)
}

// report writes the history and sends the notices, where no daemon does it.
func (j *Job) report(ctx context.Context) {
	if j.recorder == nil {
		return
	}
	j.recorder.Close()
	j.shared.Stores.Close()
	pipeline.NewPost(j.recorder, func() *config.Config { return j.Config }, j.shared.Directory.Language).Round(ctx, time.Now())
}

// run reads, judges and hands on. Whatever goes wrong on the way is a temporary
// failure: the caller still has the mail.
func (j *Job) run(ctx context.Context) int {
	if len(j.Program) == 0 && nowhere(j.Streams.Out) {
		return j.unable(errors.New("standard output is closed"))
	}
	// Given back when we end: a scanner that outstays its time may still read it.
	raw := j.shared.Spool.Buffer()
	if _, err := io.Copy(raw, j.Streams.In); err != nil {
		return j.unable(err)
	}
	if raw.Size() == 0 {
		return j.unable(errors.New("there is no mail on standard input"))
	}
	mail := pipeline.WithoutMboxLine(raw)
	parser := entity.NewParser(j.Config.Limits.MIME)
	if _, err := io.Copy(parser, scan.Reader(mail)); err != nil {
		return j.unable(err)
	}
	tree := parser.Close()
	ruling, release, err := j.judge(ctx, mail, tree)
	if err != nil {
		return j.unable(err)
	}
	defer release()
	return j.answer(ruling, func(out io.Writer) error {
		if _, err := io.CopyN(out, scan.Reader(raw), raw.Size()-mail.Size()); err != nil {
			return err
		}
		return apply(out, mail, tree.Root, ruling.Changes)
	})
}

// unable says why a mail could not be judged or handed on.
func (j *Job) unable(err error) int {
	fmt.Fprintln(j.Streams.Err, "milterscan filter:", err)
	return cli.ExitTempfail
}

// judge asks the daemon, or judges here where none is running. release is called
// when the ruling is done with.
func (j *Job) judge(ctx context.Context, mail scan.Content, tree *entity.Tree) (policy.Ruling, func(), error) {
	if conn := j.daemon(); conn != nil {
		patience := j.Config.Limits.Time.Go() + daemonGrace
		r, err := milter.Ask(ctx, conn, patience, j.Envelope, mail, tree.Root)
		if !errors.Is(err, milter.ErrUnsayable) {
			return r, func() {}, err
		}
	}
	if err := j.asOwner(); err != nil {
		return policy.Ruling{}, nil, err
	}
	j.shared.Stores.Join()
	j.recorder = pipeline.NewRecorder(j.Config, j.shared.Stores,
		func(err error) { fmt.Fprintln(j.Streams.Err, "milterscan filter:", err) })
	here, err := pipeline.NewJudge(j.Config, 1, j.shared, func(ctx context.Context, r *judge.Result) { j.recorder.Enter(ctx, r, j.Config) })
	if err != nil {
		return policy.Ruling{}, nil, err
	}
	in := scan.Received{Envelope: j.Envelope, Raw: unclosed{mail}, Tree: tree, Size: mail.Size()}
	if limit := int64(j.Config.Limits.Message); in.Size > limit {
		in.Raw = unclosed{io.NewSectionReader(mail, 0, limit)}
		if in.Tree, err = parseAgain(in.Raw, j.Config.Limits.MIME); err != nil {
			return policy.Ruling{}, nil, err
		}
	}
	r, release := here.Message(ctx, in)
	return r, release, nil
}

// asOwner goes on as the owner of the files that are written where no daemon does it.
func (j *Job) asOwner() error {
	back, err := cli.AsOwner(j.Config.Quarantine.Dir, j.Config.History.File, j.Config.Notices.Dir)
	if err == nil {
		j.back = back
	}
	return err
}

// daemonGrace is how much longer than a message may take the daemon may be
// silent.
const daemonGrace = 30 * time.Second

// dialTime is how long a daemon may take to accept a connection; it is local.
const dialTime = 5 * time.Second

// daemon returns a connection to the daemon, nil where none is listening.
func (j *Job) daemon() net.Conn {
	for _, a := range j.Config.Milter.Listen {
		network, address := a.Split()
		if conn, err := net.DialTimeout(network, address, dialTime); err == nil {
			return conn
		}
	}
	return nil
}

// unclosed is a content that its readers do not close.
type unclosed struct{ scan.Content }

// Close does nothing.
func (unclosed) Close() error { return nil }

// parseAgain parses the rest of a message that is too large.
func parseAgain(c scan.Content, limits entity.Limits) (*entity.Tree, error) {
	parser := entity.NewParser(limits)
	if _, err := io.Copy(parser, scan.Reader(c)); err != nil {
		return nil, err
	}
	return parser.Close(), nil
}

// answer turns a ruling into an exit status, and hands the mail on if it is to
// be.
func (j *Job) answer(r policy.Ruling, write func(io.Writer) error) int {
	switch r.Answer {
	case policy.Deliver:
		if err := unmade(r.Changes); err != nil {
			return j.unable(err)
		}
		return j.deliver(write)
	case policy.Reject:
		fmt.Fprintln(j.Streams.Err, r.Reply)
		return cli.ExitRefused
	case policy.Discard:
		return cli.ExitNothingLeft
	case policy.Hold:
		fmt.Fprintf(j.Streams.Err, "%s (%s)\n", policy.NoQueue, r.Reason)
		return cli.ExitTempfail
	default:
		fmt.Fprintln(j.Streams.Err, r.Reply)
		return cli.ExitTempfail
	}
}

// unmade returns an error if a filter cannot make all the changes: the program that
// calls it has its own idea of sender and recipients.
func unmade(c policy.Changes) error {
	if c.Sender == nil && len(c.Drop) == 0 && len(c.Add) == 0 {
		return nil
	}
	return fmt.Errorf("a filter cannot change sender or recipients (drop %q, add %q); call it once for each recipient, and "+
		"leave the rest to the milter", c.Drop, c.Add)
}
