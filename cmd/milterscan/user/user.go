// Package user is the commands for the accounts of the console, and for what their owners did.
package user

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// run is a command, with the user who calls it.
type run func(ctx context.Context, args []string, std cli.Streams, by string) int

// calledBy turns what a user calls into commands.
func calledBy(by string) func(run) func(context.Context, []string, cli.Streams) int {
	return func(do run) func(context.Context, []string, cli.Streams) int {
		return func(ctx context.Context, args []string, std cli.Streams) int { return do(ctx, args, std, by) }
	}
}

// Commands returns the commands for accounts. by is the user who calls them.
func Commands(by string) []cli.Command {
	as := calledBy(by)
	return []cli.Command{
		{Name: "add", About: "let somebody into the console", Run: as(add)},
		{Name: "passwd", About: "give somebody another password, or take a lost second factor away", Run: as(passwd)},
		{Name: "disable", About: "close accounts, and end their sessions at once", Run: as(disable)},
		{Name: "enable", About: "open closed accounts again", Run: as(enable)},
		{Name: "list", About: "list all accounts", Run: as(list)},
		{Name: "remove", About: "forget accounts; what their owners did stays in the audit log", Run: as(remove)},
	}
}

// book is the accounts as a command sees them.
type book struct {
	cli.Streams
	name     string // of the command, for errors
	by       string // the user who called it
	file     string
	accounts *accounts.Accounts
	close    func()
}

// open reads the arguments of a command, which goes on as the owner of the accounts if root has called it. Unless
// ok, the command ends with the status.
func open(f *cli.Options, args []string, std cli.Streams, by string, parse func(*cli.Options, []string) (int, bool),
	checks ...func() error) (b *book, status int, ok bool) {
	c, status, ok := cli.Configured(f, args, std, parse, checks...)
	if !ok {
		return nil, status, false
	}
	b = &book{Streams: std, name: f.Name(), by: by, file: c.Console.File}
	back, err := cli.AsOwner(b.file)
	if err != nil {
		return nil, b.fail(err), false
	}
	stores := pipeline.StoresOf(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
	b.accounts = accounts.Of(b.file, stores.Tables())
	b.close = func() { b.accounts.Close(); stores.Close(); back() }
	return b, cli.ExitOK, true
}

// fail reports an error and returns the exit status for it.
func (b *book) fail(err error) int {
	fmt.Fprintf(b.Err, "milterscan %s: %v\n", b.name, cli.Denied(err, b.file))
	if errors.Is(err, accounts.ErrUnknown) || errors.Is(err, accounts.ErrTaken) {
		return cli.ExitFound
	}
	return cli.ExitError
}

// note writes what was done into the audit log of the console.
func (b *book) note(ctx context.Context, act, object string) error {
	return b.accounts.Note(ctx, accounts.Entry{Person: b.by, Client: "shell", Act: act, Object: object, Outcome: "done"})
}

// each calls do with every account that is named, writes into the audit log what was done, and returns the exit
// status.
func (b *book) each(ctx context.Context, names []string, act string, do func(accounts.Account) error) int {
	if len(names) == 0 {
		fmt.Fprintf(b.Err, "milterscan %s: no name is given; nothing was done\n", b.name)
		return cli.ExitUsage
	}
	status := cli.ExitOK
	for _, name := range names {
		account, err := b.accounts.ByName(ctx, name)
		if err == nil {
			err = do(account)
		}
		if err == nil {
			err = b.note(ctx, act, account.Name)
		}
		if err != nil {
			status = b.fail(fmt.Errorf("%s: %w", show.Printable(name), err))
		}
	}
	return status
}

func disable(ctx context.Context, args []string, std cli.Streams, by string) int {
	return several(ctx, "disable", args, std, by, func(b *book, a accounts.Account) error { return b.accounts.SetDisabled(ctx, a.ID, true) })
}

func enable(ctx context.Context, args []string, std cli.Streams, by string) int {
	return several(ctx, "enable", args, std, by, func(b *book, a accounts.Account) error { return b.accounts.SetDisabled(ctx, a.ID, false) })
}

func remove(ctx context.Context, args []string, std cli.Streams, by string) int {
	return several(ctx, "remove", args, std, by, func(b *book, a accounts.Account) error { return b.accounts.Remove(ctx, a.ID) })
}

// several runs a command that does something with each account that is named.
func several(ctx context.Context, name string, args []string, std cli.Streams, by string, do func(*book, accounts.Account) error) int {
	f := cli.Flags("user "+name, "[-c FILE] NAME...", std)
	b, status, ok := open(f, args, std, by, cli.ParseArguments)
	if !ok {
		return status
	}
	defer b.close()
	return b.each(ctx, f.Args(), name+" user", func(a accounts.Account) error { return do(b, a) })
}

func list(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("user list", "[-c FILE] [--json]", std)
	asJSON := f.Bool("json", false, "print one JSON object a line")
	b, status, ok := open(f, args, std, by, cli.Parse)
	if !ok {
		return status
	}
	defer b.close()
	all, err := b.accounts.List(ctx)
	if err != nil {
		return b.fail(err)
	}
	for _, a := range all {
		if *asJSON {
			show.JSON(std.Out, a)
			continue
		}
		fmt.Fprintf(std.Out, "%-24s %-13s %s\n", show.Printable(a.Name), a.Role, strings.Join(remarks(a), ", "))
	}
	return cli.ExitOK
}

// remarks says what else there is to know of an account.
func remarks(a accounts.Account) (list []string) {
	say := func(is bool, format string, args ...any) {
		if is {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	say(a.Disabled, "DISABLED")
	say(len(a.Domains) > 0, "of %s", show.Printable(strings.Join(a.Domains, " ")))
	say(len(a.Classes) > 0, "opens %s", show.Printable(strings.Join(a.Classes, " ")))
	say(a.HasSecond, "second factor")
	say(a.WantsSecond && !a.HasSecond, "second factor to be set up")
	say(a.Source == accounts.Local && !a.Password, "by certificate only")
	say(a.Seen.IsZero(), "has never logged in")
	say(!a.Seen.IsZero(), "last here %s", show.Time(a.Seen))
	return list
}

// accountFlags registers the flags that say what an account may do. The returned function reports mistakes in them.
func accountFlags(f *cli.Options, a *accounts.Account) (check func() error) {
	var domains, classes cli.Addresses
	f.Var(cli.Choice(&a.Role, login.Given()...), "role",
		"the `role` of the person: administrator, helpdesk, auditor, domain; docs/console-access.md says who may what")
	f.Var(&domains, "domains", "the mail `domains` of a domain administrator, with commas between them; \".example.com\" "+
		"for all subdomains; may be given several times")
	f.Var(&classes, "classes", "open and release kept mail of these `classes` only, with commas between them: "+
		strings.Join(quarantine.Classes(), ", "))
	f.BoolVar(&a.WantsSecond, "require-totp", false, "let the person in with a second factor only, which is set up at the first log-in")
	f.Var(cli.Choice((*language)(&a.Language), "en", "de", "fr", "es"), "language",
		"write pages in this `language`: en, de, fr, es; without it, as the browser asks")
	return func() error {
		a.Domains, a.Classes = split(domains), split(classes)
		if a.Role == "" {
			return errors.New("--role says what the person is")
		}
		for _, c := range a.Classes {
			if err := cli.Choice(new(language), words(quarantine.Classes())...).Set(c); err != nil {
				return fmt.Errorf("--classes: %q: %w", c, err)
			}
		}
		return a.Check()
	}
}

// language is one of some words.
type language string

func words(list []string) (all []language) {
	for _, s := range list {
		all = append(all, language(s))
	}
	return all
}

// split takes lists apart that have commas in them.
func split(lists []string) (all []string) {
	for _, l := range lists {
		all = append(all, strings.FieldsFunc(l, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return all
}

// Audit lists what persons of the console looked at and did.
func Audit(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("audit", "[-c FILE] [filters] [--json]", std)
	var t accounts.Trail
	var since, before cli.Moment
	f.StringVar(&t.Person, "person", "", "only what this `person` did, or somebody who gave that name")
	f.StringVar(&t.Object, "object", "", "only what was done to this: the `id` of a message, the name of an account")
	f.StringVar(&t.Act, "act", "", "only `acts` such as \"log in\", \"see content\", \"release\"")
	span := cli.Span(f, &since, &before)
	f.IntVar(&t.Limit, "limit", 100, "at most this `number`, the newest; 0 for all")
	asJSON := f.Bool("json", false, "print one JSON object a line")
	b, status, ok := open(f, args, std, "", cli.Parse, func() error {
		if t.Limit < 0 {
			return errors.New("--limit is a number of lines; write 0 for all")
		}
		return span()
	})
	if !ok {
		return status
	}
	defer b.close()
	t.Since, t.Until = since.Time, before.Time
	lines, err := b.accounts.Trail(ctx, t)
	if err != nil {
		return b.fail(err)
	}
	for _, e := range lines {
		if *asJSON {
			show.JSON(std.Out, e)
			continue
		}
		fmt.Fprintf(std.Out, "%s  %-20s %-15s %s %s: %s\n", show.Time(e.Time), show.Printable(e.Person),
			show.Printable(e.Client), show.Printable(e.Act), show.Printable(e.Object), show.Printable(e.Outcome))
	}
	return cli.ExitOK
}
