package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/initial"
	"github.com/milterscan/milterscan/cmd/milterscan/setup"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
)

// begin writes the first configuration of a host, for what it sees there.
func begin(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("init", "[--output FILE] [--yes [--force] | --dry-run] [--json] [--listen A] [--dir D] [--program P] [--clamd FILE] ["+
		strings.Join(setup.Names(), "|")+"]", std)
	c := initial.New(std.In, std.Out)
	c.Check = wrongWith
	c.File = ""
	f.StringVar(&c.File, "output", "",
		"the configuration `file` that is written; without it the one that $"+cli.FileVariable+" names, else "+
			cli.DefaultFile)
	f.StringVar(&c.File, "c", "", "the same as --output `FILE`")
	f.BoolVar(&c.Yes, "yes", false, "ask nothing: take the answers that are offered, and write")
	f.BoolVar(&c.DryRun, "dry-run", false, "show what would be written, ask nothing, and write nothing")
	f.BoolVar(&c.Force, "force", false, "replace a file that is there already; the old one is kept beside it")
	asJSON := f.Bool("json", false, "with --yes or --dry-run: print a JSON object")
	f.StringVar(&c.Listen, "listen", "", "the `address` at which milterscan is to listen; without it, where the MTA finds it best")
	f.StringVar(&c.Places.At.Dir, "dir", "", "`directory` of the MTA's configuration, if not the usual one; with the name of the MTA")
	f.StringVar(&c.Places.At.Program, "program", "", "the MTA's main `program`: postconf, sendmail or exim; with the name of the MTA")
	clamd := f.String("clamd", "", "clamd's configuration `file`, if not in a usual place")
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	c.File, c.Places.MTA = cli.File(c.File), f.Arg(0)
	if f.NArg() > 1 || *asJSON && !c.Yes && !c.DryRun || c.Places.At != (setup.Place{}) && c.Places.MTA == "" {
		f.Usage()
		return cli.ExitUsage
	}
	if *clamd != "" {
		c.Places.Clamd = []string{*clamd}
	}
	c.Daemon, c.Terminal = findUser(config.Default().Milter), isTerminal(std.In)
	if c.File == cli.DefaultFile {
		c.Service = initial.Systemd(ctx, initial.Daemon{Listen: listensAt, Answers: doctor.Answers})
	}
	if *asJSON {
		c.Out = io.Discard
	}
	r, err := c.Run(ctx)
	if *asJSON {
		show.JSON(std.Out, r)
	}
	switch {
	case errors.Is(err, initial.ErrUnanswered):
		fmt.Fprintln(std.Err, "milterscan init:", err)
		return cli.ExitUsage
	case err != nil:
		fmt.Fprintln(std.Err, "milterscan init:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}

// wrongWith returns the mistakes of a configuration, as "check" prints them.
func wrongWith(ctx context.Context, file string) error {
	c, err := cli.Load(file)
	if err != nil {
		return err
	}
	_, err = try(ctx, c)
	return err
}

// listensAt returns where a daemon with a configuration listens.
func listensAt(file string) (all []string) {
	c, err := cli.Load(file)
	if err != nil {
		return nil
	}
	for _, a := range c.Milter.Listen {
		all = append(all, string(a))
	}
	return all
}

// isTerminal reports whether a standard input is a terminal, where a person may answer.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}
