package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Options are the options of a command. They may be given before, after and
// between its arguments.
type Options struct {
	*flag.FlagSet
	synopsis string
	std      Streams
}

// Describer is a standard output that wants to know the options of a command, rather than to be
// written its help.
type Describer interface {
	io.Writer
	Describe(*Options)
}

// Synopsis returns what the help of the command begins with, after its name.
func (o *Options) Synopsis() string { return o.synopsis }

// OptionsOf returns the options of a command, which it tells when it is asked for help; nil for
// one that takes none.
func OptionsOf(ctx context.Context, c Command) *Options {
	var told describer
	c.Run(ctx, []string{"--help"}, Streams{In: strings.NewReader(""), Out: &told, Err: io.Discard})
	return told.options
}

// describer keeps the options that it is told.
type describer struct{ options *Options }

// Write ignores text.
func (d *describer) Write(b []byte) (int, error) { return len(b), nil }

// Describe keeps the options.
func (d *describer) Describe(o *Options) { d.options = o }

// Flags returns the options of a command, with the synopsis its help begins
// with.
func Flags(name, synopsis string, std Streams) *Options {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // parse reports errors, in fewer lines
	f.Usage = func() {}
	return &Options{f, synopsis, std}
}

// Usage prints how the command is called, as the answer to a call that lacks
// something.
func (o *Options) Usage() { o.describe(o.std.Err) }

// describe prints the synopsis, the options, examples and exit statuses.
func (o *Options) describe(w io.Writer) {
	fmt.Fprintln(w, strings.TrimSpace(fmt.Sprintf("usage: milterscan %s %s", o.Name(), o.synopsis)))
	o.VisitAll(func(f *flag.Flag) {
		value, about := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  %s\n        %s%s\n", strings.TrimSpace(dashed(f.Name)+" "+value), about, preset(f))
	})
	m := ManualOf(o.Name())
	fmt.Fprint(w, "\nexamples:\n")
	for _, e := range m.Examples {
		fmt.Fprintf(w, "  %s\n", e)
	}
	fmt.Fprint(w, "\nexit status:\n")
	slices.SortFunc(m.Exits, func(a, b Exit) int { return cmp.Compare(a.Status, b.Status) })
	for _, e := range m.Exits {
		fmt.Fprintf(w, "  %2d  %s\n", e.Status, e.Means)
	}
}

// dashed returns an option as it is given: one letter has one dash.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// preset says what an option is where it is not given.
func preset(f *flag.Flag) string {
	switch f.DefValue {
	case "", "false", "[]":
		return ""
	}
	return fmt.Sprintf(" (without it %s)", f.DefValue)
}

// line is a command line, taken apart.
type line struct {
	options   []string // with their values
	arguments []string
	after     []string // after "--"
	help      bool
}

// takeApart sorts a command line into options and arguments. It returns the first
// mistake in it, and goes on to see whether help is asked for.
func (o *Options) takeApart(args []string) (l line, mistake error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, hasValue := o.named(arg)
		known := o.Lookup(name)
		switch {
		case arg == "--":
			l.after = args
			return l, mistake
		case name == "":
			l.arguments = append(l.arguments, arg)
		case known == nil && (name == "h" || name == "help"):
			l.help = true
		case known == nil:
			mistake = cmp.Or(mistake, fmt.Errorf("there is no option %s", dashed(name)))
		case hasValue || isSwitch(known):
			l.options = append(l.options, arg)
		case len(args) == 0:
			mistake = cmp.Or(mistake, fmt.Errorf("%s lacks its value", dashed(name)))
		default:
			l.options = append(l.options, arg, args[0])
			args = args[1:]
		}
	}
	return l, mistake
}

// named returns the name of an option, empty if it is none, and whether its
// value is in the same argument.
func (o *Options) named(arg string) (name string, hasValue bool) {
	if len(arg) < 2 || arg[0] != '-' {
		return "", false
	}
	name, _, hasValue = strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	if name == "" { // "-=x"
		name = arg
	}
	return name, hasValue
}

// isSwitch reports whether an option takes no value.
func isSwitch(f *flag.Flag) bool {
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// Parse reads the options of a command that takes no arguments. Unless ok, the
// command ends with the status.
func Parse(o *Options, args []string) (status int, ok bool) {
	return o.parse(args, func(l line) ([]string, error) {
		if rest := append(l.arguments, l.after...); len(rest) > 0 {
			return nil, fmt.Errorf("%q is not expected here", rest[0])
		}
		return nil, nil
	})
}

// ParseArguments reads the options of a command that takes arguments.
func ParseArguments(o *Options, args []string) (status int, ok bool) {
	return o.parse(args, func(l line) ([]string, error) { return append(l.arguments, l.after...), nil })
}

// ParseProgram reads the options of a command that takes a program and its
// arguments, after "--".
func ParseProgram(o *Options, args []string) (status int, ok bool) {
	return o.parse(args, func(l line) ([]string, error) {
		if len(l.arguments) > 0 {
			return nil, fmt.Errorf("%q is not expected here; a program is named after \"--\"", l.arguments[0])
		}
		return l.after, nil
	})
}

// parse reads a command line. Its arguments are those that wanted picks.
func (o *Options) parse(args []string, wanted func(line) ([]string, error)) (status int, ok bool) {
	l, err := o.takeApart(args)
	if l.help {
		if d, ok := o.std.Out.(Describer); ok {
			d.Describe(o)
			return ExitOK, false
		}
		o.describe(o.std.Out)
		return ExitOK, false
	}
	var arguments []string
	if err == nil {
		arguments, err = wanted(l)
	}
	if err == nil {
		err = o.FlagSet.Parse(append(append(l.options, "--"), arguments...))
	}
	if err != nil {
		return o.Refuse(err), false
	}
	return ExitOK, true
}

// Refuse prints the error of the command line, and returns the exit status.
func (o *Options) Refuse(err error) int {
	fmt.Fprintf(o.std.Err, "milterscan %s: %v; nothing was done. \"milterscan %s --help\" tells more.\n", o.Name(), err, o.Name())
	return ExitUsage
}
