package past

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// History lists what became of messages.
func History(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("history", "[-c FILE] [filters] [--long | --csv | --count FIELD] [--json]", std)
	path := cli.ConfigFlag(f)
	var filter history.Filter
	var after history.Cursor
	check := historyFilter(f, &filter, &after)
	var as printing
	f.BoolVar(&as.long, "long", false, "print all recipients, the client, the login, and the queue id")
	f.BoolVar(&as.json, "json", false, "print one JSON object a line")
	f.BoolVar(&as.csv, "csv", false, "print comma-separated values, with the names of the columns first")
	f.Var(cli.Choice(&as.count, history.SumRule, history.SumFinding, history.SumAction, history.SumSender), "count",
		"count the messages by this `field` and by what became of them, instead of listing them: rule (the one that decided), "+
			"finding, action, sender (its domain); all of them unless there is a --limit")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	if err := errors.Join(check(), as.check()); err != nil {
		return f.Refuse(err)
	}
	if as.count != "" && !given(f, "limit") {
		filter.Limit = 0
	}
	h, status := mustOpenHistory("history", *path, std)
	if h == nil {
		return status
	}
	defer h.Close()
	var err error
	if as.count != "" {
		err = countUp(ctx, h, filter, after, as, std)
	} else {
		err = list(ctx, h, filter, after, as.printer(std.Out), std.Err)
	}
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan history:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}

// printing says how records are printed.
type printing struct {
	long, json, csv bool
	count           string // one of history.SumRule and the like; "" for a list
}

// check refuses two forms at once.
func (p printing) check() error {
	if p.long && (p.json || p.csv) || p.json && p.csv {
		return errors.New("--long, --json and --csv exclude each other")
	}
	if p.count != "" && (p.long || p.csv) {
		return errors.New("--count excludes --long and --csv; it goes with --json")
	}
	return nil
}

// recordPrinter prints records. flush is called after every page.
type recordPrinter struct {
	record func(policy.Record)
	flush  func() error
}

func (p printing) printer(out io.Writer) recordPrinter {
	switch {
	case p.csv:
		c := history.NewCSV(out)
		return recordPrinter{func(r policy.Record) { c.Record(r) }, func() error { c.Flush(); return c.Error() }}
	case p.json:
		return recordPrinter{func(r policy.Record) { show.JSON(out, r) }, func() error { return nil }}
	}
	return recordPrinter{func(r policy.Record) { show.HistoryLine(out, r, p.long) }, func() error { return nil }}
}

// list prints page after page until there are as many records as the filter says, and says
// what it may be good to know about them.
func list(ctx context.Context, h *Opened, f history.Filter, after history.Cursor, to recordPrinter, notes io.Writer) error {
	most, left, told := f.Limit, f.Limit, false
	for {
		if f.Limit = history.PageMost; left > 0 {
			f.Limit = min(f.Limit, left)
		}
		p, err := h.Find(ctx, f, after)
		if err != nil {
			return errors.Join(err, to.flush())
		}
		if !told {
			told = noteUnindexed(notes, p.Unindexed)
		}
		for _, r := range p.Records {
			to.record(r)
		}
		if err := to.flush(); err != nil {
			return err
		}
		if after = p.Next; after.IsZero() {
			return nil
		}
		if left > 0 {
			if left -= len(p.Records); left == 0 {
				fmt.Fprintf(notes, "note: only the newest %d are listed, there are more; --limit 0 lists all, --after %s goes on\n", most, after)
				return nil
			}
		}
	}
}

// noteUnindexed says that records are read one by one, and reports whether it did.
func noteUnindexed(notes io.Writer, n int64) bool {
	if n > 0 {
		fmt.Fprintf(notes, "note: %d records are not indexed yet and are read one by one; a daemon of this version indexes them\n", n)
	}
	return n > 0
}

// historyFilter registers the flags of a filter. The returned function takes over what
// is left when they are read.
func historyFilter(f *cli.Options, filter *history.Filter, after *history.Cursor) (check func() error) {
	var since, before cli.Moment
	addressFlags(f, filter)
	groundFlags(f, filter)
	f.StringVar(&filter.Subject, "subject", "", "only with subjects like this `pattern`: with \"*\", or any part")
	f.StringVar(&filter.QueueID, "queue-id", "", "only with this queue `id` of the MTA")
	f.StringVar(&filter.MessageID, "message-id", "", "only with this Message-ID, an `id` with or without angle brackets")
	f.Func("larger", "only of this `size` or more: \"10MB\"", cli.Size(&filter.Larger))
	f.Func("smaller", "only of this `size` or less", cli.Size(&filter.Smaller))
	span := cli.Span(f, &since, &before)
	f.IntVar(&filter.Limit, "limit", 100, "at most this `number`, the newest; 0 for all")
	f.Func("after", "go on at the `place` that an earlier list named", func(s string) (err error) {
		*after, err = history.ParseCursor(s)
		return err
	})
	return func() error {
		filter.Since, filter.Before = since.Time, before.Time
		return errors.Join(span(), cli.Limited(filter.Limit))
	}
}

// addressFlags defines the flags about the sender, the recipient and the client of a message.
func addressFlags(f *cli.Options, filter *history.Filter) {
	f.StringVar(&filter.Sender, "from", "", "only from senders like this `pattern`, by the envelope or by the message itself: "+
		"\"@example.com\" for a domain, \".example.com\" for its subdomains, with \"*\", or any part of the address")
	f.StringVar(&filter.Recipient, "to", "", "only to recipients like this `pattern`, likewise")
	f.StringVar(&filter.User, "user", "", "only from logins like this `pattern`, likewise")
	f.StringVar(&filter.Client, "client", "",
		"only from clients like this `pattern`: an address, a network such as 192.0.2.0/24, or a part of the name")
}

// groundFlags defines the flags about why it became of a message what became of it.
func groundFlags(f *cli.Options, filter *history.Filter) {
	f.StringVar(&filter.Reason, "reason", "", "only with a finding or a deciding rule like this `pattern`, likewise: \"virus/*\"")
	f.StringVar(&filter.Rule, "rule", "",
		"only with a rule like this `pattern` that decided, added something, or would have if it did not only watch")
	f.StringVar(&filter.Finding, "finding", "", "only with a finding like this `pattern`: \"virus/*\"")
	f.StringVar(&filter.Engine, "engine", "", "only seen by an engine or scanner like this `pattern`: \"virus/clamd\"")
	f.Var(cli.Choice(&filter.Did, history.DidFind, history.DidFail), "engine-did",
		"only where that engine, or any, did `this`: found something, or failed; found, failed")
	f.Var(cli.Choice(&filter.Action, "deliver", "tempfail", "hold", "discard", "quarantine", "reject"), "action",
		"only with this `action`: deliver, tempfail, hold, discard, quarantine, reject")
}
