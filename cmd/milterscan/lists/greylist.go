package lists

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// Greylist returns the commands about senders that are put off. by is the user who calls them.
func Greylist(by string) []cli.Command {
	return []cli.Command{{Name: "pass", About: "let a sender through to a recipient at the next try",
		Run: func(ctx context.Context, args []string, std cli.Streams) int { return pass(ctx, args, std, by) }}}
}

// pass has a sender not put off any more.
func pass(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("greylist pass", "[-c FILE] [--json] SENDER RECIPIENT", std)
	told := cli.Told(f, std)
	c, status, ok := cli.Configured(f, args, std, cli.ParseArguments, func() error {
		if f.NArg() != 2 {
			return errors.New("name the sender of the envelope, or \"<>\", and one recipient")
		}
		return nil
	})
	if !ok {
		return status
	}
	fail := func(err error) int {
		fmt.Fprintf(std.Err, "milterscan greylist pass: %v\n", cli.Denied(err, c.Greylist.File))
		return cli.ExitError
	}
	if !c.Greylist.Enabled {
		fmt.Fprintf(std.Err, "milterscan greylist pass: no sender is put off: the configuration has no greylist.enabled\n")
		return cli.ExitConfig
	}
	sender, err := envelopeAddress(f.Arg(0))
	var rcpt string
	if err == nil {
		rcpt, err = envelopeAddress(f.Arg(1))
	}
	if err == nil && rcpt == "" {
		err = errors.New("the recipient is no address")
	}
	if err != nil {
		fmt.Fprintf(std.Err, "milterscan greylist pass: %v\n", err)
		return cli.ExitUsage
	}
	until, err := letThrough(ctx, c, std, by, sender, rcpt)
	if err != nil {
		return fail(err)
	}
	told(map[string]any{"sender": sender, "recipient": rcpt, "until": until},
		"<%s> is let through to <%s> at the next try, until %s",
		show.Printable(sender), show.Printable(rcpt), show.Time(until))
	return cli.ExitOK
}

// letThrough remembers that a sender is let through, and writes it into the audit log.
func letThrough(ctx context.Context, c *config.Config, std cli.Streams, by, sender, rcpt string) (until time.Time, err error) {
	stores := pipeline.StoresOf(c, func(err error) { fmt.Fprintln(std.Err, "milterscan:", err) })
	defer stores.Close()
	switch state := stores.Fleet; {
	case stores.Redis != nil:
		until, err = c.Greylist.Pass(ctx, stores.Redis.Greylist(), sender, rcpt, time.Now())
	case state != nil:
		if err = state.Check(ctx); err == nil {
			until, err = c.Greylist.Pass(ctx, state.Greylist(), sender, rcpt, time.Now())
		}
	default:
		until, err = letThroughHere(ctx, c, std, sender, rcpt)
	}
	if err != nil {
		return until, err
	}
	back, err := cli.AsOwner(c.Console.File)
	if err != nil {
		return until, err
	}
	defer back()
	log := accounts.Of(c.Console.File, stores.Tables())
	defer log.Close()
	return until, log.Note(ctx, accounts.Entry{Person: by, Client: "shell", Act: "greylist pass",
		Object: fmt.Sprintf("<%s> to <%s>", sender, rcpt), Outcome: "done"})
}

// letThroughHere remembers it in the file of this host.
func letThroughHere(ctx context.Context, c *config.Config, std cli.Streams, sender, rcpt string) (time.Time, error) {
	back, err := cli.AsOwner(c.Greylist.File)
	if err != nil {
		return time.Time{}, err
	}
	defer back()
	g := store.NewGreylist(c.Greylist.File, func(err error) { fmt.Fprintf(std.Err, "milterscan greylist pass: %v\n", err) })
	defer g.Close()
	return c.Greylist.Pass(ctx, g, sender, rcpt, time.Now())
}

// envelopeAddress returns an address as envelopes have it: "" for the null sender.
func envelopeAddress(written string) (string, error) {
	s := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(written), "<"), ">")
	odd := func(r rune) bool { return r <= ' ' || r == '<' || r == '>' || r == 0x7f }
	if s == "" && strings.Contains(written, "<>") {
		return "", nil
	}
	if at := strings.LastIndexByte(s, '@'); at < 1 || at == len(s)-1 || strings.ContainsFunc(s, odd) {
		return "", fmt.Errorf("%q is no address; write one such as ann@example.com, or \"<>\" for the null sender", written)
	}
	return s, nil
}
