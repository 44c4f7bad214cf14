package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/shell"
)

// printCompletion prints the script by which a shell completes command lines.
func printCompletion(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("completion", strings.Join(shell.Shells(), "|"), std)
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	if f.NArg() != 1 {
		f.Usage()
		return cli.ExitUsage
	}
	known, err := shell.Script(ctx, completed(), f.Arg(0), std.Out)
	switch {
	case !known:
		return f.Refuse(fmt.Errorf("there is no script for the shell %q; write one of %s", f.Arg(0), strings.Join(shell.Shells(), ", ")))
	case err != nil:
		fmt.Fprintln(std.Err, "milterscan completion:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}

// completed returns the commands that shells know, which are all and "help".
func completed() []cli.Command {
	explain := func(context.Context, []string, cli.Streams) int { return cli.ExitOK }
	return append(commands(), cli.Command{Name: "help", About: "explain a command, a key of the configuration, or a finding", Run: explain})
}

// complete answers the script of a shell.
func complete(ctx context.Context, args []string, std cli.Streams) int {
	return shell.Complete(ctx, completed(), explained, args, std)
}

// writeManual writes the pages for man(1).
func writeManual(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("man", "DIRECTORY", std)
	if status, ok := cli.ParseArguments(f, args); !ok {
		return status
	}
	if f.NArg() != 1 {
		f.Usage()
		return cli.ExitUsage
	}
	if err := shell.Pages(ctx, commands(), f.Arg(0), release); err != nil {
		fmt.Fprintln(std.Err, "milterscan man:", err)
		return cli.ExitError
	}
	return cli.ExitOK
}
