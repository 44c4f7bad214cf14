package user

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
)

func add(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("user add", "[-c FILE] --role ROLE [--domains D,...] [--generate | --no-password] NAME <password", std)
	var account accounts.Account
	check := accountFlags(f, &account)
	generate := f.Bool("generate", false, "make a password, and print it; without it, a line of standard input is the password")
	without := f.Bool("no-password", false, "let the person in by a client certificate only")
	b, status, ok := open(f, args, std, by, cli.ParseArguments, check, func() error {
		if *generate && *without {
			return errors.New("--generate and --no-password exclude each other")
		}
		return one(f)
	})
	if !ok {
		return status
	}
	defer b.close()
	account.Name = f.Arg(0)
	password, err := "", error(nil)
	if !*without {
		password, err = b.password(*generate)
	}
	if err == nil {
		err = b.accounts.Add(ctx, account, password)
	}
	if err == nil {
		err = b.note(ctx, "add user", account.Name+": "+string(account.Role))
	}
	if err != nil {
		return b.fail(fmt.Errorf("%s: %w", show.Printable(account.Name), err))
	}
	if *generate {
		fmt.Fprintln(std.Out, password)
	}
	return cli.ExitOK
}

func passwd(ctx context.Context, args []string, std cli.Streams, by string) int {
	f := cli.Flags("user passwd", "[-c FILE] [--generate | --forget-totp] NAME <password", std)
	generate := f.Bool("generate", false, "make a password, and print it; without it, a line of standard input is the password")
	forget := f.Bool("forget-totp", false, "take the second factor and its recovery codes away, and leave the password")
	b, status, ok := open(f, args, std, by, cli.ParseArguments, func() error {
		if *generate && *forget {
			return errors.New("--generate and --forget-totp exclude each other")
		}
		return one(f)
	})
	if !ok {
		return status
	}
	defer b.close()
	if *forget {
		return b.each(ctx, f.Args(), "remove second factor", func(a accounts.Account) error { return b.accounts.RemoveSecond(ctx, a.ID) })
	}
	return b.each(ctx, f.Args(), "change password", func(a accounts.Account) error {
		password, err := b.password(*generate)
		if err == nil {
			err = b.accounts.SetPassword(ctx, a.ID, password)
		}
		if err == nil && *generate {
			fmt.Fprintln(std.Out, password)
		}
		return err
	})
}

// one refuses a command line that does not have one name.
func one(f *cli.Options) error {
	if f.NArg() != 1 {
		return errors.New("one name is needed")
	}
	return nil
}

// mostOfLine is how long a line with a password may be.
const mostOfLine = 4096

// password makes a password, or reads it from standard input: arguments can be seen by every user of the host.
func (b *book) password(generate bool) (string, error) {
	if generate {
		return strings.ToLower(rand.Text()), nil
	}
	if terminal, ok := b.In.(*os.File); ok {
		if show, hidden := hide(terminal); hidden {
			defer show()
			fmt.Fprint(b.Err, "password: ")
			defer fmt.Fprintln(b.Err)
		}
	}
	line, err := bufio.NewReader(io.LimitReader(b.In, mostOfLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("there is no password on standard input; write one there, or use --generate")
	}
	return line, nil
}
