// Package who is the commands that show who is who.
package who

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/people/directory"
)

// Commands returns the commands about people. by is the user who calls them.
func Commands(by string) []cli.Command {
	return []cli.Command{
		{Name: "show", About: "say whose an address is, and who may act for whom", Run: showPerson},
		{Name: "check", About: "load all sources now, and say what they have and what is wrong", Run: check},
		{Name: "limit", About: "show or set the score from which on a recipient wants no mail",
			Run: func(ctx context.Context, args []string, std cli.Streams) int { return limit(ctx, args, std, by) }},
	}
}

// configured loads a configuration that has sources.
func configured(f *cli.Options, args []string, std cli.Streams, parse func(*cli.Options, []string) (int, bool),
	checks ...func() error) (*config.Config, int, bool) {
	c, status, ok := cli.Configured(f, args, std, parse, checks...)
	if ok && len(c.People.Sources) == 0 {
		fmt.Fprintf(std.Err, "milterscan %s: nobody is known: the configuration has no [[people.source]]\n", f.Name())
		return nil, cli.ExitConfig, false
	}
	return c, status, ok
}

// shown is the knowledge of an address.
type shown struct {
	Address string          `json:"address"`
	Known   bool            `json:"known"`
	Sure    bool            `json:"sure"` // of that
	Person  *directory.Row  `json:"person,omitempty"`
	Acts    []directory.Row `json:"acts_for,omitempty"`
}

// of returns a person as sources name one.
func of(p directory.Person) directory.Row {
	return directory.Row{Address: p.Main(), Name: p.Name, Aliases: p.Addresses[1:], Groups: p.Groups,
		Language: p.Language, Delegates: p.Delegates}
}

// showPerson shows all that is known of an address, by what the daemon has loaded last.
func showPerson(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("people show", "[-c FILE] [--json] ADDRESS", std)
	asJSON := f.Bool("json", false, "print a JSON object")
	c, status, ok := configured(f, args, std, cli.ParseArguments, func() error {
		if f.NArg() != 1 {
			return errors.New("name one address")
		}
		return nil
	})
	if !ok {
		return status
	}
	d := pipeline.NewDirectory(c, directory.Options{})
	d.LoadMissing(ctx)
	s := look(d, f.Arg(0))
	if *asJSON {
		show.JSON(std.Out, s)
	} else {
		s.print(std.Out)
	}
	said := says(std.Err, d.States())
	switch {
	case s.Person != nil || s.Known:
		return cli.ExitOK
	case !said:
		return cli.ExitError
	}
	return cli.ExitFound
}

// look asks a directory about an address.
func look(d *directory.Directory, address string) shown {
	s := shown{Address: address}
	s.Known, s.Sure = d.Known(address)
	if p, ok := d.Who(address); ok {
		one := of(p)
		s.Person = &one
	}
	for _, p := range d.Acting(address) {
		if s.Person == nil || p.Main() != s.Person.Address {
			s.Acts = append(s.Acts, of(p))
		}
	}
	return s
}

// print prints all that is known for a person to read.
func (s shown) print(w io.Writer) {
	line := func(name string, values ...string) {
		if text := strings.Join(values, ", "); text != "" {
			fmt.Fprintf(w, "  %-10s %s\n", name, show.Printable(text))
		}
	}
	switch p := s.Person; {
	case p != nil:
		fmt.Fprintf(w, "%s %s\n", show.Printable(p.Address), show.Printable(p.Name))
		line("aliases", p.Aliases...)
		line("groups", p.Groups...)
		line("language", p.Language)
		line("delegates", p.Delegates...)
	case s.Known:
		fmt.Fprintf(w, "%s gets mail, and is nobody's in particular\n", show.Printable(s.Address))
	default:
		fmt.Fprintf(w, "%s: no source has it\n", show.Printable(s.Address))
	}
	for _, p := range s.Acts {
		line("acts for", strings.TrimSpace(p.Address+" "+p.Name))
	}
}

// says prints which sources are not as they should be, and reports whether each is known.
func says(w io.Writer, states []directory.State) bool {
	all := true
	for _, s := range states {
		if s.Loaded.IsZero() {
			all = false
			fmt.Fprintf(w, "source %s cannot be loaded: %v\n", s.Source, s.Err)
		}
	}
	return all
}

// source is a source as "people check" finds it.
type source struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Addresses int      `json:"addresses"`
	Wrong     int      `json:"wrong"`
	Seconds   float64  `json:"seconds"`
	Problems  []string `json:"problems,omitempty"`
	Error     string   `json:"error,omitempty"`
	Kept      string   `json:"kept,omitempty"` // when the daemon has loaded it last
}

// checked is what all sources have.
type checked struct {
	Sources   []source       `json:"sources"`
	People    int            `json:"people"`
	Addresses int            `json:"addresses"`
	Groups    map[string]int `json:"groups"`
	Conflicts int            `json:"conflicts"`
	Named     []string       `json:"named_conflicts,omitempty"`
}

// check loads all sources.
func check(ctx context.Context, args []string, std cli.Streams) int {
	f := cli.Flags("people check", "[-c FILE] [--json]", std)
	asJSON := f.Bool("json", false, "print a JSON object")
	c, status, ok := configured(f, args, std, cli.Parse)
	if !ok {
		return status
	}
	d := directory.New(directory.Options{})
	d.Use(c.People.Sources, c.People.Delimiter)
	d.Load(ctx)
	out := checkedOf(d, c)
	if *asJSON {
		show.JSON(std.Out, out)
	} else {
		out.print(std.Out)
	}
	if slices.ContainsFunc(out.Sources, func(s source) bool { return s.Error != "" }) {
		return cli.ExitError
	}
	return cli.ExitOK
}

func checkedOf(d *directory.Directory, c *config.Config) checked {
	out := checked{Groups: d.Groups()}
	out.People, out.Addresses = d.Size()
	out.Conflicts, out.Named = d.Conflicts()
	for i, s := range d.States() {
		one := source{Name: s.Source, Type: s.Type, Addresses: s.Addresses, Wrong: s.Wrong, Seconds: s.Took.Seconds(), Problems: s.Problems}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		if at, _, err := directory.Kept(filepath.Dir(c.People.File), c.People.Sources[i]); err == nil {
			one.Kept = at.UTC().Format(time.RFC3339)
		}
		out.Sources = append(out.Sources, one)
	}
	return out
}

// print prints what all sources have for a person to read.
func (c checked) print(w io.Writer) {
	for _, s := range c.Sources {
		if s.Error != "" {
			fmt.Fprintf(w, "%s (%s): %s\n", s.Name, s.Type, show.Printable(s.Error))
			continue
		}
		fmt.Fprintf(w, "%s (%s): %d addresses in %.1f s; %d left out\n", s.Name, s.Type, s.Addresses, s.Seconds, s.Wrong)
		for _, p := range s.Problems {
			fmt.Fprintf(w, "  %s\n", show.Printable(p))
		}
	}
	fmt.Fprintf(w, "%d people with %d addresses, %d groups, %d conflicts\n", c.People, c.Addresses, len(c.Groups), c.Conflicts)
	for _, text := range c.Named {
		fmt.Fprintf(w, "  %s\n", show.Printable(text))
	}
	for _, g := range slices.Sorted(maps.Keys(c.Groups)) {
		fmt.Fprintf(w, "group %s: %d\n", show.Printable(g), c.Groups[g])
	}
}
