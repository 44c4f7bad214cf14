package main

import (
	"context"
	"fmt"
	"os"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// printHistory lists what became of messages.
func printHistory(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("history", "[-c FILE] [filters] [--json]", std)
	path := cli.ConfigFlag(f)
	var filter history.Filter
	var since, before cli.Moment
	f.StringVar(&filter.Sender, "from", "", "only from senders like this `pattern`")
	f.StringVar(&filter.Recipient, "to", "", "only to recipients like this `pattern`")
	f.StringVar(&filter.Action, "action", "", "only with this `action`: deliver, tempfail, hold, discard, quarantine, reject")
	f.Var(&since, "since", "only received since: `7d`, 12h, 2006-01-02, 2006-01-02T15:04:05Z")
	f.Var(&before, "before", "only received before: likewise")
	f.IntVar(&filter.Limit, "limit", 100, "at most this `number`, the newest; 0 for all")
	asJSON := f.Bool("json", false, "print one JSON object a line")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	filter.Since, filter.Before = since.Time, before.Time
	h, status := mustOpenHistory(*path, std)
	if h == nil {
		return status
	}
	defer h.Close()
	records, err := h.List(ctx, filter)
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan history:", err)
		return cli.ExitError
	}
	for _, r := range records {
		if *asJSON {
			show.JSON(std.Out, r)
			continue
		}
		fmt.Fprintf(std.Out, "%s  %s  %-10s %7s  <%s> to %s: %s\n", r.ID, r.Time.Local().Format("2006-01-02 15:04:05"), r.Action, show.Size(r.Size),
			show.Printable(r.Sender), show.Printable(fewer(r.Recipients)), show.Printable(r.Subject))
	}
	return cli.ExitOK
}

// fewer are the first of some addresses.
func fewer(list []string) string {
	switch len(list) {
	case 0:
		return "nobody yet"
	case 1:
		return list[0]
	}
	return fmt.Sprintf("%s and %d more", list[0], len(list)-1)
}

// mustOpenHistory is the history that the configuration names, or nil and the
// exit status after saying why not.
func mustOpenHistory(path string, std cli.Streams) (*store.History, int) {
	c, err := cli.Load(path)
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return nil, cli.ExitConfig
	}
	h := openHistory(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
	if h == nil {
		fmt.Fprintf(std.Err, "milterscan: there is no history at %q; see [history] in the configuration\n", c.History.File)
		return nil, cli.ExitError
	}
	return h, cli.ExitOK
}

// openHistory is the history a command reads, nil if there is none.
func openHistory(c *config.Config, warn func(error)) *store.History {
	if c.History.File == "" {
		return nil
	}
	if _, err := os.Stat(c.History.File); err != nil {
		return nil
	}
	return store.NewHistory(c.History.File, warn)
}
