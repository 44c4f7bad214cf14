package main

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy/config"
)

// help lists the commands, or explains one, a key of the configuration, or a finding.
func help(args []string, std cli.Streams) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || args[0] == "help" {
		overview(std.Out)
		return cli.ExitOK
	}
	word := args[0]
	if word == "findings" {
		fmt.Fprint(std.Out, pipeline.CatalogueText())
		return cli.ExitOK
	}
	if isCommand := slices.Contains(cli.Names(commands()), word); isCommand {
		return run(context.Background(), append(args, "--help"), std.In, std.Out, std.Err)
	}
	if len(args) == 1 && (explainFindings(std.Out, word) || explainKey(std.Out, strings.Trim(word, "[]"))) {
		return cli.ExitOK
	}
	fmt.Fprintf(std.Err, "milterscan help: %s\n", unexplained(word))
	return cli.ExitUsage
}

func overview(out io.Writer) {
	fmt.Fprint(out, "milterscan judges mail before the MTA accepts it.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-12s %s\n", c.Name, c.About)
	}
	fmt.Fprint(out, "\n\"milterscan COMMAND --help\" tells more about one, "+
		"\"milterscan help KEY\" about a key or section of the configuration,\n"+
		"such as limits.archive.depth or [history], "+
		"\"milterscan help FINDING\" about what can be found, such as attachment/program or 'archive/*'.\n")
}

// explainFindings explains a finding, or all that a pattern matches.
func explainFindings(out io.Writer, pattern string) bool {
	found := false
	for _, r := range pipeline.Catalogue() {
		if ok, _ := path.Match(pattern, r.Name); !ok {
			continue
		}
		if found {
			fmt.Fprintln(out)
		}
		found = true
		fmt.Fprintf(out, "%s (%s)\n", r.Name, r.Kind)
		cli.Wrap(out, "  ", r.About)
		if example := pipeline.ExampleOf(r.Name); example != "" {
			cli.Wrap(out, "  ", "Such as: "+example)
		}
	}
	return found
}

// explainKey explains a key of the configuration, or a section with its keys.
func explainKey(out io.Writer, name string) bool {
	keys := config.Keys()
	i := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == name })
	if i < 0 {
		return false
	}
	k := keys[i]
	if k.Line == "" {
		fmt.Fprintln(out, k.Section)
		cli.Wrap(out, "  ", k.About)
		for _, inner := range keys[i+1:] {
			if rest, ok := strings.CutPrefix(inner.Name, name+"."); ok {
				fmt.Fprintf(out, "\n  %s\n", rest)
				cli.Wrap(out, "      ", firstSentence(inner.About))
			}
		}
		return true
	}
	where := k.Section
	if where == "" {
		where = "before all sections"
	}
	fmt.Fprintf(out, "%s, %s\n", name, where)
	cli.Wrap(out, "  ", k.About)
	fmt.Fprint(out, "\n")
	for line := range strings.Lines(k.Line) {
		fmt.Fprintf(out, "  %s", line)
	}
	fmt.Fprint(out, "\n")
	return true
}

func firstSentence(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}

// unexplained says that nothing has a name, and what may have been meant.
func unexplained(word string) string {
	names := explained()
	text := fmt.Sprintf("%q is no command, no key of the configuration and no finding", word)
	if best := config.Nearest(word, names); best != "" {
		return text + fmt.Sprintf("; did you mean %q?", best)
	}
	if inner := slices.IndexFunc(names, func(n string) bool {
		return strings.HasSuffix(n, "."+word) || strings.HasSuffix(n, "/"+word)
	}); inner >= 0 {
		return text + fmt.Sprintf("; did you mean %q?", names[inner])
	}
	return text
}

// explained returns all names that help explains.
func explained() []string {
	names := cli.Names(commands())
	for _, k := range config.Keys() {
		names = append(names, k.Name)
	}
	for _, r := range pipeline.Catalogue() {
		names = append(names, r.Name)
	}
	return names
}
