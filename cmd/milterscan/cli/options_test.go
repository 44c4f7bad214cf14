package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestOrder reads one command line in every order.
func TestOrder(t *testing.T) {
	for _, words := range []string{
		"--to a@example.com ID1 --again ID2", "ID1 ID2 --again --to a@example.com", "--again --to=a@example.com ID1 ID2",
		"ID1 -to a@example.com -again -- ID2", "--again --to a@example.com -- ID1 ID2", "ID1 --again=true ID2 --to a@example.com",
	} {
		o := Flags("test", "", Streams{Out: os.Stdout, Err: os.Stderr})
		to, again := o.String("to", "", ""), o.Bool("again", false, "")
		if status, ok := ParseArguments(o, strings.Fields(words)); !ok || *to != "a@example.com" || !*again || !slices.Equal(o.Args(), []string{"ID1", "ID2"}) {
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
		o := Flags("test", "", Streams{Out: os.Stdout, Err: os.Stderr})
		helo := o.String("helo", "", "")
		if status, ok := ParseProgram(o, strings.Fields(test.words)); !ok || *helo != test.helo || strings.Join(o.Args(), " ") != test.arguments {
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
		o := Flags("test", "", Streams{Out: os.Stdout, Err: &errs})
		o.Int("n", 0, "")
		o.Bool("b", false, "")
		if status, ok := Parse(o, strings.Fields(words)); ok || status != ExitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: status %d, %q; want %q", words, status, errs.String(), want)
		}
	}
}

// TestHelpNamesEveryOption compares the help of a command with its options.
func TestHelpNamesEveryOption(t *testing.T) {
	var out bytes.Buffer
	o := Flags("test", "[--n N]", Streams{Err: &out})
	o.Int("n", 7, "a `number`")
	o.Bool("verbose", false, "say more")
	o.Usage()
	o.VisitAll(func(f *flag.Flag) {
		if !strings.Contains(out.String(), fmt.Sprintf("  %s", dashed(f.Name))) {
			t.Errorf("%q does not name %s", out.String(), f.Name)
		}
	})
}
