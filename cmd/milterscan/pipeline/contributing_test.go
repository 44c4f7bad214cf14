package pipeline

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the directory of the module.
const root = "../../.."

// block is a piece of code in docs/contributing.md: a whole file, or lines that
// are added to one.
var block = regexp.MustCompile("(?ms)^```(go|diff) (\\S+)\n(.*?)^```$")

// example returns the files that the page adds and changes, by path.
func example(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs/contributing.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, m := range block.FindAllStringSubmatch(string(page), -1) {
		kind, file, text := m[1], m[2], m[3]
		if kind == "diff" {
			text = patched(t, file, text)
		}
		files[file] = text
	}
	return files
}

// patched returns a file with the lines of a diff that begin with "+" put after
// the line above them, which must be in the file once.
func patched(t *testing.T, file, diff string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	all := string(text)
	for _, hunk := range regexp.MustCompile("(?m)^ .*\n(?:\\+.*\n)+").FindAllString(diff, -1) {
		lines := strings.SplitAfter(hunk, "\n")
		context, added := lines[0][1:], ""
		for _, l := range lines[1:] {
			added += strings.TrimPrefix(l, "+")
		}
		if strings.Count(all, context) != 1 {
			t.Fatalf("docs/contributing.md adds lines to %s after this one, which is there %d times:\n%s", file, strings.Count(all, context), context)
		}
		all = strings.Replace(all, context, context+added, 1)
	}
	return all
}

// overlay lays files over the module without changing it, and returns the option
// that makes the go command see them.
func overlay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, replace := t.TempDir(), map[string]string{}
	for file, text := range files {
		path, err := filepath.Abs(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		replace[path] = filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + file
}

// TestExampleOfAScanner builds milterscan with the scanner that
// docs/contributing.md adds, runs the scanner's own test, and has it find
// something: what the page shows is all that a scanner touches.
func TestExampleOfAScanner(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program")
	}
	files := example(t)
	if len(files) != 4 {
		t.Fatalf("the page has %d files", len(files))
	}
	with, program := overlay(t, files), filepath.Join(t.TempDir(), "milterscan")
	command := func(want, name string, args ...string) {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = root
		out, _ := c.CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Fatalf("%s %v does not say %q:\n%s", name, args, want, out)
		}
	}
	command("", "go", "build", with, "-o", program, "./cmd/milterscan")
	contract := program + ".test" // run by itself: there is no directory that "go test" could run it in
	command("", "go", "test", with, "-c", "-vet=off", "-o", contract, "./scan/contents/shouting")
	command("--- PASS: TestContract/at_once", contract, "-test.v")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"mail.eml":   "From: a@example.org\r\nSubject: YOU HAVE WON A PRIZE\r\n\r\nhello\r\n",
		"good.toml":  "[shouting]\nletters = 5\n[[rule]]\nname = \"loud\"\nwhen = [\"shouting/subject\"]\naction = \"discard\"\n",
		"wrong.toml": "[shouting]\nletters = 0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command("no errors", program, "check", "-c", filepath.Join(dir, "good.toml"))
	command("wrong.toml:2: shouting.letters: 0 is too few", program, "check", "-c", filepath.Join(dir, "wrong.toml"))
	command("discard by rule \"loud\" because of shouting/subject", program, "scan", "-c", filepath.Join(dir, "good.toml"), filepath.Join(dir, "mail.eml"))
	command("`shouting/subject`", program, "help", "findings")
	command("shouting.letters = 5", program, "check", "--effective", "-c", filepath.Join(dir, "good.toml"))
}
