// Package lists is the commands for the senders that people allow and block.
package lists

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/tables"
	"github.com/milterscan/milterscan/policy/people"
)

// Commands returns the commands for lists. by is the user who calls them.
func Commands(by string) []cli.Command {
	as := func(do func(context.Context, []string, cli.Streams, string) int) func(context.Context, []string, cli.Streams) int {
		return func(ctx context.Context, args []string, std cli.Streams) int { return do(ctx, args, std, by) }
	}
	return []cli.Command{
		{Name: "add", About: "allow or block senders, for a recipient, a domain or the host", Run: as(add)},
		{Name: "show", About: "show the entries of lists, the last made first", Run: as(shown)},
		{Name: "remove", About: "take entries out of a list", Run: as(remove)},
		{Name: "import", About: "make entries out of a file", Run: as(imported)},
		{Name: "export", About: "write entries out, as \"import\" reads them", Run: as(export)},
	}
}

// book is the lists as a command sees them.
type book struct {
	cli.Streams
	name   string // of the command, for errors
	by     string // the user who called it
	config *config.Config
	store  *people.Store
	shared tables.State // nil: nothing
	close  func()
}

// open reads the arguments of a command, which goes on as the owner of the lists if root has called it. Unless
// ok, the command ends with the status.
func open(f *cli.Options, args []string, std cli.Streams, by string, parse func(*cli.Options, []string) (int, bool),
	checks ...func() error) (b *book, status int, ok bool) {
	c, status, ok := cli.Configured(f, args, std, parse, checks...)
	if !ok {
		return nil, status, false
	}
	b = &book{Streams: std, name: f.Name(), by: by, config: c}
	back, err := cli.AsOwner(c.People.File)
	if err != nil {
		return nil, b.fail(err), false
	}
	stores := pipeline.StoresOf(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
	b.store, b.shared = stores.People(c), stores.Tables()
	b.close = func() { stores.Close(); back() }
	return b, cli.ExitOK, true
}

// fail reports an error and returns the exit status for it.
func (b *book) fail(err error) int {
	fmt.Fprintf(b.Err, "milterscan %s: %v\n", b.name, cli.Denied(err, b.config.People.File))
	var told *people.Error
	switch {
	case errors.As(err, &told):
		return cli.ExitUsage
	case errors.Is(err, people.ErrUnknown):
		return cli.ExitFound
	}
	return cli.ExitError
}

// maker returns the user who called the command, who may make any entry.
func (b *book) maker() people.Maker {
	return people.Maker{Name: b.by, Level: people.OfHost, Terms: b.config.People.Lists}
}

// note writes what was done into the audit log of the console, which is in another file.
func (b *book) note(ctx context.Context, act, object string) error {
	log := accounts.Of(b.config.Console.File, b.shared)
	defer log.Close()
	return log.Note(ctx, accounts.Entry{Person: b.by, Client: "shell", Act: act, Object: object, Outcome: "done"})
}

// object names entries in the audit log.
func object(e people.Entry) string {
	return fmt.Sprintf("%s: %s %s", e.Owner, e.Act, e.Pattern)
}

// owner registers the flag for whose list it is.
func owner(f *cli.Options, to *string) (check func() error) {
	f.StringVar(to, "for", "", "whose `list` it is: the address of a recipient, a domain, \".example.com\" for its subdomains, or \"host\"")
	return func() (err error) {
		if *to == "" {
			return errors.New("--for says whose list it is: an address, a domain, or \"host\"")
		}
		*to, err = people.FoldOwner(*to)
		return err
	}
}

// until is a flag for when entries expire: a time, or how long from now.
type until struct{ to *time.Time }

// String returns "", as nothing is set before.
func (u until) String() string { return "" }

// Set reads a date, or a duration such as "30d".
func (u until) Set(s string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			*u.to = t
			return nil
		}
	}
	return u.after(s)
}

// line tells a person about an entry.
func line(e people.Entry, now time.Time) string {
	text := fmt.Sprintf("%s %s %s", e.Owner, e.Act, e.Pattern)
	if e.Authenticated {
		text += " authenticated"
	}
	switch {
	case e.Expired(now):
		text += " expired " + show.Time(e.Expires)
	case !e.Expires.IsZero():
		text += " until " + show.Time(e.Expires)
	}
	text += fmt.Sprintf(" (%s, %s)", e.Maker, e.Made.Local().Format(time.DateOnly))
	if e.Note != "" {
		text += " # " + e.Note
	}
	return show.Printable(text)
}
