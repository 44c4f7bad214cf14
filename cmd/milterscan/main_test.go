package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// everyCommand returns the command lines of all commands, without their options.
func everyCommand() [][]string {
	var all [][]string
	for _, c := range commands() {
		if c.Sub == nil {
			all = append(all, []string{c.Name})
		}
		for _, sub := range c.Sub {
			all = append(all, []string{c.Name, sub.Name})
		}
	}
	return all
}

// call runs milterscan with an empty standard input.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &errs)
	if name := named(args); name != "" && !slices.ContainsFunc(cli.ManualOf(name).Exits, func(e cli.Exit) bool { return e.Status == status }) {
		t.Errorf("%q: its manual has no exit status %d: %s", args, status, &errs)
	}
	return status, out.String(), errs.String()
}

// named returns the command that is called, "" where it is none, or its parent.
func named(args []string) string {
	name, rest := cli.CommandOf(args)
	for _, c := range commands() {
		if c.Name == name && c.Sub == nil {
			return name
		}
		for _, sub := range c.Sub {
			if one, _ := cli.CommandOf(rest); c.Name == name && sub.Name == one {
				return name + " " + one
			}
		}
	}
	return ""
}

// untouched fails if a command has done anything in dir.
func untouched(t *testing.T, dir string, before []string) {
	t.Helper()
	if after := namesBelow(t, dir); !slices.Equal(before, after) {
		t.Errorf("was %q, is %q", before, after)
	}
}

func namesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestMistakesDoNothing gives every command an option there is not, and an
// argument that is not expected, in every place.
func TestMistakesDoNothing(t *testing.T) {
	dir := t.TempDir()
	config := writeConfig(t, dir)
	before := namesBelow(t, dir)
	takes := []string{"init", "scan", "replay", "retro", "man", "learn", "feed check", "feed update", "explain", "setup", "quarantine show", "quarantine release", "quarantine forward", "quarantine delete", "user add", "user passwd",
		"list add", "list remove", "list import", "user disable", "user enable", "user remove", "token add", "token revoke", "digest resume", "people show", "people limit", "greylist pass",
		"import mailscanner", "import mailwatch", "import amavis", "import rspamd", "import mimedefang"}
	for _, command := range everyCommand() {
		name := strings.Join(command, " ")
		options := []string{"-c", config}
		if slices.Contains([]string{"config", "version", "completion", "man"}, name) || command[0] == "import" {
			options = nil
		}
		for _, args := range placed(command, options, "--bogus", "06h08cfwgrgbyv96") {
			if status, _, errs := call(t, args...); status != cli.ExitUsage || !strings.Contains(errs, "--bogus") {
				t.Errorf("%q: status %d, %q", args, status, errs)
			}
		}
		if slices.Contains(takes, name) {
			continue
		}
		for _, args := range placed(command, options, "stray") {
			if status, out, errs := call(t, args...); status != cli.ExitUsage || out != "" || !strings.Contains(errs, `"stray"`) {
				t.Errorf("%q: status %d, %q, %q", args, status, out, errs)
			}
		}
	}
	untouched(t, dir, before)
}

// placed puts words before, after and between the options of a command.
func placed(command, options []string, words ...string) [][]string {
	return [][]string{
		slices.Concat(command, words, options),
		slices.Concat(command, options, words),
		slices.Concat(command, words[:1], options, words[1:]),
	}
}

// TestHelpDoesNothingElse asks every command for help in every place.
func TestHelpDoesNothingElse(t *testing.T) {
	dir := t.TempDir()
	config := writeConfig(t, dir)
	before := namesBelow(t, dir)
	for _, command := range everyCommand() {
		for _, help := range []string{"-h", "-help", "--help"} {
			for _, args := range [][]string{
				append(slices.Clone(command), help),
				slices.Concat(command, []string{help, "-c", config, "x"}),
				slices.Concat(command, []string{"-c", config, "x", help}),
				slices.Concat(command, []string{"--bogus", help, "x"}),
			} {
				status, out, errs := call(t, args...)
				if status != cli.ExitOK || errs != "" || !strings.HasPrefix(out, "usage: milterscan "+strings.Join(command, " ")) {
					t.Errorf("%q: status %d, %q, %q", args, status, out, errs)
				}
			}
		}
	}
	untouched(t, dir, before)
}

// TestNoCommand calls milterscan in ways that name no command, and by the usual
// names of help and version.
func TestNoCommand(t *testing.T) {
	for _, test := range []struct {
		words  string
		status int
		out    string // begins so
	}{
		{"", cli.ExitOK, "milterscan judges mail"},
		{"-h", cli.ExitOK, "milterscan judges mail"},
		{"--help", cli.ExitOK, "milterscan judges mail"},
		{"help", cli.ExitOK, "milterscan judges mail"},
		{"help help", cli.ExitOK, "milterscan judges mail"},
		{"help release", cli.ExitUsage, ""},
		{"help quarantine release", cli.ExitOK, "usage: milterscan quarantine release"},
		{"--help check", cli.ExitOK, "usage: milterscan check"},
		{"help quarantine", cli.ExitOK, "usage: milterscan quarantine COMMAND"},
		{"quarantine", cli.ExitUsage, ""},
		{"quarantine --json list", cli.ExitUsage, ""},
		{"version", cli.ExitOK, "milterscan " + release},
		{"--version", cli.ExitOK, "milterscan " + release},
		{"-v", cli.ExitOK, "milterscan " + release},
		{"-v stray", cli.ExitUsage, ""},
		{"-c /nowhere", cli.ExitUsage, ""},
		{"-c", cli.ExitUsage, ""},
		{"--bogus serve", cli.ExitUsage, ""},
		{"bogus", cli.ExitUsage, ""},
		{"-c /nowhere check", cli.ExitConfig, ""},
		{"check -c /nowhere", cli.ExitConfig, ""},
		{"quarantine -c /nowhere list", cli.ExitConfig, ""},
		{"-c=/nowhere quarantine list", cli.ExitConfig, ""},
	} {
		status, out, errs := call(t, strings.Fields(test.words)...)
		if status != test.status || !strings.HasPrefix(out, test.out) || test.out == "" && (out != "" || errs == "") {
			t.Errorf("%q: status %d, %q, %q", test.words, status, out, errs)
		}
	}
}

// writeConfig writes a configuration that keeps everything below dir.
func writeConfig(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "milterscan.toml")
	text := fmt.Sprintf(`
[milter]
listen = ["unix:%[1]s/nobody.sock"]
[quarantine]
dir = "%[1]s/quarantine"
[history]
file = "%[1]s/history.db"
[notices]
dir = "%[1]s/notices"
[submission]
via = "smtp:127.0.0.1:1"
`, dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
