// Package initial writes the first configuration of a host. It shows what it has seen there, asks what
// only the administrator knows, and leaves nothing half done. It replaces no file without consent.
package initial

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/setup"
	"github.com/milterscan/milterscan/cmd/milterscan/survey"
)

// Command is one call of "milterscan init".
type Command struct {
	File     string // the configuration to be written
	Places   survey.Places
	Listen   string // where milterscan is to listen; "" for where the MTA finds it best
	Daemon   string // the user it runs as
	Yes      bool   // ask nothing
	DryRun   bool   // write nothing
	Force    bool   // replace a file that is there
	Terminal bool   // the administrator can be asked
	In       io.Reader
	Out      io.Writer

	// Check returns the errors of a configuration.
	Check func(ctx context.Context, file string) error
	// Service starts the daemon; nil leaves that to the administrator.
	Service *Service

	in *bufio.Reader
}

// New returns a call that looks in the usual places, and writes the usual file.
func New(in io.Reader, out io.Writer) *Command {
	return &Command{File: cli.DefaultFile, Places: survey.Usual(), In: in, Out: out}
}

// Result is the outcome of a call, for programs.
type Result struct {
	Seen      []Line     `json:"seen"`
	Questions []question `json:"questions"` // that were not put, and were answered by default
	File      string     `json:"file"`
	Text      string     `json:"configuration"`
	Beside    string     `json:"domains_file"` // "" for none
	Written   bool       `json:"written"`
	Notes     []Note     `json:"notes"`
	Next      []string   `json:"next"` // the commands to go on with
}

// ErrUnanswered is returned if there are questions, and no terminal at which to ask the administrator.
var ErrUnanswered = errors.New("there is no terminal to ask at: " +
	"nothing was done. With --yes the answers in brackets are taken")

// ErrDeclined is returned if the administrator did not consent.
var ErrDeclined = errors.New("nothing was done")

// Run looks at the host, asks the administrator, shows the configuration and writes it. If it fails,
// nothing has changed but what the error names.
func (c *Command) Run(ctx context.Context) (Result, error) {
	r := Result{File: c.File, Questions: []question{}, Notes: []Note{}, Next: []string{}}
	host, err := c.Places.Look(ctx)
	if err != nil {
		return r, fmt.Errorf("%w; nothing was done", err)
	}
	r.Seen = seen(host, c.Places.List)
	c.showSeen(r.Seen)
	answers, err := c.answers(ctx, host, &r)
	if err != nil {
		return r, err
	}
	mtas := chosen(host.MTAs, answers.MTA)
	d := Compose(host, mtas, answers, c.File)
	r.Text, r.Beside, r.Notes, r.Next = d.Text, d.Beside, append(r.Notes, d.Notes...), c.next(mtas, &d)
	if err := c.tried(ctx, d); err != nil {
		return r, fmt.Errorf("what was to be written is wrong, which is a fault of milterscan's; nothing was done: %w",
			err)
	}
	old, err := c.present()
	if err != nil {
		return r, err
	}
	c.show(d, old)
	if c.DryRun {
		c.showEnd(r)
		return r, nil
	}
	if err := c.consent(d, old); err != nil {
		return r, err
	}
	if err := c.install(ctx, d, old); err != nil {
		return r, err
	}
	r.Written = true
	c.showEnd(r)
	return r, nil
}

// answers asks the administrator. With --yes or --dry-run it takes the presets.
func (c *Command) answers(ctx context.Context, host *survey.Host, r *Result) (Answers, error) {
	a := Answers{Listen: c.Listen}
	questions := a.questions(host, c.Places.List)
	if !c.Yes && !c.DryRun && !c.Terminal {
		fmt.Fprintln(c.Out, "This would be asked:")
		for _, q := range questions {
			cli.Wrap(c.Out, "  ", q.String())
		}
		fmt.Fprintln(c.Out, "  Write the configuration? [n]")
		return a, ErrUnanswered
	}
	for _, q := range questions {
		if c.Terminal && !c.Yes && !c.DryRun {
			if err := q.put(c.input(), c.Out); err != nil {
				return a, fmt.Errorf("%w; nothing was done", err)
			}
			continue
		}
		if err := q.take(q.Preset); err != nil {
			return a, err
		}
		r.Questions = append(r.Questions, q)
	}
	if a.Clamd != "" {
		host.Clamd = survey.At(ctx, a.Clamd)
	}
	return a, nil
}

// input returns the one reader of all answers.
func (c *Command) input() *bufio.Reader {
	if c.in == nil {
		c.in = bufio.NewReader(c.In)
	}
	return c.in
}

// chosen returns the MTAs that count: all instances of the one that was chosen, or of the
// first.
func chosen(all []survey.MTA, name string) []survey.MTA {
	if name == "" && len(all) > 0 {
		name = all[0].Name
	}
	return slices.DeleteFunc(slices.Clone(all), func(m survey.MTA) bool { return m.Name != name })
}

// next returns the next commands for the administrator.
func (c *Command) next(mtas []survey.MTA, d *Draft) (commands []string) {
	options := ""
	if c.File != cli.DefaultFile {
		options = " -c " + c.File
	}
	if c.Service == nil {
		commands = append(commands, "milterscan serve"+options)
	}
	if len(mtas) == 0 {
		d.Notes = append(d.Notes, Note{"no MTA was found here: have yours ask milterscan (docs/mta.md)", ""})
		return append(commands, "milterscan check"+options)
	}
	for i, m := range mtas {
		call := "milterscan setup" + options
		if c.Places.At.Program != "" {
			call += " --program " + c.Places.At.Program
		}
		if c.Places.At.Dir != "" || i > 0 {
			call += " --dir " + m.Dir
		}
		if i > 0 { // each instance keeps its own earlier settings
			call += fmt.Sprintf(" --state %s-%d", setup.StateDir, i+1)
		}
		commands = append(commands, call+" "+m.Name)
	}
	return append(commands, "milterscan selftest --eicar", "milterscan doctor"+options)
}

// consent asks the administrator whether to write the file, or to replace the one that is there.
func (c *Command) consent(d Draft, old existing) error {
	replaces := old.replaced(d)
	switch {
	case c.Force, c.Yes && !replaces:
		return nil
	case c.Yes:
		return fmt.Errorf("%s is there already, and was not replaced; "+
			"--force replaces it, and keeps the old one beside it. Nothing was done",
			c.File)
	}
	question := "\nWrite it? [y/N] "
	if replaces {
		question = fmt.Sprintf("\nReplace %s? The old one is kept beside it. [y/N] ", c.File)
	}
	fmt.Fprint(c.Out, question)
	answer, _ := c.input().ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return ErrDeclined
}

// show prints the new configuration, or its differences from the one that is there.
func (c *Command) show(d Draft, old existing) {
	fmt.Fprintf(c.Out, "\n%s:\n\n", c.File)
	if old.replaced(d) {
		fmt.Fprint(c.Out, setup.Change{Path: c.File, Old: old.text, New: []byte(d.Text)}.Diff())
	} else {
		fmt.Fprint(c.Out, d.Text)
	}
	if d.Beside != "" {
		fmt.Fprintf(c.Out, "\n%s: %d domains, one on each line\n", d.Beside, strings.Count(d.Domains, "\n")-1)
	}
	steps := c.steps(d)
	if len(steps) > 0 {
		fmt.Fprint(c.Out, "\nWith it:\n")
	}
	for _, s := range steps {
		fmt.Fprintln(c.Out, "  "+s)
	}
}

// showEnd prints what the administrator still has to know and to do.
func (c *Command) showEnd(r Result) {
	if r.Written {
		fmt.Fprintf(c.Out, "\nWritten: %s\n", c.File)
	}
	if len(r.Questions) > 0 {
		fmt.Fprint(c.Out, "\nNot asked, and answered with what is in brackets:\n")
	}
	for _, q := range r.Questions {
		cli.Wrap(c.Out, "  ", q.String())
	}
	if len(r.Notes) > 0 {
		fmt.Fprint(c.Out, "\nNote:\n")
	}
	for _, n := range r.Notes {
		cli.Wrap(c.Out, "  ", n.What)
		if n.Fix != "" {
			fmt.Fprintln(c.Out, "    fix: "+n.Fix)
		}
	}
	fmt.Fprint(c.Out, "\nNext:\n")
	for _, command := range r.Next {
		fmt.Fprintln(c.Out, "  "+command)
	}
}

// showSeen prints what was found on the host.
func (c *Command) showSeen(lines []Line) {
	fmt.Fprint(c.Out, "What is here:\n")
	for _, l := range lines {
		fmt.Fprintf(c.Out, "  %-9s %s\n", l.About, l.What)
	}
}

// same reports whether a file has a text already.
func (e existing) same(d Draft) bool { return bytes.Equal(e.text, []byte(d.Text)) }
