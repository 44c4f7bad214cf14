package main

import (
	"context"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/history"
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
	h, status := mustOpenHistory("history", *path, std)
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
