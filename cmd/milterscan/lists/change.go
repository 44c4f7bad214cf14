package lists

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan/units"
)

// after reads how long from now.
func (u until) after(s string) error {
	var d units.Duration
	if err := d.UnmarshalText([]byte(s)); err != nil || d <= 0 {
		return fmt.Errorf("%q is no time; write one such as \"30d\" or \"2026-12-31\"", s)
	}
	*u.to = time.Now().Add(d.Go())
	return nil
}

func add(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("list add",
		"[-c FILE] allow|block --for ADDRESS|DOMAIN|host [--authenticated] [--expires 30d] [--note TEXT] SENDER...", std)
	var e people.Entry
	check := owner(f, &e.Owner)
	f.BoolVar(&e.Authenticated, "authenticated", false, "only if DMARC or a DKIM signature proves the domain in the From field")
	f.Var(until{&e.Expires}, "expires", "when the entries end: a `time` from now such as \"30d\", or a date such as \"2026-12-31\"")
	f.StringVar(&e.Note, "note", "", "a `text` that says what they are for")
	var patterns []string
	b, status, ok := open(f, args, std, by, cli.ParseArguments, check, func() error {
		if f.NArg() < 2 || e.Act.UnmarshalText([]byte(f.Arg(0))) != nil {
			return errors.New("write \"allow\" or \"block\", and then senders: addresses, domains, networks")
		}
		for _, p := range f.Args()[1:] {
			folded, err := people.FoldPattern(p)
			if err != nil {
				return err
			}
			patterns = append(patterns, folded)
		}
		return nil
	})
	if !ok {
		return status
	}
	defer b.close()
	for _, p := range patterns {
		e.Pattern = p
		made, err := b.store.Add(ctx, b.maker(), e)
		if err == nil {
			err = b.note(ctx, "list add", object(made))
		}
		if err != nil {
			return b.fail(fmt.Errorf("%s: %w", show.Printable(p), err))
		}
		fmt.Fprintln(std.Out, line(made, time.Now()))
		if made.Weak() {
			fmt.Fprintf(std.Err, "milterscan list add: %s: this is weak: anybody can write this sender's address, and their mail "+
				"is let through, too; with --authenticated the entry is for mail only that the sender's domain has signed\n", show.Printable(p))
		}
	}
	return cli.ExitOK
}

func remove(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("list remove", "[-c FILE] --for ADDRESS|DOMAIN|host [--authenticated] [--json] SENDER...|--all", std)
	told := cli.Told(f, std)
	var whose string
	check := owner(f, &whose)
	proved := f.Bool("authenticated", false, "the entries for authenticated senders, and not those for anybody with these addresses")
	all := f.Bool("all", false, "the whole list")
	b, status, ok := open(f, args, std, by, cli.ParseArguments, check, func() error {
		if *all == (f.NArg() > 0) || *all && *proved {
			return errors.New("write senders, or --all for the whole list")
		}
		return nil
	})
	if !ok {
		return status
	}
	defer b.close()
	if *all {
		n, err := b.store.RemoveAll(ctx, people.Filter{Owners: []string{whose}})
		if err == nil {
			err = b.note(ctx, "list remove", whose+": all")
		}
		if err != nil {
			return b.fail(err)
		}
		told(map[string]any{"for": whose, "removed": n}, "%d entries removed", n)
		return cli.ExitOK
	}
	status = cli.ExitOK
	for _, written := range f.Args() {
		if err := b.removeOne(ctx, whose, written, *proved); err != nil {
			status = b.fail(fmt.Errorf("%s: %w", show.Printable(written), err))
			continue
		}
		told(map[string]any{"for": whose, "pattern": written, "removed": 1}, "")
	}
	return status
}

// removeOne removes the entry for a pattern.
func (b *book) removeOne(ctx context.Context, whose, written string, proved bool) error {
	pattern, err := people.FoldPattern(written)
	if err != nil {
		return &people.Error{Text: err.Error()}
	}
	e, err := b.store.Find(ctx, whose, pattern, proved)
	if err == nil {
		e, err = b.store.Remove(ctx, whose, e.ID)
	}
	if errors.Is(err, people.ErrUnknown) {
		kind := ""
		if !proved {
			kind = "; is it one for authenticated senders?"
		}
		return fmt.Errorf("%w: the list of %s has no such entry%s", people.ErrUnknown, whose, kind)
	}
	if err == nil {
		err = b.note(ctx, "list remove", object(e))
	}
	return err
}

func shown(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("list show", "[-c FILE] [--for ADDRESS|DOMAIN|host] [--act allow|block] [--like TEXT] [--limit N] [--json]", std)
	var whose string
	check := owner(f, &whose)
	filter := people.Filter{}
	f.Var(cli.Choice(&filter.Act, people.Allow, people.Block), "act", "only `what` is allowed, or blocked")
	f.StringVar(&filter.Like, "like", "", "only senders with this `text` in them")
	limit := f.Int("limit", 100, "at most this `number` of entries; 0 for all")
	asJSON := f.Bool("json", false, "print one JSON object a line")
	b, status, ok := open(f, args, std, by, cli.Parse, func() error {
		if whose == "" {
			return nil
		}
		return check()
	}, func() error {
		if *limit < 0 {
			return fmt.Errorf("--limit %d is less than nothing", *limit)
		}
		return nil
	})
	if !ok {
		return status
	}
	defer b.close()
	if whose != "" {
		filter.Owners = []string{whose}
	}
	more, err := b.each(ctx, filter, *limit, b.printer(*asJSON))
	if err != nil {
		return b.fail(err)
	}
	if more {
		fmt.Fprintf(std.Err, "milterscan list show: there are more; --limit 0 shows all\n")
	}
	return cli.ExitOK
}

// missing reports whether there are no lists at all: a command that only looks makes no file.
func (b *book) missing() bool {
	return errors.Is(b.store.There(), fs.ErrNotExist)
}
