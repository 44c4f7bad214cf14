// Milterscan is a mail security filter that Postfix and Sendmail ask about every
// message before they accept it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/milterscan/milterscan/scan/open/worker"
)

// Exit statuses, as in sysexits(3) where it has one.
const (
	exitOK          = 0
	exitFound       = 1  // scan: something is not delivered
	exitError       = 2  // scan: something could not be read
	exitUsage       = 64 // the command line is wrong
	exitRefused     = 69 // filter: the message is refused
	exitSoftware    = 70
	exitTempfail    = 75 // filter: try again later
	exitConfig      = 78 // the configuration is wrong
	exitNothingLeft = 99 // filter: accepted, and nothing to pass on
)

// streams are the three files a command talks through.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// command is one subcommand.
type command struct {
	name  string
	about string
	run   func(ctx context.Context, args []string, std streams) int
}

// commands are all subcommands, in the order in which help lists them.
func commands() []command {
	return []command{
		{"serve", "answer the MTA (the default)", serve},
		{"check", "read the configuration and say what is wrong with it", check},
		{"doctor", "examine the installation and say what to do about each fault", examine},
		{"scan", "judge mail in files and explain the verdict", scanFiles},
		{"filter", "judge one mail on standard input, for MTAs that call a program", filter},
		{"quarantine", "list, show, release and remove kept messages", quarantined},
		{"explain", "say what became of a message and why", explainID},
		{"history", "list what became of messages", printHistory},
		{"report", "count verdicts, rules, domains and engines", printReport},
		{"selftest", "make hostile mail, harmless itself, and see what gets through", selftest},
		{"setup", "hook milterscan into Postfix, Sendmail or Exim, and out again", setUp},
		{"config", "print the example configuration with every key explained", printConfig},
		{"version", "print the version", version},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	std := streams{stdin, stdout, stderr}
	name := "serve"
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		args[0] = "help"
	}
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, args = args[0], args[1:]
	}
	switch name {
	case "help":
		return help(args, std)
	case "worker": // for ourselves: a child that reads archives
		return worker.Main(args, stdin, stdout, stderr)
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, args, std)
		}
	}
	fmt.Fprintf(stderr, "milterscan: %q is not a command; try \"milterscan help\"\n", name)
	return exitUsage
}

// help lists the commands, or explains one.
func help(args []string, std streams) int {
	if len(args) > 0 && args[0] == "findings" {
		fmt.Fprint(std.out, catalogueText())
		return exitOK
	}
	if len(args) > 0 && args[0] != "help" {
		return run(context.Background(), []string{args[0], "-h"}, std.in, std.out, std.out)
	}
	fmt.Fprint(std.out, "milterscan judges mail before the MTA accepts it.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(std.out, "  %-10s %s\n", c.name, c.about)
	}
	fmt.Fprint(std.out, "\n\"milterscan help COMMAND\" tells more about one, \"milterscan help findings\" what can be found.\n")
	return exitOK
}

// flags returns the flag set of a command, with the synopsis its help begins
// with.
func flags(name, synopsis string, std streams) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(std.err)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "usage: milterscan %s %s\n", name, synopsis)
		f.PrintDefaults()
	}
	return f
}

// parse reads the arguments; unless ok, the command ends with the status.
func parse(f *flag.FlagSet, args []string) (status int, ok bool) {
	switch err := f.Parse(args); {
	case err == nil:
		return exitOK, true
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	default:
		return exitUsage, false
	}
}
