package main

import (
	"context"
	"fmt"
	"os"

	"github.com/milterscan/milterscan/policy/config"
)

// check reads the configuration as the daemon would and says everything that is
// wrong with it.
func check(_ context.Context, args []string, std streams) int {
	f := flags("check", "[-c FILE] [--effective]", std)
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	effective := f.Bool("effective", false, "print every value and every rule, with where it comes from")
	if status, ok := parse(f, args); !ok {
		return status
	}
	c, err := load(*path)
	if err != nil {
		fmt.Fprintln(std.err, err)
		return exitConfig
	}
	if _, err := newJudge(c, 1, newCommons(c, 0), nil); err != nil {
		fmt.Fprintln(std.err, "milterscan:", err)
		return exitConfig
	}
	if *effective {
		fmt.Fprint(std.out, c.Effective())
		return exitOK
	}
	fmt.Fprintf(std.out, "%s: no errors\n", nameOf(*path))
	return exitOK
}

// nameOf is what a configuration is called.
func nameOf(path string) string {
	if path != "" {
		return path
	}
	if _, err := os.Stat(defaultConfig); err == nil {
		return defaultConfig
	}
	return "shipped configuration"
}

// printConfig prints the example configuration.
func printConfig(_ context.Context, args []string, std streams) int {
	f := flags("config", "", std)
	if status, ok := parse(f, args); !ok {
		return status
	}
	fmt.Fprint(std.out, config.Example())
	return exitOK
}
