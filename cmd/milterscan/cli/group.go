package cli

import (
	"context"
	"fmt"
	"io"
)

// Choose runs one of the commands of a group.
func Choose(ctx context.Context, group string, all []Command, args []string, std Streams) int {
	name, rest := CommandOf(args)
	for _, c := range all {
		if c.Name == name {
			return c.Run(ctx, rest, std)
		}
	}
	if name == "-h" || name == "-help" || name == "--help" {
		usage(std.Out, group, all)
		return ExitOK
	}
	if name != "" {
		fmt.Fprintf(std.Err, "milterscan %s: %s\n\n", group, NoCommand(name, all))
	}
	usage(std.Err, group, all)
	return ExitUsage
}

// usage lists the commands of a group.
func usage(w io.Writer, group string, all []Command) {
	fmt.Fprintf(w, "usage: milterscan %s COMMAND [-c FILE] ...\n\n", group)
	for _, c := range all {
		fmt.Fprintf(w, "  %-8s %s\n", c.Name, c.About)
	}
	fmt.Fprintf(w, "\n\"milterscan %s COMMAND --help\" tells more about one.\n", group)
}
