package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// everyCommand returns the command lines of all commands, without their options.
func everyCommand() [][]string {
	var all [][]string
	for _, c := range commands() {
		if c.name != "quarantine" {
			all = append(all, []string{c.name})
		}
	}
	for _, c := range quarantineCommands() {
		all = append(all, []string{"quarantine", c.name})
	}
	return all
}

// call runs milterscan with an empty standard input.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
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
	takes := []string{"scan", "explain", "setup", "quarantine show", "quarantine release", "quarantine forward", "quarantine delete"}
	for _, command := range everyCommand() {
		name := strings.Join(command, " ")
		options := []string{"-c", config}
		if name == "config" || name == "version" {
			options = nil
		}
		for _, args := range placed(command, options, "--bogus", "06h08cfwgrgbyv96") {
			if status, _, errs := call(t, args...); status != exitUsage || !strings.Contains(errs, "--bogus") {
				t.Errorf("%q: status %d, %q", args, status, errs)
			}
		}
		if slices.Contains(takes, name) {
			continue
		}
		for _, args := range placed(command, options, "stray") {
			if status, out, errs := call(t, args...); status != exitUsage || out != "" || !strings.Contains(errs, `"stray"`) {
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
				if status != exitOK || errs != "" || !strings.HasPrefix(out, "usage: milterscan "+strings.Join(command, " ")) {
					t.Errorf("%q: status %d, %q, %q", args, status, out, errs)
				}
			}
		}
	}
	untouched(t, dir, before)
}

// TestOrder reads one command line in every order.
func TestOrder(t *testing.T) {
	for _, words := range []string{
		"--to a@example.com ID1 --again ID2", "ID1 ID2 --again --to a@example.com", "--again --to=a@example.com ID1 ID2",
		"ID1 -to a@example.com -again -- ID2", "--again --to a@example.com -- ID1 ID2", "ID1 --again=true ID2 --to a@example.com",
	} {
		o := flags("test", "", streams{out: os.Stdout, err: os.Stderr})
		to, again := o.String("to", "", ""), o.Bool("again", false, "")
		if status, ok := parseArguments(o, strings.Fields(words)); !ok || *to != "a@example.com" || !*again || !slices.Equal(o.Args(), []string{"ID1", "ID2"}) {
			t.Errorf("%s: status %d, to %q, again %v, arguments %q", words, status, *to, *again, o.Args())
		}
	}
}

// TestEndOfOptions takes everything after "--" for an argument, and the value of an
// option as it is, since MTAs hand on what clients say.
func TestEndOfOptions(t *testing.T) {
	for _, test := range []struct{ words, helo, arguments string }{
		{"-- --helo x -h", "", "--helo x -h"},
		{"--helo -h -- /bin/cat", "-h", "/bin/cat"},
		{"--helo -- -- /bin/cat --", "--", "/bin/cat --"},
		{"--helo --bogus", "--bogus", ""},
		{"--helo=--bogus --", "--bogus", ""},
	} {
		o := flags("test", "", streams{out: os.Stdout, err: os.Stderr})
		helo := o.String("helo", "", "")
		if status, ok := parseProgram(o, strings.Fields(test.words)); !ok || *helo != test.helo || strings.Join(o.Args(), " ") != test.arguments {
			t.Errorf("%s: status %d, helo %q, arguments %q", test.words, status, *helo, o.Args())
		}
	}
}

// TestMistakesInOptions names the mistake.
func TestMistakesInOptions(t *testing.T) {
	for words, want := range map[string]string{
		"--n":          "-n lacks its value",
		"--n x":        `invalid value "x"`,
		"-b=perhaps":   `invalid boolean value "perhaps"`,
		"-=x":          "there is no option",
		"---n 1":       "there is no option",
		"--bogus=1 -x": "there is no option --bogus",
		"x y":          `"x" is not expected here`,
		"-":            `"-" is not expected here`,
		"-- -b":        `"-b" is not expected here`,
	} {
		var errs bytes.Buffer
		o := flags("test", "", streams{out: os.Stdout, err: &errs})
		o.Int("n", 0, "")
		o.Bool("b", false, "")
		if status, ok := parse(o, strings.Fields(words)); ok || status != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: status %d, %q; want %q", words, status, errs.String(), want)
		}
	}
}

// TestNoCommand calls milterscan in ways that name no command, and by the usual
// names of help and version.
func TestNoCommand(t *testing.T) {
	for _, test := range []struct {
		words  string
		status int
		out    string // begins so
	}{
		{"", exitOK, "milterscan judges mail"},
		{"-h", exitOK, "milterscan judges mail"},
		{"--help", exitOK, "milterscan judges mail"},
		{"help", exitOK, "milterscan judges mail"},
		{"help help", exitOK, "milterscan judges mail"},
		{"help release", exitUsage, ""},
		{"help quarantine release", exitOK, "usage: milterscan quarantine release"},
		{"--help check", exitOK, "usage: milterscan check"},
		{"help quarantine", exitOK, "usage: milterscan quarantine COMMAND"},
		{"quarantine", exitUsage, ""},
		{"quarantine --json list", exitUsage, ""},
		{"version", exitOK, "milterscan " + release},
		{"--version", exitOK, "milterscan " + release},
		{"-v", exitOK, "milterscan " + release},
		{"-v stray", exitUsage, ""},
		{"-c /nowhere", exitUsage, ""},
		{"-c", exitUsage, ""},
		{"--bogus serve", exitUsage, ""},
		{"bogus", exitUsage, ""},
		{"-c /nowhere check", exitConfig, ""},
		{"check -c /nowhere", exitConfig, ""},
		{"quarantine -c /nowhere list", exitConfig, ""},
		{"-c=/nowhere quarantine list", exitConfig, ""},
	} {
		status, out, errs := call(t, strings.Fields(test.words)...)
		if status != test.status || !strings.HasPrefix(out, test.out) || test.out == "" && (out != "" || errs == "") {
			t.Errorf("%q: status %d, %q, %q", test.words, status, out, errs)
		}
	}
}

// TestHelpNamesEveryOption compares the help of a command with its options.
func TestHelpNamesEveryOption(t *testing.T) {
	var out bytes.Buffer
	o := flags("test", "[--n N]", streams{err: &out})
	o.Int("n", 7, "a `number`")
	o.Bool("verbose", false, "say more")
	o.Usage()
	o.VisitAll(func(f *flag.Flag) {
		if !strings.Contains(out.String(), fmt.Sprintf("  %s", dashed(f.Name))) {
			t.Errorf("%q does not name %s", out.String(), f.Name)
		}
	})
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
