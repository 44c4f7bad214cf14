// Milterscan is a mail security filter that Postfix and Sendmail ask about every
// message before they accept it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
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
		{"serve", "answer the MTA, as the service does", serve},
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
	name, args := commandOf(args)
	switch name {
	case "":
		return unnamed(args, std)
	case "help", "-h", "-help", "--help":
		return help(args, std)
	case "-v", "-version", "--version":
		name = "version"
	case "worker": // for ourselves: a child that reads archives
		return worker.Main(args, stdin, stdout, stderr)
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, args, std)
		}
	}
	fmt.Fprintf(stderr, "milterscan: %s; try \"milterscan help\"\n", noCommand(name))
	return exitUsage
}

// unnamed prints help where no command is named. Options without a command are a
// call that lacks something.
func unnamed(args []string, std streams) int {
	if len(args) == 0 {
		return help(nil, std)
	}
	fmt.Fprintln(std.err, "milterscan: no command is named, such as \"milterscan serve\"; try \"milterscan help\"")
	return exitUsage
}

// commandOf takes the name of a command out of its arguments. The configuration
// may be named before it.
func commandOf(args []string) (name string, rest []string) {
	var before []string
	for len(args) > 0 {
		switch arg := args[0]; {
		case (arg == "-c" || arg == "--c") && len(args) > 1:
			before, args = append(before, arg, args[1]), args[2:]
		case strings.HasPrefix(arg, "-c=") || strings.HasPrefix(arg, "--c="):
			before, args = append(before, arg), args[1:]
		default:
			return arg, append(before, args[1:]...)
		}
	}
	return "", before
}

// noCommand says why a word is no command.
func noCommand(name string) string {
	if strings.HasPrefix(name, "-") {
		return fmt.Sprintf("options such as %s come after the command", name)
	}
	return fmt.Sprintf("%q is not a command", name)
}

// help lists the commands, or explains one.
func help(args []string, std streams) int {
	if len(args) > 0 && args[0] == "findings" {
		fmt.Fprint(std.out, catalogueText())
		return exitOK
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "help" {
		return run(context.Background(), append(args, "--help"), std.in, std.out, std.err)
	}
	fmt.Fprint(std.out, "milterscan judges mail before the MTA accepts it.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(std.out, "  %-10s %s\n", c.name, c.about)
	}
	fmt.Fprint(std.out, "\n\"milterscan COMMAND --help\" tells more about one, \"milterscan help findings\" what can be found.\n")
	return exitOK
}
