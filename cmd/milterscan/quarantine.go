package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
)

// quarantineCommands returns the commands for kept messages.
func quarantineCommands() []cli.Command {
	return []cli.Command{
		{Name: "list", About: "list kept messages, newest first", Run: quarantineList},
		{Name: "show", About: "say why a message was kept, or print it", Run: quarantineShow},
		{Name: "release", About: "send messages to those who have not had them", Run: quarantineRelease},
		{Name: "forward", About: "send messages, as attachments, to somebody who is to look at them", Run: quarantineForward},
		{Name: "delete", About: "remove messages for good", Run: quarantineDelete},
		{Name: "expire", About: "remove what is too old or too much, as the daemon does by itself", Run: quarantineExpire},
		{Name: "reindex", About: "make the index anew from the messages", Run: quarantineReindex},
	}
}

func quarantineList(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("quarantine list", "[-c FILE] [filters] [--json]", std)
	var filter quarantine.Filter
	check := quarantineFilter(f, &filter)
	asJSON := f.Bool("json", false, "print one JSON object a line")
	k, status, ok := openKeeper(f, args, std, cli.Parse, check)
	if !ok {
		return status
	}
	defer k.close()
	limit := filter.Limit
	if limit > 0 {
		filter.Limit++ // to see whether there are more
	}
	rows, err := k.kept.Find(ctx, filter)
	if err != nil {
		return k.fail(err)
	}
	for _, r := range cli.Cut(std, rows, limit) {
		if *asJSON {
			show.JSON(std.Out, r)
		} else {
			quarantineLine(std.Out, r)
		}
	}
	k.tellLate(ctx)
	return cli.ExitOK
}

// tellLate says which hosts have kept messages that are not in the list yet.
func (k *keeper) tellLate(ctx context.Context) {
	late, err := k.stores.Late(ctx, k.config)
	for _, l := range late {
		fmt.Fprintf(k.Err,
			"milterscan: %s has %d kept messages to itself, which are in no list until it has moved them into the database\n",
			show.Printable(l.Host), l.Messages)
	}
	if err != nil {
		fmt.Fprintf(k.Err, "milterscan: whether hosts have kept messages to themselves is not known: %v\n", err)
	}
}

// quarantineLine prints a kept message on one line.
func quarantineLine(w io.Writer, r quarantine.Row) {
	queue := ""
	if r.QueueID != "" {
		queue = " queue=" + show.Printable(r.QueueID)
	}
	fmt.Fprintf(w, "%s  %s  %-11s %-9s %7s  <%s> to %s: %s [%s]%s%s\n", r.ID, show.Time(r.Time), r.Class, r.State, show.Size(r.Size),
		show.Printable(r.Sender), show.Printable(strings.Join(r.Recipients, ", ")), show.Printable(r.Subject),
		show.Printable(r.Reason), queue, awaits(r))
}

// awaits names the engines whose verdict a message awaits.
func awaits(r quarantine.Row) string {
	if len(r.Awaits) == 0 {
		return ""
	}
	return " awaits=" + show.Printable(strings.Join(r.Awaits, ",")) + " since " + show.Time(r.Came())
}

// quarantineFilter registers the flags of a filter. The returned function takes
// their values over when they are read.
func quarantineFilter(f *cli.Options, filter *quarantine.Filter) (check func() error) {
	var since, before cli.Moment
	f.StringVar(&filter.Sender, "from", "", "only from senders like this `pattern`, by the envelope or by the message itself: "+
		"\"@example.com\" for a domain, \".example.com\" for its subdomains, with \"*\", or any part of the address")
	f.StringVar(&filter.Recipient, "to", "", "only to recipients like this `pattern`, likewise")
	f.StringVar(&filter.Client, "client", "", "only from clients like this `pattern`: an address, or a network such as 192.0.2.0/24")
	f.StringVar(&filter.Subject, "subject", "", "only with subjects like this `pattern`: with \"*\", or any part")
	f.StringVar(&filter.Reason, "reason", "", "only for findings or rules like this `pattern`, likewise: \"virus/*\"")
	f.StringVar(&filter.QueueID, "queue-id", "", "only with this queue `id` of the MTA")
	f.Var(cli.Choice(&filter.Class, quarantine.Classes()...), "class", "only of this `class`: "+strings.Join(quarantine.Classes(), ", "))
	f.Var(cli.Choice(&filter.State, quarantine.Kept, quarantine.Releasing, quarantine.Released), "state",
		"only in this `state`: kept, releasing, released")
	span := cli.Span(f, &since, &before)
	f.IntVar(&filter.Limit, "limit", 100, "at most this `number`, the newest; 0 for all")
	return func() error {
		filter.Since, filter.Before = since.Time, before.Time
		return errors.Join(span(), cli.Limited(filter.Limit))
	}
}

func quarantineShow(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("quarantine show", "[-c FILE] [--json | --message] ID...", std)
	asJSON := f.Bool("json", false, "print all that is known as JSON")
	message := f.Bool("message", false, "print the message as it was received, byte for byte")
	k, status, ok := openKeeper(f, args, std, cli.ParseArguments)
	if !ok {
		return status
	}
	defer k.close()
	return k.each(ctx, f.Args(), func(id string) error {
		if *message {
			return k.copyTo(ctx, std.Out, id)
		}
		e, err := k.kept.Entry(ctx, id)
		if err != nil {
			return err
		}
		if *asJSON {
			show.JSON(std.Out, e)
			return nil
		}
		printEntry(std.Out, e)
		return nil
	})
}

func (k *keeper) copyTo(ctx context.Context, out io.Writer, id string) error {
	r, err := k.kept.Open(ctx, id)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(out, r)
	return err
}

func printEntry(out io.Writer, e quarantine.Entry) {
	show.WriteRecord(out, e.Record, timeline.Known(e))
	fmt.Fprintf(out, "  in the quarantine: %s, class %s, %s on the disk, SHA-256 %s\n", e.State, e.Class, show.Size(e.Stored), e.SHA256)
	for _, a := range e.Awaits {
		if !a.Done {
			fmt.Fprintf(out, "    awaits the verdict of %s since %s\n", show.Printable(a.Engine), show.Time(a.Since))
		}
	}
	for _, ev := range e.Events {
		fmt.Fprintf(out, "    %s  %s by %s %s %s\n", show.Time(ev.Time), ev.What, show.Printable(ev.By),
			show.Printable(strings.Join(ev.To, ", ")), show.Printable(ev.Note))
	}
}

func quarantineRelease(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("quarantine release",
		"[-c FILE] [--to A]... [--skip RULE]... [--again] [--infected] [--json] ID...", std)
	told := cli.Told(f, std)
	var to, skip cli.Addresses
	f.Var(&to, "to", "send it to this `address`, not to those who have not had it; may be given several times")
	f.Var(&skip, "skip", "only findings of this `rule` do not count, such as \"attachment/*\"; without it, all that it was "+
		"kept with; may be given several times")
	again := f.Bool("again", false, "also if it was released before, or it is not known whether it was")
	infected := f.Bool("infected", false, "also if a virus was found in it: the recipients get the virus")
	k, status, ok := openKeeper(f, args, std, cli.ParseArguments)
	if !ok {
		return status
	}
	defer k.close()
	return k.each(ctx, f.Args(), func(id string) error {
		sent, err := k.releaser().Release(ctx, quarantine.Order{ID: id, To: to, Skip: skip, Again: *again, Infected: *infected})
		if err == nil {
			told(map[string]any{"id": id, "sent_to": sent}, "%s: sent to %s", id, show.Printable(strings.Join(sent, ", ")))
		}
		return err
	})
}

func quarantineForward(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("quarantine forward", "[-c FILE] --to A... [--infected] [--json] ID...", std)
	told := cli.Told(f, std)
	var to cli.Addresses
	f.Var(&to, "to", "send it to this `address`; may be given several times")
	infected := f.Bool("infected", false, "also if a virus was found in it: the attachment is the virus")
	k, status, ok := openKeeper(f, args, std, cli.ParseArguments)
	if !ok {
		return status
	}
	defer k.close()
	if len(to) == 0 {
		return k.misused("--to says who is to look at it")
	}
	return k.each(ctx, f.Args(), func(id string) error {
		err := k.releaser().Forward(ctx, quarantine.Order{ID: id, To: to, Infected: *infected})
		if err == nil {
			told(map[string]any{"id": id, "forwarded_to": to}, "%s: forwarded to %s", id, show.Printable(strings.Join(to, ", ")))
		}
		return err
	})
}

func quarantineDelete(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("quarantine delete", "[-c FILE] [--json] ID...", std)
	told := cli.Told(f, std)
	k, status, ok := openKeeper(f, args, std, cli.ParseArguments)
	if !ok {
		return status
	}
	defer k.close()
	return k.each(ctx, f.Args(), func(id string) error {
		err := k.releaser().Delete(ctx, id)
		if err == nil {
			told(map[string]any{"id": id, "deleted": true}, "%s: deleted", id)
		}
		return err
	})
}

func quarantineExpire(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("quarantine expire", "[-c FILE] [--json]", std)
	told := cli.Told(f, std)
	k, status, ok := openKeeper(f, args, std, cli.Parse)
	if !ok {
		return status
	}
	defer k.close()
	n, err := quarantine.Round(ctx, k.kept, k.config.Retention(), time.Now())
	if n > 0 || err == nil {
		told(map[string]any{"removed": n}, "%d messages removed", n)
	}
	if err != nil {
		return k.fail(err)
	}
	return cli.ExitOK
}

func quarantineReindex(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("quarantine reindex", "[-c FILE] [--json]", std)
	told := cli.Told(f, std)
	k, status, ok := openKeeper(f, args, std, cli.Parse)
	if !ok {
		return status
	}
	defer k.close()
	lists, ok := k.kept.(interface {
		Reindex(ctx context.Context, step func()) (n int, unreadable []error, err error)
	})
	if !ok {
		return k.misused("this quarantine has no index that could be made again: lists are read from the messages themselves")
	}
	progress := show.NewProgress(nil, std.Err, "messages", 0)
	n, unreadable, err := lists.Reindex(ctx, progress.Step)
	progress.Clear()
	if err := errors.Join(append(unreadable, err)...); err != nil {
		status = k.fail(err)
	}
	told(map[string]any{"messages": n}, "%d messages", n)
	return status
}
