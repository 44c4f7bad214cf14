package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/token"
)

// quarantineCommands are what can be done with kept messages.
func quarantineCommands() []command {
	return []command{
		{"list", "list kept messages, newest first", quarantineList},
		{"show", "say why a message was kept, or print it", quarantineShow},
		{"release", "send messages to those who have not had them", quarantineRelease},
		{"forward", "send messages to somebody who is to look at them", quarantineForward},
		{"delete", "remove messages for good", quarantineDelete},
		{"expire", "remove what is too old or too much, as the daemon does by itself", quarantineExpire},
		{"reindex", "make the index anew from the messages", quarantineReindex},
	}
}

// quarantined shows what was kept and lets it out again.
func quarantined(ctx context.Context, args []string, std streams) int {
	name, rest := commandOf(args)
	for _, c := range quarantineCommands() {
		if c.name == name {
			return c.run(ctx, rest, std)
		}
	}
	if name == "-h" || name == "-help" || name == "--help" {
		quarantineUsage(std.out)
		return exitOK
	}
	if name != "" {
		fmt.Fprintf(std.err, "milterscan quarantine: %s\n\n", noCommand(name))
	}
	quarantineUsage(std.err)
	return exitUsage
}

// quarantineUsage lists the commands.
func quarantineUsage(w io.Writer) {
	fmt.Fprint(w, "usage: milterscan quarantine COMMAND [-c FILE] ...\n\n")
	for _, c := range quarantineCommands() {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.about)
	}
	fmt.Fprint(w, "\n\"milterscan quarantine COMMAND --help\" tells more about one.\n")
}

// vault is the quarantine as a command sees it.
type vault struct {
	streams
	name   string // of the command, for errors
	config *config.Config
	dir    *quarantine.Dir
}

// openVault reads the arguments of a quarantine command. Unless ok, the command
// ends with the status.
func openVault(f *options, args []string, std streams, parse func(*options, []string) (int, bool)) (v *vault, status int, ok bool) {
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	if status, ok := parse(f, args); !ok {
		return nil, status, false
	}
	c, err := load(*path)
	if err != nil {
		fmt.Fprintln(std.err, err)
		return nil, exitConfig, false
	}
	kept := newKeeping()
	kept.warn = func(err error) { fmt.Fprintln(std.err, "milterscan:", err) }
	return &vault{std, f.Name(), c, kept.quarantine(c.Quarantine.Dir)}, exitOK, true
}

// each does something with every id, and returns the exit status.
func (v *vault) each(ids []string, do func(id string) error) int {
	if len(ids) == 0 {
		fmt.Fprintf(v.err, "milterscan %s: no id given\n", v.name)
		return exitUsage
	}
	status := exitOK
	for _, id := range ids {
		if err := do(id); err != nil {
			status = v.fail(fmt.Errorf("%s: %w", id, err))
		}
	}
	return status
}

// fail reports an error and returns the exit status for it.
func (v *vault) fail(err error) int {
	fmt.Fprintf(v.err, "milterscan %s: %v\n", v.name, err)
	if errors.Is(err, quarantine.ErrUnknown) {
		return exitFound
	}
	return exitError
}

// exit is the way out, for whoever has called the command.
func (v *vault) exit() quarantine.Exit {
	return quarantine.Exit{
		Store:  v.dir,
		Sender: v.config.Submission.Via,
		Key:    token.KeyFile(v.config.Quarantine.Key()).Make,
		Now:    time.Now,
		By:     caller(),
	}
}

// caller is who is doing this: behind sudo, whoever called it.
func caller() string {
	for _, name := range []string{os.Getenv("SUDO_USER"), currentUser()} {
		if name != "" {
			return name
		}
	}
	return "unknown"
}

func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

func quarantineList(ctx context.Context, args []string, std streams) int {
	f := flags("quarantine list", "[-c FILE] [filters] [--json]", std)
	var filter quarantine.Filter
	var since, before moment
	f.StringVar(&filter.Sender, "from", "", "only from senders like this `pattern`")
	f.StringVar(&filter.Recipient, "to", "", "only to recipients like this `pattern`")
	f.StringVar(&filter.Subject, "subject", "", "only with subjects like this `pattern`")
	f.StringVar(&filter.Reason, "reason", "", "only for findings or rules like this `pattern`: \"virus/*\"")
	f.StringVar(&filter.Class, "class", "", "only of this `class`: "+strings.Join(quarantine.Classes(), ", "))
	f.StringVar((*string)(&filter.State), "state", "", "only in this `state`: kept, releasing, released")
	f.Var(&since, "since", "only received since: `7d`, 12h, 2006-01-02, 2006-01-02T15:04:05Z")
	f.Var(&before, "before", "only received before: likewise")
	f.IntVar(&filter.Limit, "limit", 100, "at most this `number`, the newest; 0 for all")
	asJSON := f.Bool("json", false, "print one JSON object a line")
	v, status, ok := openVault(f, args, std, parse)
	if !ok {
		return status
	}
	filter.Since, filter.Before = since.Time, before.Time
	rows, err := v.dir.Find(ctx, filter)
	if err != nil {
		return v.fail(err)
	}
	for _, r := range rows {
		if *asJSON {
			printJSON(std.out, r)
		} else {
			printRow(std.out, r)
		}
	}
	return exitOK
}

func printJSON(out io.Writer, v any) {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.Encode(v)
}

func printRow(out io.Writer, r quarantine.Row) {
	fmt.Fprintf(out, "%s  %s  %-11s %-9s %7s  <%s> to %s\n", r.ID, r.Time.Local().Format("2006-01-02 15:04"), r.Class, r.State, short(r.Size),
		printable(r.Sender), printable(strings.Join(r.Recipients, ", ")))
	fmt.Fprintf(out, "    %s: %s\n", printable(r.Reason), printable(r.Subject))
}

// short is a size to look at.
func short(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

func quarantineShow(ctx context.Context, args []string, std streams) int {
	f := flags("quarantine show", "[-c FILE] [--json | --message] ID...", std)
	asJSON := f.Bool("json", false, "print all that is known as JSON")
	message := f.Bool("message", false, "print the message as it was received, byte for byte")
	v, status, ok := openVault(f, args, std, parseArguments)
	if !ok {
		return status
	}
	return v.each(f.Args(), func(id string) error {
		if *message {
			return v.copyTo(ctx, std.out, id)
		}
		e, err := v.dir.Entry(ctx, id)
		if err != nil {
			return err
		}
		if *asJSON {
			printJSON(std.out, e)
			return nil
		}
		printEntry(std.out, e)
		return nil
	})
}

func (v *vault) copyTo(ctx context.Context, out io.Writer, id string) error {
	r, err := v.dir.Open(ctx, id)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(out, r)
	return err
}

func printEntry(out io.Writer, e quarantine.Entry) {
	explainRecord(out, e.Record)
	fmt.Fprintf(out, "  in the quarantine: %s, class %s, %s on the disk, SHA-256 %s\n", e.State, e.Class, short(e.Stored), e.SHA256)
	for _, ev := range e.Events {
		fmt.Fprintf(out, "    %s  %s by %s %s %s\n", ev.Time.Local().Format(timeFormat), ev.What, printable(ev.By),
			printable(strings.Join(ev.To, ", ")), printable(ev.Note))
	}
}

func quarantineRelease(ctx context.Context, args []string, std streams) int {
	f := flags("quarantine release", "[-c FILE] [--to A]... [--skip RULE]... [--again] ID...", std)
	var to, skip recipients
	f.Var(&to, "to", "send it to this `address`, not to those who have not had it; may be given several times")
	f.Var(&skip, "skip", "only findings of this `rule` do not count, such as \"attachment/*\"; without it, all that it was kept with; may be given several times")
	again := f.Bool("again", false, "also if it was released before, or nobody knows whether it was")
	v, status, ok := openVault(f, args, std, parseArguments)
	if !ok {
		return status
	}
	return v.each(f.Args(), func(id string) error {
		sent, err := v.exit().Release(ctx, quarantine.Order{ID: id, To: to, Skip: skip, Again: *again})
		if err == nil {
			fmt.Fprintf(std.out, "%s: sent to %s\n", id, printable(strings.Join(sent, ", ")))
		}
		return err
	})
}

func quarantineForward(ctx context.Context, args []string, std streams) int {
	f := flags("quarantine forward", "[-c FILE] --to A... ID...", std)
	var to recipients
	f.Var(&to, "to", "send it to this `address`; may be given several times")
	v, status, ok := openVault(f, args, std, parseArguments)
	if !ok {
		return status
	}
	return v.each(f.Args(), func(id string) error { return v.exit().Forward(ctx, quarantine.Order{ID: id, To: to}) })
}

func quarantineDelete(ctx context.Context, args []string, std streams) int {
	f := flags("quarantine delete", "[-c FILE] ID...", std)
	v, status, ok := openVault(f, args, std, parseArguments)
	if !ok {
		return status
	}
	return v.each(f.Args(), func(id string) error { return v.exit().Delete(ctx, id) })
}

func quarantineExpire(ctx context.Context, args []string, std streams) int {
	v, status, ok := openVault(flags("quarantine expire", "[-c FILE]", std), args, std, parse)
	if !ok {
		return status
	}
	n, err := quarantine.Expire(ctx, v.dir, v.config.Quarantine.Retention(), time.Now())
	if err := errors.Join(err, v.dir.Tidy(time.Now())); err != nil {
		return v.fail(err)
	}
	fmt.Fprintf(std.out, "%d messages removed\n", n)
	return exitOK
}

func quarantineReindex(ctx context.Context, args []string, std streams) int {
	v, status, ok := openVault(flags("quarantine reindex", "[-c FILE]", std), args, std, parse)
	if !ok {
		return status
	}
	n, unreadable, err := v.dir.Reindex(ctx)
	if err := errors.Join(append(unreadable, err)...); err != nil {
		status = v.fail(err)
	}
	fmt.Fprintf(std.out, "%d messages\n", n)
	return status
}
