package setup

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Plan is everything that would be done.
type Plan struct {
	MTA      MTA
	Hook     string   // by which milterscan will be asked
	Commands []string // of the MTA's, on the copy: how the new contents came about
	Changes  []Change
	Notes    []string // what the administrator should know
	Address  string   // of milterscan, that will be asked
	SMTP     string   // where the MTA listens, "host:port"; "" if that is not known
	Checks   []Command
	Reload   []Command // none where the MTA is not running

	removal bool // it takes milterscan out
}

// Command is a program and its arguments.
type Command []string

// String returns the command as a person would type it.
func (c Command) String() string { return line(c[0], c[1:]...) }

// Change is the new content of one file.
type Change struct {
	Path     string
	Old, New []byte // Old is nil where the file is not there, New where it goes
	Mode     os.FileMode
}

// Print shows all of the plan.
func (p *Plan) Print(w io.Writer) {
	name := strings.TrimSpace(p.MTA.Name + " " + p.MTA.Version)
	fmt.Fprintf(w, "%s in %s\nmilterscan is asked by: %s\n", name, p.MTA.Dir, p.Hook)
	if len(p.Commands) > 0 {
		fmt.Fprintln(w, "\nCommands, on a copy of the files:")
		for _, c := range p.Commands {
			fmt.Fprintln(w, "  "+c)
		}
	}
	fmt.Fprintln(w, "\nWhat changes:")
	for _, c := range p.Changes {
		fmt.Fprint(w, c.Diff())
	}
	if len(p.Notes) > 0 {
		fmt.Fprintln(w)
	}
	for _, n := range p.Notes {
		fmt.Fprintln(w, "Note: "+n)
	}
	fmt.Fprintln(w, "\nThen:")
	for _, c := range append(p.Checks, p.Reload...) {
		fmt.Fprintln(w, "  "+c.String())
	}
	if len(p.Reload) == 0 {
		fmt.Fprintf(w, "  (%s is not running, so there is nothing to reload)\n", p.MTA.Name)
	}
}

// Diff returns the change in unified form.
func (c Change) Diff() string {
	from, to := c.Path, c.Path
	if c.Old == nil {
		from = os.DevNull
	}
	if c.New == nil {
		to = os.DevNull
	}
	return "--- " + from + "\n+++ " + to + "\n" + diff(lines(c.Old), lines(c.New))
}

func lines(text []byte) []string {
	var all []string
	for l := range bytes.Lines(text) {
		all = append(all, strings.TrimSuffix(string(l), "\n"))
	}
	return all
}

// read returns a change of an existing file, still without its new content.
func read(path string) (Change, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Change{}, err
	}
	old, err := os.ReadFile(path)
	return Change{Path: path, Old: old, Mode: info.Mode().Perm()}, err
}

// stageFile copies a file into the directory the tools work in.
func stageFile(dir string, c Change) (string, error) {
	path := filepath.Join(dir, filepath.Base(c.Path))
	return path, os.WriteFile(path, c.Old, 0o644)
}

// perform runs commands, up to the first that fails.
func perform(ctx context.Context, commands []Command) error {
	for _, c := range commands {
		if _, err := run(ctx, c[0], c[1:]...); err != nil {
			return err
		}
	}
	return nil
}
