package user

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/scan/units"
)

// TokenCommands returns the commands for the tokens of programs. by is the user who calls
// them.
func TokenCommands(by string) []cli.Command {
	as := calledBy(by)
	return []cli.Command{
		{Name: "add", About: "make a token, with which a program acts for somebody", Run: as(addToken)},
		{Name: "list", About: "list all tokens, with what they are for", Run: as(listTokens)},
		{Name: "revoke", About: "end tokens at once", Run: as(revoke)},
	}
}

// owned registers the flag for whose a token is.
func owned(f *cli.Options) (name *string, check func() error) {
	name = f.String("for", "", "the `account` that the program acts for; it can do no more than that")
	return name, func() error {
		if *name == "" {
			return errors.New("--for says whose token it is")
		}
		return nil
	}
}

// mayFlag reads what a token is for.
func mayFlag(f *cli.Options, to *[]login.Right) {
	var all []string
	for _, r := range login.Rights() {
		all = append(all, string(r))
	}
	f.Func("may", "what the program may do, as far as the account may: `rights` with commas between them; may be given several times: "+
		strings.Join(all, ", "), func(s string) error {
		for word := range strings.SplitSeq(s, ",") {
			var r login.Right
			if err := cli.Choice(&r, login.Rights()...).Set(strings.TrimSpace(word)); err != nil {
				return fmt.Errorf("%q: %w", word, err)
			}
			*to = append(*to, r)
		}
		return nil
	})
}

func addToken(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("token add", "[-c FILE] --for ACCOUNT --may RIGHT,... [--expires 90d] NAME", std)
	whose, check := owned(f)
	var t accounts.Token
	mayFlag(f, &t.Rights)
	var life units.Duration
	f.TextVar(&life, "expires", life, "end the token after this `time`, such as \"90d\"; without it, when it is revoked")
	b, status, ok := open(f, args, std, by, cli.ParseArguments, check, func() error {
		if len(t.Rights) == 0 {
			return errors.New("--may says what the token is for")
		}
		return one(f)
	})
	if !ok {
		return status
	}
	defer b.close()
	if t.Name = f.Arg(0); life > 0 {
		t.Expires = time.Now().Add(life.Go())
	}
	account, err := b.accounts.ByName(ctx, *whose)
	var text string
	if err == nil {
		text, err = b.accounts.AddToken(ctx, account, t)
	}
	if err == nil {
		err = b.note(ctx, "add token", account.Name+": "+t.Name)
	}
	if err != nil {
		return b.fail(fmt.Errorf("%s: %w", show.Printable(t.Name), err))
	}
	fmt.Fprintln(std.Out, text)
	fmt.Fprintln(std.Err, "note: this is the only time that the token is shown; only a hash of it is kept")
	return cli.ExitOK
}

func listTokens(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("token list", "[-c FILE] [--json]", std)
	asJSON := f.Bool("json", false, "print one JSON object a line")
	b, status, ok := open(f, args, std, by, cli.Parse)
	if !ok {
		return status
	}
	defer b.close()
	all, err := b.accounts.List(ctx)
	for _, a := range all {
		var tokens []accounts.Token
		if tokens, err = b.accounts.Tokens(ctx, a.ID); err != nil {
			break
		}
		for _, t := range tokens {
			printToken(std.Out, a, t, *asJSON)
		}
	}
	if err != nil {
		return b.fail(err)
	}
	return cli.ExitOK
}

// printToken prints all that is known of a token.
func printToken(w io.Writer, a accounts.Account, t accounts.Token, asJSON bool) {
	if asJSON {
		show.JSON(w, struct {
			Account string `json:"account"`
			accounts.Token
		}{a.Name, t})
		return
	}
	var rights []string
	for _, r := range t.Rights {
		rights = append(rights, string(r))
	}
	notes := []string{"never used"}
	if !t.Used.IsZero() {
		notes[0] = "last used " + show.Time(t.Used)
	}
	if !t.Expires.IsZero() {
		word := "expires "
		if t.Expires.Before(time.Now()) {
			word = "EXPIRED "
		}
		notes = append(notes, word+show.Time(t.Expires))
	}
	if a.Disabled {
		notes = append(notes, "account DISABLED")
	}
	fmt.Fprintf(w, "%-24s %-24s %s; %s\n", show.Printable(a.Name), show.Printable(t.Name), strings.Join(rights, ", "),
		strings.Join(notes, ", "))
}

func revoke(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("token revoke", "[-c FILE] --for ACCOUNT NAME...", std)
	whose, check := owned(f)
	b, status, ok := open(f, args, std, by, cli.ParseArguments, check, func() error {
		if f.NArg() == 0 {
			return errors.New("no name is given")
		}
		return nil
	})
	if !ok {
		return status
	}
	defer b.close()
	account, err := b.accounts.ByName(ctx, *whose)
	if err != nil {
		return b.fail(fmt.Errorf("%s: %w", show.Printable(*whose), err))
	}
	status = cli.ExitOK
	for _, name := range f.Args() {
		err := b.accounts.RemoveToken(ctx, account.ID, name)
		if err == nil {
			err = b.note(ctx, "revoke token", account.Name+": "+name)
		}
		if err != nil {
			status = b.fail(fmt.Errorf("%s: %w", show.Printable(name), err))
		}
	}
	return status
}
