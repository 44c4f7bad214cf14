// Milterscan is a mail security filter that Postfix and Sendmail ask about every
// message before they accept it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/digests"
	"github.com/milterscan/milterscan/cmd/milterscan/feeds"
	"github.com/milterscan/milterscan/cmd/milterscan/lists"
	"github.com/milterscan/milterscan/cmd/milterscan/past"
	"github.com/milterscan/milterscan/cmd/milterscan/replay"
	"github.com/milterscan/milterscan/cmd/milterscan/reports"
	"github.com/milterscan/milterscan/cmd/milterscan/retro"
	"github.com/milterscan/milterscan/cmd/milterscan/shell"
	"github.com/milterscan/milterscan/cmd/milterscan/user"
	"github.com/milterscan/milterscan/cmd/milterscan/who"
	"github.com/milterscan/milterscan/scan/open/worker"
)

// commands returns all subcommands, in the order in which help lists them.
func commands() []cli.Command {
	by := caller()
	return []cli.Command{
		{Name: "serve", About: "answer the MTA, as the service does", Run: serve},
		{Name: "init", About: "write the first configuration of a host, for what is there", Run: begin},
		{Name: "check", About: "read the configuration and say what is wrong with it", Run: check},
		{Name: "doctor", About: "examine the installation and say what to do about each fault", Run: examine},
		{Name: "scan", About: "judge mail in files and explain the verdict", Run: scanFiles},
		{Name: "replay", About: "judge mail again under another configuration, and show what ends otherwise", Run: replayed},
		{Name: "filter", About: "judge one mail on standard input, for MTAs that call a program", Run: filterMail},
		{Name: "quarantine", About: "list, show, release and remove kept messages", Sub: quarantineCommands()},
		{Name: "store", About: "check what is kept, and move it into the database that hosts share", Sub: storeCommands()},
		{Name: "learn", About: "tell the spam engines what is spam, and what is not", Run: learned},
		{Name: "digest", About: "tell people by mail what is kept back from them", Sub: digests.Commands()},
		{Name: "dmarc-report", About: "tell domains what mail in their name looks like from here", Sub: reports.Commands()},
		{Name: "explain", About: "say what became of a message and why", Run: past.Explain},
		{Name: "history", About: "list what became of messages", Run: past.History},
		{Name: "retro", About: "say which mail had what has become known since", Run: retro.Run},
		{Name: "top", About: "show verdicts as they happen", Run: past.Top},
		{Name: "report", About: "count verdicts, rules, domains and engines", Run: past.Report},
		{Name: "list", About: "allow and block senders, for recipients, domains and the host", Sub: lists.Commands(by)},
		{Name: "greylist", About: "let senders through that greylisting puts off", Sub: lists.Greylist(by)},
		{Name: "feed", About: "fetch the lists that others publish, and say what is on them", Sub: feeds.Commands()},
		{Name: "user", About: "let people into the console, and out again", Sub: user.Commands(by)},
		{Name: "token", About: "let programs use the API of the console, and end that", Sub: user.TokenCommands(by)},
		{Name: "audit", About: "list what people looked at and did in the console", Run: user.Audit},
		{Name: "people", About: "say whose an address is, and what the sources of people have", Sub: who.Commands(by)},
		{Name: "selftest", About: "make hostile mail, harmless itself, and see what gets through", Run: testItself},
		{Name: "import", About: "take over the configuration of another filter", Sub: importCommands()},
		{Name: "setup", About: "hook milterscan into Postfix, Sendmail or Exim, and out again", Run: setUp},
		{Name: "config", About: "print the example configuration with every key explained", Run: printConfig},
		{Name: "bugreport", About: "print what somebody needs to know who is to find a fault", Run: bugReport},
		{Name: "completion", About: "print what a shell needs to complete command lines", Run: printCompletion},
		{Name: "man", About: "write pages for man(1) into a directory", Run: writeManual},
		{Name: "version", About: "print the version", Run: version},
	}
}

func main() {
	if name, _ := cli.CommandOf(os.Args[1:]); name == "serve" {
		unhurried()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs the program and returns its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	std := cli.Streams{In: stdin, Out: stdout, Err: stderr}
	name, args := cli.CommandOf(args)
	switch name {
	case "":
		return unnamed(args, std)
	case "help", "-h", "-help", "--help":
		return help(args, std)
	case "-v", "-version", "--version":
		name = "version"
	case "worker": // for ourselves: a child that reads archives
		return worker.Main(args, stdin, stdout, stderr)
	case replay.Word: // for ourselves: a child that judges kept mail under a draft
		return replay.Main(stdin, stdout)
	case shell.Asked: // for the scripts of "completion"
		return complete(ctx, args, std)
	}
	for _, c := range commands() {
		switch {
		case c.Name != name:
		case c.Sub != nil:
			return cli.Choose(ctx, name, c.Sub, args, std)
		default:
			return c.Run(ctx, args, std)
		}
	}
	fmt.Fprintf(stderr, "milterscan: %s; \"milterscan help\" lists all\n", cli.NoCommand(name, commands()))
	return cli.ExitUsage
}

// unnamed prints help where no command is named. Options without a command are a
// call that lacks something.
func unnamed(args []string, std cli.Streams) int {
	if len(args) == 0 {
		return help(nil, std)
	}
	fmt.Fprintln(std.Err, "milterscan: no command is named, such as \"milterscan serve\"; try \"milterscan help\"")
	return cli.ExitUsage
}
