package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
)

// check reads the configuration as the daemon would, and prints all its errors and
// warnings.
func check(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("check", "[-c FILE] [--json | --effective | --changed | --rules | --migrate]", std)
	path := cli.ConfigFlag(f)
	effective := f.Bool("effective", false, "print every value and every rule, with where it comes from")
	changed := f.Bool("changed", false, "print only the values and rules that the files set")
	rules := f.Bool("rules", false, "print only the rules, in the order in which they are tried")
	asJSON := f.Bool("json", false, "print a JSON object with every error and warning")
	migrate := f.Bool("migrate", false, "print the file as it is written for this version, and say on standard error what was changed")
	if status, ok := cli.Parse(f, args); !ok {
		return status
	}
	if *migrate {
		return printMigrated(cli.File(*path), std)
	}
	c, err := cli.Load(*path)
	var notes []string
	if err == nil {
		notes, err = try(ctx, c)
	}
	if c != nil {
		notes = slices.Concat(warnings(c), notes)
	}
	if *asJSON {
		return checkedJSON(std, nameOf(*path), notes, err)
	}
	if err != nil {
		fmt.Fprintln(std.Err, err)
		return cli.ExitConfig
	}
	for _, warning := range notes {
		fmt.Fprintln(std.Err, "warning:", warning)
	}
	if *effective || *changed || *rules {
		fmt.Fprint(std.Out, c.Effective().Pick(!*rules, *changed))
		return cli.ExitOK
	}
	fmt.Fprintf(std.Out, "%s: no errors\n", nameOf(*path))
	return cli.ExitOK
}

// warnings returns what in a configuration is no error and is probably a mistake.
func warnings(c *config.Config) []string {
	list := c.Cautions()
	for _, n := range c.Notes(pipeline.Catalogue()) {
		list = append(list, n.String())
	}
	return list
}

// checkedJSON prints the errors and warnings for programs.
func checkedJSON(std cli.Streams, file string, warnings []string, err error) int {
	type problem struct {
		File string `json:"file,omitempty"`
		Line int    `json:"line,omitempty"`
		Key  string `json:"key,omitempty"`
		What string `json:"what"`
	}
	out := struct {
		File     string    `json:"file"`
		OK       bool      `json:"ok"`
		Problems []problem `json:"problems"`
		Warnings []string  `json:"warnings"`
	}{file, err == nil, []problem{}, []string{}}
	var problems config.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			out.Problems = append(out.Problems, problem{p.File, p.Line, p.Key, p.What})
		}
	} else if err != nil {
		out.Problems = append(out.Problems, problem{What: err.Error()})
	}
	out.Warnings = append(out.Warnings, warnings...)
	show.JSON(std.Out, out)
	if err != nil {
		return cli.ExitConfig
	}
	return cli.ExitOK
}

// printMigrated prints a file as it is written for this version.
func printMigrated(path string, std cli.Streams) int {
	text, changes, err := config.Migrate(path)
	if err != nil {
		fmt.Fprintln(std.Err, "milterscan check:", err)
		return cli.ExitConfig
	}
	for _, c := range changes {
		fmt.Fprintf(std.Err, "%s: %s\n", path, c)
	}
	fmt.Fprint(std.Out, text)
	return cli.ExitOK
}

// try makes a judge of a configuration, and has it judge the mails there are
// tests for. It returns warnings about what cannot be tried.
func try(ctx context.Context, c *config.Config) ([]string, error) {
	if err := c.SetAside(); err != nil {
		return nil, err
	}
	if err := c.Contradictions(pipeline.Catalogue()); err != nil {
		return nil, err
	}
	if err := pipeline.CheckKeys(c); err != nil {
		return nil, fmt.Errorf("milterscan: %w", err)
	}
	unknown, unsure := pipeline.CheckGroups(ctx, c)
	if len(unknown) > 0 {
		return nil, unknown
	}
	p, err := pipeline.New(c)
	if err != nil {
		return nil, fmt.Errorf("milterscan: %w", err)
	}
	defer p.Close()
	return unsure, pipeline.RunTests(ctx, p, c.Tests)
}

// nameOf returns the name of a configuration: its path, or what it is where it has none.
func nameOf(path string) string {
	if cli.NoFile(path) {
		return "shipped configuration"
	}
	return cli.File(path)
}
