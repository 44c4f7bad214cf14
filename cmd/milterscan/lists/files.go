package lists

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/listfile"
)

// atOnce is how many entries are read from the store in one go.
const atOnce = 10_000

// each calls do with the entries that a filter is for, at most as many as the limit. It reports whether there
// are more.
func (b *book) each(ctx context.Context, f people.Filter, limit int, do func(people.Entry) error) (more bool, err error) {
	if b.missing() {
		return false, nil
	}
	f.Limit = atOnce
	for n := 0; ; {
		list, err := b.store.Entries(ctx, f)
		if err != nil {
			return false, err
		}
		for _, e := range list {
			if limit > 0 && n == limit {
				return true, nil
			}
			if err := do(e); err != nil {
				return false, err
			}
			n++
			f.Before = e.ID
		}
		if len(list) < atOnce {
			return false, nil
		}
	}
}

// printer returns what prints an entry.
func (b *book) printer(asJSON bool) func(people.Entry) error {
	now := time.Now()
	return func(e people.Entry) error {
		if asJSON {
			show.JSON(b.Out, listfile.Told(e))
			return nil
		}
		_, err := fmt.Fprintln(b.Out, line(e, now))
		return err
	}
}

func export(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("list export", "[-c FILE] [--for ADDRESS|DOMAIN|host] [--format csv|json]", std)
	var whose string
	check := owner(f, &whose)
	format := "csv"
	f.Var(cli.Choice(&format, "csv", "json"), "format", "how it is written: `csv`, or json, an object on each line")
	b, status, ok := open(f, args, std, by, cli.Parse, func() error {
		if whose == "" {
			return nil
		}
		return check()
	})
	if !ok {
		return status
	}
	defer b.close()
	var filter people.Filter
	if whose != "" {
		filter.Owners = []string{whose}
	}
	out := listfile.NewCSV(std.Out)
	if format == "json" {
		out = listfile.NewJSON(std.Out)
	}
	progress := show.NewProgress(std.Out, std.Err, "entries", 0)
	_, err := b.each(ctx, filter, 0, func(e people.Entry) error {
		progress.Step()
		return out.Write(e)
	})
	progress.Clear()
	if err = errors.Join(err, out.Close()); err != nil {
		return b.fail(err)
	}
	return cli.ExitOK
}

// The bounds of a file that is imported.
const (
	mostImported = 512 << 20 // bytes
	mostTold     = 20        // lines with mistakes that are named
)

func imported(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("list import",
		"[-c FILE] [--for ADDRESS|DOMAIN|host] [--act allow|block] [--expires 30d] [--json] FILE|-", std)
	told := cli.Told(f, std)
	var e people.Entry
	check := owner(f, &e.Owner)
	f.Var(cli.Choice(&e.Act, people.Allow, people.Block), "act", "what to do with the senders of lines that do not say it: `allow` or block")
	f.Var(until{&e.Expires}, "expires", "when entries end that do not say it: a `time` from now such as \"30d\", or a date "+
		"such as \"2026-12-31\"")
	var text []byte
	var unread error
	b, status, ok := open(f, args, std, by, cli.ParseArguments, func() error {
		if f.NArg() != 1 {
			return errors.New("one file is named, or \"-\" for standard input")
		}
		text, unread = read(f.Arg(0), std.In) // while this is still the process of who has called it
		if e.Owner == "" {
			return nil
		}
		return check()
	})
	if !ok {
		return status
	}
	defer b.close()
	if unread != nil {
		return b.fail(unread)
	}
	name := f.Arg(0)
	progress := show.NewProgress(nil, std.Err, "entries", 0)
	defer progress.Clear()
	bad, entries := b.mistakes(name, text, e)
	if bad > 0 {
		fmt.Fprintf(std.Err, "milterscan list import: %d of %d entries of %s cannot be made, so none was\n", bad, bad+entries,
			show.Printable(name))
		return cli.ExitUsage
	}
	n, err := b.store.Import(ctx, b.maker(), show.Through(progress, listfile.Read(name, text, e)))
	progress.Clear()
	if n > 0 {
		err = errors.Join(err, b.note(ctx, "list import", fmt.Sprintf("%s: %d entries", name, n)))
	}
	if err != nil {
		return b.fail(fmt.Errorf("%d entries were made: %w", n, err))
	}
	told(map[string]any{"made": n}, "%d entries made", n)
	return cli.ExitOK
}

// read reads the file to import.
func read(name string, in io.Reader) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, mostImported+1))
	if err == nil && len(text) > mostImported {
		err = fmt.Errorf("%s has more than %d bytes; split it", name, mostImported)
	}
	return text, err
}

// mistakes reads a whole file before any of its entries is made, and reports the mistakes in it.
func (b *book) mistakes(name string, text []byte, e people.Entry) (bad, good int) {
	for _, err := range listfile.Read(name, text, e) {
		if err == nil {
			good++
			continue
		}
		if bad++; bad <= mostTold {
			fmt.Fprintf(b.Err, "milterscan list import: %s\n", show.Printable(err.Error()))
		}
	}
	if bad > mostTold {
		fmt.Fprintf(b.Err, "milterscan list import: and %d mistakes more\n", bad-mostTold)
	}
	return bad, good
}
