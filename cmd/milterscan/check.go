package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/milterscan/milterscan/policy/config"
)

// check reads the configuration as the daemon would and says everything that is
// wrong with it.
func check(ctx context.Context, args []string, std streams) int {
	f := flags("check", "[-c FILE] [--effective | --migrate]", std)
	path := f.String("c", "", "configuration `file`; without it "+defaultConfig+" if there, else what is shipped")
	effective := f.Bool("effective", false, "print every value and every rule, with where it comes from")
	migrate := f.Bool("migrate", false, "print the file as it is written for this version, and say on standard error what was changed")
	if status, ok := parse(f, args); !ok {
		return status
	}
	if *migrate {
		return printMigrated(cmp.Or(*path, defaultConfig), std)
	}
	c, err := load(*path)
	if err != nil {
		fmt.Fprintln(std.err, err)
		return exitConfig
	}
	if err := try(ctx, c); err != nil {
		fmt.Fprintln(std.err, err)
		return exitConfig
	}
	for _, program := range absent(c) {
		fmt.Fprintln(std.err, "note:", program)
	}
	if *effective {
		fmt.Fprint(std.out, c.Effective())
		return exitOK
	}
	fmt.Fprintf(std.out, "%s: no errors\n", nameOf(*path))
	return exitOK
}

// printMigrated prints a file as it is written for this version.
func printMigrated(path string, std streams) int {
	text, changes, err := config.Migrate(path)
	if err != nil {
		fmt.Fprintln(std.err, "milterscan check:", err)
		return exitConfig
	}
	for _, c := range changes {
		fmt.Fprintf(std.err, "%s: %s\n", path, c)
	}
	fmt.Fprint(std.out, text)
	return exitOK
}

// try makes a judge of a configuration, and has it judge the mails there are
// tests for.
func try(ctx context.Context, c *config.Config) error {
	if err := c.Contradictions(catalogue()); err != nil {
		return err
	}
	if err := checkKeys(c); err != nil {
		return fmt.Errorf("milterscan: %w", err)
	}
	with := newCommons(c, 0)
	j, err := newJudge(c, 1, with, nil)
	if err != nil {
		return fmt.Errorf("milterscan: %w", err)
	}
	p := &pipeline{commons: with, judge: j, maxMessage: int64(c.Limits.Message)}
	defer p.Close()
	return runTests(ctx, p, c.Tests)
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
