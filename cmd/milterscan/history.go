package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// printHistory lists what became of messages.
func printHistory(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("history", "[-c FILE] [filters] [--long | --json]", std)
	path := cli.ConfigFlag(f)
	var filter history.Filter
	check := historyFilter(f, &filter)
	long := f.Bool("long", false, "print all recipients, the client, the login, and the queue id")
	asJSON := f.Bool("json", false, "print one JSON object a line")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	if err := check(); err != nil {
		return f.Refuse(err)
	}
	h, status := mustOpenHistory("history", *path, std)
	if h == nil {
		return status
	}
	defer h.Close()
	limit := filter.Limit
	if limit > 0 {
		filter.Limit++ // to see whether there are more
	}
	records, err := h.List(ctx, filter)
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan history:", err)
		return cli.ExitError
	}
	for _, r := range cut(std, records, limit) {
		if *asJSON {
			show.JSON(std.Out, r)
		} else {
			show.HistoryLine(std.Out, r, *long)
		}
	}
	return cli.ExitOK
}

// historyFilter registers the flags of a filter. The returned function takes over what
// is left when they are read.
func historyFilter(f *cli.Options, filter *history.Filter) (check func() error) {
	var since, before cli.Moment
	f.StringVar(&filter.Sender, "from", "", "only from senders like this `pattern`: \"@example.com\" for a domain, "+
		"\".example.com\" for its subdomains, with \"*\", or any part of the address")
	f.StringVar(&filter.Recipient, "to", "", "only to recipients like this `pattern`, likewise")
	f.StringVar(&filter.User, "user", "", "only from logins like this `pattern`, likewise")
	f.StringVar(&filter.Client, "client", "",
		"only from clients like this `pattern`: an address, a network such as 192.0.2.0/24, or a part of the name")
	f.StringVar(&filter.Subject, "subject", "", "only with subjects like this `pattern`: with \"*\", or any part")
	f.StringVar(&filter.Reason, "reason", "", "only with a finding or a deciding rule like this `pattern`, likewise: \"virus/*\"")
	f.StringVar(&filter.QueueID, "queue-id", "", "only with this queue `id` of the MTA")
	f.Var(cli.Choice(&filter.Action, "deliver", "tempfail", "hold", "discard", "quarantine", "reject"), "action",
		"only with this `action`: deliver, tempfail, hold, discard, quarantine, reject")
	span := cli.Span(f, &since, &before)
	f.IntVar(&filter.Limit, "limit", 100, "at most this `number`, the newest; 0 for all")
	return func() error {
		filter.Since, filter.Before = since.Time, before.Time
		return errors.Join(span(), limited(filter.Limit))
	}
}

// limited refuses a limit below nothing.
func limited(n int) error {
	if n < 0 {
		return fmt.Errorf("--limit %d is less than nothing", n)
	}
	return nil
}

// cut returns the first of a list, and says on standard error if there are more.
func cut[T any](std cli.Streams, list []T, limit int) []T {
	if limit == 0 || len(list) <= limit {
		return list
	}
	fmt.Fprintf(std.Err, "note: only the newest %d are listed, there are more; --limit 0 lists all\n", limit)
	return list[:limit]
}
