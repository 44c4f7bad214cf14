package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// explainID says what became of a message and why.
func explainID(ctx context.Context, args []string, std streams) int {
	f := flags("explain", "[-c FILE] [--json] ID...", std)
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	asJSON := f.Bool("json", false, "print one JSON object for each message")
	if status, ok := parseArguments(f, args); !ok {
		return status
	}
	if f.NArg() == 0 {
		fmt.Fprintln(std.err, "milterscan explain: name a message by the id in the reply or the log, by the MTA's queue id, or by its Message-ID")
		return exitUsage
	}
	c, err := load(*path)
	if err != nil {
		fmt.Fprintln(std.err, err)
		return exitConfig
	}
	status := exitOK
	for _, id := range f.Args() {
		records, err := remembered(ctx, c, id, std)
		if err == nil && len(records) == 0 {
			err = errors.New("nothing is known about it (any more)")
		}
		if err != nil {
			fmt.Fprintf(std.err, "milterscan explain: %s: %v\n", printable(id), err)
			status = exitFound
		}
		for _, r := range records {
			if *asJSON {
				printJSON(std.out, r)
			} else {
				explainRecord(std.out, r)
			}
		}
	}
	return status
}

// remembered looks for a message in the history, and in the quarantine if it is
// not there.
func remembered(ctx context.Context, c *config.Config, id string, std streams) ([]policy.Record, error) {
	kept := newKeeping()
	kept.warn = func(err error) { fmt.Fprintln(std.err, "milterscan:", err) }
	if h := openHistory(c, kept.warn); h != nil {
		defer h.Close()
		if records, err := h.Lookup(ctx, id); err != nil || len(records) > 0 {
			return records, err
		}
	}
	e, err := kept.quarantine(c.Quarantine.Dir).Entry(ctx, id)
	if err != nil {
		if errors.Is(err, quarantine.ErrUnknown) {
			err = nil
		}
		return nil, err
	}
	return []policy.Record{e.Record}, nil
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

// printHistory lists what became of messages.
func printHistory(ctx context.Context, args []string, std streams) int {
	f := flags("history", "[-c FILE] [filters] [--json]", std)
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	var filter history.Filter
	var since, before moment
	f.StringVar(&filter.Sender, "from", "", "only from senders like this `pattern`")
	f.StringVar(&filter.Recipient, "to", "", "only to recipients like this `pattern`")
	f.StringVar(&filter.Action, "action", "", "only with this `action`: deliver, tempfail, hold, discard, quarantine, reject")
	f.Var(&since, "since", "only received since: `7d`, 12h, 2006-01-02, 2006-01-02T15:04:05Z")
	f.Var(&before, "before", "only received before: likewise")
	f.IntVar(&filter.Limit, "limit", 100, "at most this `number`, the newest; 0 for all")
	asJSON := f.Bool("json", false, "print one JSON object a line")
	if status, ok := parse(f, args); !ok {
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
		fmt.Fprintln(std.err, "milterscan history:", err)
		return exitError
	}
	for _, r := range records {
		if *asJSON {
			printJSON(std.out, r)
			continue
		}
		fmt.Fprintf(std.out, "%s  %s  %-10s %7s  <%s> to %s: %s\n", r.ID, r.Time.Local().Format("2006-01-02 15:04:05"), r.Action, short(r.Size),
			printable(r.Sender), printable(fewer(r.Recipients)), printable(r.Subject))
	}
	return exitOK
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
func mustOpenHistory(path string, std streams) (*store.History, int) {
	c, err := load(path)
	if err != nil {
		fmt.Fprintln(std.err, err)
		return nil, exitConfig
	}
	h := openHistory(c, func(err error) { fmt.Fprintln(std.err, "milterscan:", err) })
	if h == nil {
		fmt.Fprintf(std.err, "milterscan: there is no history at %q; see [history] in the configuration\n", c.History.File)
		return nil, exitError
	}
	return h, exitOK
}
