package shell

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// Pages writes the pages for man(1) into a directory: one for the program, and one for each
// command. version is what they are of.
func Pages(ctx context.Context, all []cli.Command, dir, version string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	write := func(name, text string) error { return os.WriteFile(filepath.Join(dir, name+".1"), []byte(text), 0o644) }
	if err := write("milterscan", overview(all, version)); err != nil {
		return err
	}
	for _, c := range all {
		list := c.Sub
		if list == nil {
			list = []cli.Command{c}
		}
		for _, one := range list {
			name := one.Name
			if c.Sub != nil {
				name = c.Name + " " + one.Name
			}
			if err := write("milterscan-"+strings.ReplaceAll(name, " ", "-"), page(ctx, name, one, version)); err != nil {
				return err
			}
		}
	}
	return nil
}

// heading begins a page.
func heading(name, about, version string) string {
	return fmt.Sprintf(".TH %s 1 \"\" \"milterscan %s\" \"milterscan\"\n.SH NAME\n%s \\- %s\n",
		strings.ToUpper(strings.ReplaceAll(name, " ", "-")), roff(version), roff(strings.ReplaceAll(name, " ", "-")), roff(about))
}

// overview returns the page of the program.
func overview(all []cli.Command, version string) string {
	var b strings.Builder
	b.WriteString(heading("milterscan", "judge mail before the MTA accepts it", version))
	b.WriteString(".SH SYNOPSIS\n.B milterscan\n.I command\n.RI [ options ]\n.SH COMMANDS\n")
	for _, c := range all {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(c.Name), roff(c.About))
		for _, sub := range c.Sub {
			fmt.Fprintf(&b, ".br\n.BR milterscan\\-%s\\-%s (1):\n%s\n", roff(c.Name), roff(sub.Name), roff(sub.About))
		}
	}
	b.WriteString(".SH ENVIRONMENT\n.TP\n.B " + cli.FileVariable +
		"\nthe configuration file, for commands that are called without\n.B \\-c\n")
	b.WriteString(".SH FILES\n.TP\n.I " + cli.DefaultFile + "\nthe configuration; \"milterscan config\" prints one with every key explained\n")
	return b.String()
}

// page returns the page of one command.
func page(ctx context.Context, name string, c cli.Command, version string) string {
	var b strings.Builder
	b.WriteString(heading("milterscan "+name, c.About, version))
	o := cli.OptionsOf(ctx, c)
	synopsis := ""
	if o != nil {
		synopsis = o.Synopsis()
	}
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B milterscan %s\n%s\n", roff(name), roff(synopsis))
	if o != nil {
		options(&b, o)
	}
	m := cli.ManualOf(name)
	b.WriteString(".SH EXAMPLES\n.nf\n")
	for _, e := range m.Examples {
		fmt.Fprintf(&b, "%s\n", roff(e))
	}
	b.WriteString(".fi\n.SH \"EXIT STATUS\"\n")
	for _, e := range m.Exits {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", e.Status, roff(e.Means))
	}
	b.WriteString(".SH \"SEE ALSO\"\n.BR milterscan (1)\n")
	return b.String()
}

func options(b *strings.Builder, o *cli.Options) {
	first := true
	o.VisitAll(func(f *flag.Flag) {
		if first {
			b.WriteString(".SH OPTIONS\n")
			first = false
		}
		value, about := flag.UnquoteUsage(f)
		dashes := "--"
		if len(f.Name) == 1 {
			dashes = "-"
		}
		fmt.Fprintf(b, ".TP\n.BI %s \" %s\"\n%s\n", roff(dashes+f.Name), roff(value), roff(about))
	})
}

// roff writes text so that the formatter takes none of it for a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}
