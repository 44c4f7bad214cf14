package who

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/tables"
	settled "github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// noLimit is written in the place of a score by one who takes the limit back.
const noLimit = "none"

// limit shows or sets the limit of the score that a recipient has.
func limit(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("people limit", "[-c FILE] [--json] ADDRESS [SCORE|"+noLimit+"]", std)
	told := cli.Told(f, std)
	want := settled.Limit{Set: true}
	c, status, ok := cli.Configured(f, args, std, cli.ParseArguments, func() error {
		if f.NArg() < 1 || f.NArg() > 2 {
			return errors.New("name one address, and a score if it is to be set")
		}
		return readLimit(f.Arg(1), &want)
	})
	if !ok {
		return status
	}
	fail := func(err error) int {
		fmt.Fprintf(std.Err, "milterscan people limit: %v\n", cli.Denied(err, c.People.File))
		if told := (*settled.Error)(nil); errors.As(err, &told) {
			return cli.ExitUsage
		}
		return cli.ExitError
	}
	if want.Address, ok = mainAddress(ctx, c, f.Arg(0)); !ok {
		return fail(&settled.Error{Text: show.Printable(f.Arg(0)) + " is no address"})
	}
	if f.NArg() == 1 {
		if missing(c, std) { // looking makes no file
			none := settled.Limit{Address: want.Address}
			told(limitObject(none), "%s", limitLine(none, c.People.Score))
			return cli.ExitOK
		}
	}
	back, err := cli.AsOwner(c.People.File)
	if err != nil {
		return fail(err)
	}
	defer back()
	var set *settled.Limit
	if f.NArg() == 2 {
		set = &want
	}
	now, err := limitNow(ctx, c, std, by, want.Address, set)
	if err != nil {
		return fail(err)
	}
	told(limitObject(now), "%s", limitLine(now, c.People.Score))
	return cli.ExitOK
}

// limitObject returns a limit as programs are told it: one that was not set has no score.
func limitObject(l settled.Limit) map[string]any {
	object := map[string]any{"address": l.Address, "set": l.Set}
	if l.Set {
		object["score"] = l.Score
	}
	return object
}

// stores returns the stores of a command.
func stores(c *config.Config, std cli.Streams) *pipeline.Stores {
	return pipeline.StoresOf(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
}

// limitNow returns the limit of a person, after it was set if it is to be.
func limitNow(
	ctx context.Context, c *config.Config, std cli.Streams, by, address string, set *settled.Limit,
) (settled.Limit, error) {
	stores := stores(c, std)
	defer stores.Close()
	store := stores.People(c)
	if set != nil {
		err := store.SetLimit(ctx, c.People.Score, *set)
		if err == nil {
			err = noteLimit(ctx, c, stores.Tables(), by, *set)
		}
		if err != nil {
			return settled.Limit{}, err
		}
	}
	return store.LimitOf(ctx, address)
}

// missing reports whether people have settled nothing yet.
func missing(c *config.Config, std cli.Streams) bool {
	stores := stores(c, std)
	defer stores.Close()
	return errors.Is(stores.People(c).There(), fs.ErrNotExist)
}

// readLimit reads a score, or the word for none; "" sets nothing.
func readLimit(text string, to *settled.Limit) error {
	if text == "" || text == noLimit {
		to.Set = false
		return nil
	}
	score, err := strconv.ParseFloat(text, 64)
	if err != nil || score-score != 0 {
		return fmt.Errorf("%q is no score; write one such as 6.5, or %q", text, noLimit)
	}
	to.Score = score
	return nil
}

// mainAddress returns the main address of the person who has an address.
func mainAddress(ctx context.Context, c *config.Config, written string) (string, bool) {
	if len(c.People.Sources) > 0 {
		d := pipeline.NewDirectory(c, directory.Options{})
		d.LoadMissing(ctx)
		if main := d.Main(written); main != "" {
			return main, true
		}
	}
	folded, err := settled.Fold(written)
	return folded, err == nil
}

// noteLimit writes into the audit log that a limit was set.
func noteLimit(ctx context.Context, c *config.Config, shared tables.State, by string, l settled.Limit) error {
	log := accounts.Of(c.Console.File, shared)
	defer log.Close()
	value := noLimit
	if l.Set {
		value = strconv.FormatFloat(l.Score, 'g', -1, 64)
	}
	return log.Note(ctx, accounts.Entry{Person: by, Client: "shell", Act: "people limit", Object: l.Address + ": " + value, Outcome: "done"})
}

// limitLine tells a person about a limit.
func limitLine(l settled.Limit, within settled.Bounds) string {
	text := fmt.Sprintf("%s has no limit of its own: the number in the rule counts", l.Address)
	if l.Set {
		text = fmt.Sprintf("%s: own limit %v", l.Address, l.Score)
		switch {
		case !within.On():
			text += ", which does not count: people.score lets recipients set none"
		case !within.Holds(l.Score):
			text += fmt.Sprintf(", which counts as %v: people.score is from %v to %v", within.Within(l.Score), within.Least, within.Most)
		}
	}
	return show.Printable(text)
}
