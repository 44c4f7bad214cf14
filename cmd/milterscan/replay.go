package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
)

// replayed judges mail again, under another configuration or with what engines know today, and
// prints what ends otherwise.
func replayed(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("replay", "[-c FILE] [--with FILE] [--sample] [--json] [--online] [--resume FILE] [--since T] [--before T] "+
		"[--from A] [--to B]... [--client IP] [--helo H] [--auth USER] [PATH...]", std)
	r := rehearsal{Streams: std, begun: time.Now()}
	f.StringVar(&r.with, "with", "", "the other configuration `file`; without it, mail is compared with what was recorded when it came")
	f.BoolVar(&r.json, "json", false, "print one JSON object for each mail that ends otherwise, and one that adds up")
	f.BoolVar(&r.online, "online", false, "ask resolvers, DNS lists and other hosts as well; without it, what was found about the sender is "+
		"taken from the record of the mail")
	f.BoolVar(&r.sample, "sample", false, "judge the mail that [replay] has kept, instead of the quarantine")
	f.StringVar(&r.resume, "resume", "", "a `file` that remembers what was judged; with the same one, an interrupted replay goes on")
	var since, before cli.Moment
	inTime := cli.Span(f, &since, &before)
	about := cli.DeliveryFlags(f)
	c, status, ok := cli.Configured(f, args, std, cli.ParseArguments, inTime, func() error {
		if r.sample && f.NArg() > 0 {
			return errors.New("--sample and paths exclude each other")
		}
		return nil
	})
	if !ok {
		return status
	}
	env, err := about.Envelope()
	if err != nil {
		return f.Refuse(err)
	}
	given := about.From != "" || len(about.To) > 0
	r.source = replay.Source{Envelope: env, Given: given, Since: since.Time, Before: before.Time, Left: r.report.Leave}
	return r.run(ctx, c, f.Args())
}

// rehearsal is one call of the command.
type rehearsal struct {
	cli.Streams
	with, resume string
	json, online bool
	sample       bool // the mail is that of [replay]
	begun        time.Time
	source       replay.Source
	report       replay.Report
	was, now     *replay.Side
	progress     *show.Progress
	journal      *replay.Journal
}

// errShared is reported where no path is named and the quarantine is no directory.
var errShared = errors.New("the quarantine is in the shared database; name files or directories with mail, such as those that " +
	"\"milterscan quarantine show --message ID\" writes")

// run judges the mails, those of the quarantine where no path is named.
func (r *rehearsal) run(ctx context.Context, c *config.Config, paths []string) int {
	if len(paths) == 0 {
		if c.Store.URL != "" && !r.sample {
			return r.fail(errShared)
		}
		dir := c.Quarantine.Dir
		if r.sample {
			dir = c.Replay.Dir
			if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
				return r.fail(fmt.Errorf("no mail was kept for replays in %q: set replay.keep, and wait", dir))
			}
		}
		paths = []string{dir}
		back, err := cli.AsOwner(dir)
		if err != nil {
			return r.fail(cli.Denied(err, dir))
		}
		defer back()
	}
	if status := r.open(c); status != cli.ExitOK {
		return status
	}
	defer r.close()
	if !r.json {
		r.progress = show.NewProgress(nil, r.Err, "mails", 0)
		defer r.progress.Clear()
	}
	err := replay.Run(ctx, r.source.In(ctx, paths), r.was, r.now, r.journal.Done, r.tell)
	r.progress.Clear()
	r.finish(err)
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		return r.fail(err)
	case err != nil || r.report.Unreadable > 0 || r.report.Unsure > 0:
		return cli.ExitError
	case r.report.Differing > 0:
		return cli.ExitFound
	}
	return cli.ExitOK
}

// open makes both sides, and the journal if there is to be one.
func (r *rehearsal) open(c *config.Config) int {
	other, compared := c, "recorded\n"+c.Effective().String()
	if r.with != "" {
		var err error
		if other, err = config.Load(r.with); err != nil {
			fmt.Fprintln(r.Err, err)
			return cli.ExitConfig
		}
		compared = c.Effective().String() + "\n" + other.Effective().String()
		if r.was, err = r.side(c); err != nil {
			fmt.Fprintln(r.Err, "milterscan replay:", err)
			return cli.ExitConfig
		}
	}
	var err error
	if r.now, err = r.side(other); err != nil {
		r.close()
		fmt.Fprintln(r.Err, "milterscan replay:", err)
		return cli.ExitConfig
	}
	if r.resume == "" {
		return cli.ExitOK
	}
	sum := sha256.Sum256([]byte(compared))
	if r.journal, err = replay.OpenJournal(r.resume, hex.EncodeToString(sum[:]), r.print); err != nil {
		r.close()
		return r.fail(err)
	}
	return cli.ExitOK
}

// side makes one side, and says what it leaves out.
func (r *rehearsal) side(c *config.Config) (*replay.Side, error) {
	s, notes, err := replay.Open(c, r.online)
	for _, n := range notes {
		fmt.Fprintf(r.Err, "milterscan replay: %s; --online asks it\n", n)
	}
	return s, err
}

func (r *rehearsal) close() {
	for _, s := range []*replay.Side{r.was, r.now} {
		if s != nil {
			s.Close()
		}
	}
	r.journal.Close()
}

// tell notes and prints a verdict that was reached now.
func (r *rehearsal) tell(v replay.Verdict) error {
	r.progress.Step()
	if err := r.journal.Note(v); err != nil {
		return fmt.Errorf("the replay ends, as it cannot be remembered what was judged: %w", err)
	}
	return r.print(v)
}

// print counts a verdict, and prints one that programs want.
func (r *rehearsal) print(v replay.Verdict) error {
	r.report.Add(v)
	if r.json && (v.Error != "" || v.Unsure != "" || len(v.Differences) > 0) {
		show.JSON(r.Out, v)
	}
	return nil
}

// finish prints the report.
func (r *rehearsal) finish(err error) {
	if r.json {
		show.JSON(r.Out, r.report.Sum(time.Since(r.begun), err == nil))
		return
	}
	r.report.Write(r.Out, time.Since(r.begun))
	if errors.Is(err, context.Canceled) {
		hint := "; with --resume FILE, the next one could go on"
		if r.resume != "" {
			hint = "; the same call goes on"
		}
		fmt.Fprintf(r.Out, "The replay was interrupted and has not seen all mail%s.\n", hint)
	}
}

func (r *rehearsal) fail(err error) int {
	fmt.Fprintln(r.Err, "milterscan replay:", err)
	return cli.ExitError
}
