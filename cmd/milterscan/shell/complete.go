// Package shell gives shells and readers of manuals what they need to know of the commands: what may
// come next on a command line, and pages for man(1).
package shell

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// Asked is the command by which the scripts of Script ask what may come next.
const Asked = cobra.ShellCompRequestCmd

// Shells lists the shells that Script knows.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Script prints the script that a shell is to read, so that it completes command lines. ok is false
// for a shell that is not known.
func Script(ctx context.Context, all []cli.Command, shell string, w io.Writer) (ok bool, err error) {
	root := tree(ctx, all, nil)
	switch shell {
	case "bash":
		return true, root.GenBashCompletionV2(w, true)
	case "zsh":
		return true, root.GenZshCompletion(w)
	case "fish":
		return true, root.GenFishCompletion(w, true)
	}
	return false, nil
}

// Complete answers a script: it prints what may come after the words of a command line. words are what
// may follow a command without options.
func Complete(ctx context.Context, all []cli.Command, words func() []string, args []string, std cli.Streams) int {
	root := tree(ctx, all, words)
	root.SetArgs(append([]string{Asked}, args...))
	root.SetIn(std.In)
	root.SetOut(std.Out)
	root.SetErr(std.Err)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(std.Err, "milterscan:", err)
		return cli.ExitUsage
	}
	return cli.ExitOK
}

// tree returns the commands as the library has them. It is made for completion only: commands read
// their own command lines.
func tree(ctx context.Context, all []cli.Command, words func() []string) *cobra.Command {
	root := &cobra.Command{Use: "milterscan", SilenceErrors: true, SilenceUsage: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.Run = func(*cobra.Command, []string) {}
	for _, c := range all {
		root.AddCommand(branch(ctx, c, words))
	}
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	return root
}

// branch returns one command with those below it.
func branch(ctx context.Context, c cli.Command, words func() []string) *cobra.Command {
	cmd := &cobra.Command{Use: c.Name, Short: c.About, Run: func(*cobra.Command, []string) {}}
	for _, sub := range c.Sub {
		cmd.AddCommand(branch(ctx, sub, words))
	}
	if c.Run == nil {
		return cmd
	}
	o := cli.OptionsOf(ctx, c)
	if o == nil {
		cmd.ValidArgsFunction = one(words)
		return cmd
	}
	cmd.ValidArgsFunction = arguments(o.Synopsis())
	o.VisitAll(func(f *flag.Flag) {
		_, about := flag.UnquoteUsage(f)
		g := pflag.PFlagFromGoFlag(f)
		g.Usage = about
		cmd.Flags().AddFlag(g)
		complete(cmd, f)
	})
	return cmd
}

// answer is how the library asks what may come next.
type answer = func(cmd *cobra.Command, before []string, begun string) ([]string, cobra.ShellCompDirective)

// one answers with words of a list, of which only one may come. A list of none says that nothing
// is known, and keeps the shell from offering names of files.
func one(words func() []string) answer {
	return func(_ *cobra.Command, before []string, begun string) (list []string, _ cobra.ShellCompDirective) {
		if words == nil || len(before) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, w := range words() {
			if strings.HasPrefix(w, begun) {
				list = append(list, w)
			}
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

// arguments returns the answer for the arguments of a command, by the end of its synopsis: files, one
// of some words, or something that no shell knows.
func arguments(synopsis string) answer {
	last := strings.Trim(synopsis[strings.LastIndex(synopsis, " ")+1:], "[].")
	switch {
	case strings.Contains(last, "FILE"), strings.Contains(last, "PATH"), strings.Contains(last, "DIRECTORY"):
		return nil
	case strings.Contains(last, "|"):
		return one(func() []string { return strings.Split(last, "|") })
	}
	return one(nil)
}

// complete says what the value of an option may be: one of its words, a file, or something else.
func complete(cmd *cobra.Command, f *flag.Flag) {
	value, _ := flag.UnquoteUsage(f)
	if value == "file" || value == "directory" {
		return // as shells do by themselves
	}
	var words func() []string
	if c, ok := f.Value.(interface{ Words() []string }); ok {
		words = c.Words
	}
	values := one(words)
	cmd.RegisterFlagCompletionFunc(f.Name, func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return values(c, nil, begun)
	}) // which fails only for an option that has such a function
}
