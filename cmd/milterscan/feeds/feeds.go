// Package feeds is the commands for lists that others publish.
package feeds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/feed"
)

// Commands returns the commands for feeds.
func Commands() []cli.Command {
	return []cli.Command{
		{Name: "show", About: "say how old the list of each feed is, and how many entries it has", Run: list},
		{Name: "check", About: "say which feeds list a host, a URL, a hash or an address", Run: check},
		{Name: "update", About: "fetch feeds now; the daemon goes on with what it gets", Run: update},
	}
}

// open reads the arguments of a command, which goes on as the owner of the directory of feeds if root
// has called it. Unless ok, the command ends with the status.
func open(f *cli.Options, args []string, std cli.Streams, parse func(*cli.Options, []string) (int, bool),
	checks ...func() error) (c *config.Config, back func(), status int, ok bool) {
	c, status, ok = cli.Configured(f, args, std, parse, checks...)
	if !ok {
		return nil, nil, status, false
	}
	if len(c.Feeds) == 0 {
		fmt.Fprintf(std.Err, "milterscan %s: nothing is fetched: the configuration has no [[feed]]\n", f.Name())
		return nil, nil, cli.ExitConfig, false
	}
	back, err := cli.AsOwner(c.FeedDir)
	if err != nil {
		fmt.Fprintf(std.Err, "milterscan %s: %v\n", f.Name(), err)
		return nil, nil, cli.ExitError, false
	}
	return c, back, cli.ExitOK, true
}

// state is how it is with a feed, for programs.
type state struct {
	Feed    string    `json:"feed"`
	Kind    string    `json:"kind"`
	URL     string    `json:"url"`
	Entries int       `json:"entries"`
	Bytes   int       `json:"bytes"`  // as it was fetched
	Memory  int       `json:"memory"` // that its entries take, in bytes
	Wrong   int       `json:"wrong"`  // lines without an entry
	Seen    time.Time `json:"seen,omitzero"`
	Signed  time.Time `json:"signed,omitzero"`
	Old     bool      `json:"old"`
	Error   string    `json:"error,omitempty"`
}

// stateOf returns how it is with a feed.
func stateOf(c feed.Config, s feed.State) state {
	out := state{Feed: c.Name, Kind: string(c.Kind), URL: c.URL, Entries: s.Entries, Bytes: s.Bytes, Memory: s.Memory, Wrong: s.Wrong,
		Seen: s.Seen, Signed: s.Signed, Old: c.Old(s.Seen, time.Now())}
	if s.Err != nil {
		out.Error = s.Err.Error()
	}
	return out
}

// print prints the state on a line, and what went wrong on another.
func (s state) print(w io.Writer) {
	seen := "never fetched"
	if !s.Seen.IsZero() {
		seen = "seen " + show.Time(s.Seen)
	}
	if s.Old && !s.Seen.IsZero() {
		seen += " (old)"
	}
	fmt.Fprintf(w, "%-20s %-8s %9d entries  %s  %s\n", s.Feed, s.Kind, s.Entries, seen, show.Printable(s.URL))
	if s.Error != "" {
		fmt.Fprintf(w, "  %s\n", show.Printable(s.Error))
	}
}

// list shows the state of all feeds, by the files on the disk.
func list(_ context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("feed show", "[-c FILE] [--json]", std)
	asJSON := f.Bool("json", false, "print a JSON list")
	c, back, status, ok := open(f, args, std, cli.Parse)
	if !ok {
		return status
	}
	defer back()
	states := []state{}
	status = cli.ExitOK
	for _, one := range c.Feeds {
		s := stateOf(one, feed.Kept(one, c.FeedDir))
		if s.Old || s.Error != "" {
			status = cli.ExitFound
		}
		states = append(states, s)
	}
	if *asJSON {
		show.JSON(std.Out, states)
		return status
	}
	for _, s := range states {
		s.print(std.Out)
	}
	return status
}

// check says which feeds list something, by the files on the disk.
func check(_ context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("feed check", "[-c FILE] [--json] VALUE...", std)
	told := cli.Told(f, std)
	c, back, status, ok := open(f, args, std, cli.ParseArguments, func() error {
		if f.NArg() == 0 {
			return errors.New("name a host, a URL, a hash or an address")
		}
		return nil
	})
	if !ok {
		return status
	}
	defer back()
	set := feed.New(feed.Options{})
	set.Use(c.Feeds, c.FeedDir)
	status = cli.ExitFound
	for _, one := range c.Feeds {
		t := set.Table(one.Name)
		if t == nil {
			fmt.Fprintf(std.Err, "milterscan feed check: %s has never been fetched\n", one.Name)
			return cli.ExitError
		}
		for _, value := range f.Args() {
			if t.Has(value) {
				told(map[string]any{"value": value, "feed": one.Name}, "%s: %s lists it", show.Printable(value), one.Name)
				status = cli.ExitOK
			}
		}
	}
	return status
}

// update fetches feeds.
func update(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("feed update", "[-c FILE] [--force] [--json] [NAME...]", std)
	how := feed.Carefully
	force := f.Bool("force", false, "take a list that is older than the last one, or has lost nearly all of its entries")
	asJSON := f.Bool("json", false, "print one JSON object for each list that was fetched")
	c, back, status, ok := open(f, args, std, cli.ParseArguments)
	if !ok {
		return status
	}
	defer back()
	if *force {
		how = feed.Forced
	}
	for _, name := range f.Args() {
		if !slices.ContainsFunc(c.Feeds, func(c feed.Config) bool { return c.Name == name }) {
			fmt.Fprintf(std.Err, "milterscan feed update: %s: %v\n", show.Printable(name), feed.ErrUnknown)
			return cli.ExitUsage
		}
	}
	set := feed.New(feed.Options{})
	set.Use(c.Feeds, c.FeedDir)
	for i, one := range c.Feeds {
		if f.NArg() > 0 && !slices.Contains(f.Args(), one.Name) {
			continue
		}
		if err := set.Update(ctx, one.Name, how); err != nil {
			fmt.Fprintf(std.Err, "milterscan feed update: %s: %s\n", one.Name, show.Printable(err.Error()))
			status = cli.ExitError
			continue
		}
		if got := stateOf(one, set.States()[i]); *asJSON {
			show.JSON(std.Out, got)
		} else {
			got.print(std.Out)
		}
	}
	return status
}
