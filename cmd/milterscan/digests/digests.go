// Package digests is the commands for the mail by which people are told of the mail that is kept
// back from them.
package digests

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/digest"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// Commands returns the commands for digests.
func Commands() []cli.Command {
	return []cli.Command{
		{Name: "preview", About: "print the digest that a person would get now", Run: preview},
		{Name: "send", About: "send the digests that are due, or one that is not", Run: send},
		{Name: "status", About: "say how digests go, and who gets none any more", Run: status},
		{Name: "resume", About: "send digests again to people to whom they did not arrive", Run: resume},
	}
}

// desk is what sends digests, as a command sees it.
type desk struct {
	cli.Streams
	*pipeline.Digests
	name   string // of the command, for errors
	config *config.Config
	close  func()
}

// meetTime is how long people may take to load of which the daemon has left nothing.
const meetTime = 30 * time.Second

// open reads the arguments of a command, which goes on as the owner of the file of people if root has called
// it. Unless ok, the command ends with the status.
func open(ctx context.Context, f *cli.Options, args []string, std cli.Streams, parse func(*cli.Options, []string) (int, bool),
	checks ...func() error) (d *desk, status int, ok bool) {
	c, status, ok := cli.Configured(f, args, std, parse, checks...)
	if !ok {
		return nil, status, false
	}
	d = &desk{Streams: std, name: f.Name(), config: c}
	back, err := cli.AsOwner(filepath.Dir(c.People.File), c.Quarantine.Dir)
	if err != nil {
		return nil, d.fail(err), false
	}
	w := directory.New(directory.Options{Dir: filepath.Dir(c.People.File)})
	w.Use(c.People.Sources, c.People.Delimiter)
	meeting, cancel := context.WithTimeout(ctx, meetTime)
	w.LoadMissing(meeting)
	cancel()
	warn := func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) }
	d.Digests = pipeline.NewDigests(w, warn)
	d.Share(pipeline.StoresOf(c, warn))
	d.close = func() { d.Close(); back() }
	return d, cli.ExitOK, true
}

// fail reports an error and returns the exit status for it.
func (d *desk) fail(err error) int {
	fmt.Fprintf(d.Err, "milterscan %s: %v\n", d.name, cli.Denied(err, d.config.People.File))
	if errors.Is(err, digest.ErrNothing) || errors.Is(err, digest.ErrNobody) || errors.Is(err, people.ErrUnknown) {
		return cli.ExitFound
	}
	return cli.ExitError
}

// needed refuses a command that names no person.
func needed(to *string) func() error {
	return func() error {
		if *to == "" {
			return errors.New("--for names nobody; write an address")
		}
		return nil
	}
}

// preview prints a digest.
func preview(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("digest preview", "[-c FILE] --for ADDRESS [--since TIME] [--html]", std)
	to := f.String("for", "", "the digest for the person with this `address`")
	var since cli.Moment
	f.Var(&since, "since", "with what came since: "+cli.MomentHelp+"; without it since the last digest")
	html := f.Bool("html", false, "print the page instead of the text")
	d, status, ok := open(ctx, f, args, std, cli.Parse, needed(to))
	if !ok {
		return status
	}
	defer d.close()
	t, err := d.Terms(d.config)
	if err != nil {
		return d.fail(err)
	}
	text, err := d.Post(d.config).Preview(ctx, t, *to, since.Time, time.Now())
	switch {
	case err != nil:
		return d.fail(err)
	case *html:
		fmt.Fprint(std.Out, text.HTML)
	default:
		fmt.Fprintf(std.Out, "Subject: %s\n\n%s", text.Subject, text.Text)
	}
	return cli.ExitOK
}

// send sends digests.
func send(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("digest send", "[-c FILE] [--for ADDRESS] [--dry-run] [--json]", std)
	told := cli.Told(f, std)
	to := f.String("for", "", "send the digest for the person with this `address`, due or not; without it all that are due")
	dry := f.Bool("dry-run", false, "send nothing, and list who would get one")
	d, status, ok := open(ctx, f, args, std, cli.Parse)
	if !ok {
		return status
	}
	defer d.close()
	if !d.config.People.Digest.Enabled {
		return d.fail(errors.New("digests are off; set people.digest.enabled"))
	}
	t, err := d.Terms(d.config)
	if err != nil {
		return d.fail(err)
	}
	if *dry {
		return d.due(ctx, t, *to, told)
	}
	var o digest.Outcome
	if *to != "" {
		o, err = d.Post(d.config).SendTo(ctx, t, *to, time.Now())
	} else {
		o, err = d.Post(d.config).Round(ctx, t, time.Now())
	}
	if err != nil {
		return d.fail(err)
	}
	told(map[string]any{"sent": o.Sent, "refused": o.Failed}, "sent: %d, refused: %d", o.Sent, o.Failed)
	if o.Failed > 0 {
		return cli.ExitError
	}
	return cli.ExitOK
}

// due lists who would get a digest.
func (d *desk) due(ctx context.Context, t digest.Terms, to string,
	told func(object map[string]any, line string, args ...any)) int {
	if to != "" {
		text, err := d.Post(d.config).Preview(ctx, t, to, time.Time{}, time.Now())
		if err != nil {
			return d.fail(err)
		}
		told(map[string]any{"address": to, "subject": text.Subject}, "%s: %s", show.Printable(to), text.Subject)
		return cli.ExitOK
	}
	list, more, err := d.Post(d.config).Due(ctx, t, time.Now())
	if err != nil {
		return d.fail(err)
	}
	for _, one := range list {
		told(map[string]any{"address": one.Address, "mails": one.Mails, "since": one.Since},
			"%s: %d since %s", show.Printable(one.Address), one.Mails, show.Time(one.Since))
	}
	if more {
		fmt.Fprintln(d.Err, "note: there are more people; only the first are listed")
	}
	return cli.ExitOK
}

// resume takes people up again.
func resume(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("digest resume", "[-c FILE] ADDRESS ...", std)
	d, status, ok := open(ctx, f, args, std, cli.ParseArguments)
	if !ok {
		return status
	}
	defer d.close()
	if f.NArg() == 0 {
		fmt.Fprintf(std.Err, "milterscan %s: no address is given; nothing was done\n", d.name)
		return cli.ExitUsage
	}
	status = cli.ExitOK
	for _, to := range f.Args() {
		folded, err := people.Fold(to)
		if err == nil {
			err = d.Book(d.config).ResumeDigests(ctx, folded)
		}
		if errors.Is(err, people.ErrUnknown) {
			err = fmt.Errorf("%w: no digest was ever sent there", err)
		}
		if err != nil {
			status = d.fail(fmt.Errorf("%s: %w", show.Printable(to), err))
		}
	}
	return status
}
