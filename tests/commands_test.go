package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	span    = regexp.MustCompile("`((?:sudo )?milterscan [^`]+)`")
	command = regexp.MustCompile(`^\$? *(?:sudo (?:-u \S+ )?)?(?:/usr/bin/)?milterscan (.*)`)
)

// commandLines are the calls of milterscan in a page, without what a shell makes
// of the rest of the line.
func commandLines(page string) (all []string) {
	add := func(text string) {
		m := command.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			return
		}
		call, _, _ := strings.Cut(m[1], " #")
		call = strings.FieldsFunc(call, func(r rune) bool { return strings.ContainsRune("|<>;&", r) })[0]
		call, _, _ = strings.Cut(call, " -- ")
		all = append(all, strings.TrimSpace(call))
	}
	for _, m := range span.FindAllStringSubmatch(page, -1) {
		add(m[1])
	}
	for _, b := range blocks(page) {
		for line := range strings.Lines(b.text) {
			add(line)
		}
	}
	return all
}

// groups are commands that have commands.
var groups = []string{"quarantine", "digest", "dmarc-report", "user", "token", "people", "list", "feed", "import", "store"}

// TestPagesCommands: every command that a page shows is one, with options that it has.
func TestPagesCommands(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "milterscan")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/milterscan").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	help := map[string]string{}
	seen := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range commandLines(string(text)) {
			seen++
			words := strings.Fields(call)
			name := words[:1]
			if slices.Contains(groups, words[0]) && len(words) > 1 {
				name = words[:2]
			}
			key := strings.Join(name, " ")
			if _, asked := help[key]; !asked {
				out, _ := exec.Command(binary, append(slices.Clone(name), "--help")...).CombinedOutput()
				help[key] = string(out)
			}
			if !strings.HasPrefix(help[key], "usage: milterscan "+key) && !slices.Contains(groups, words[0]) && words[0] != "help" {
				t.Errorf("%s: \"milterscan %s\" is no command:\n%s", page, call, help[key])
				continue
			}
			for _, w := range words[1:] {
				option, _, _ := strings.Cut(strings.TrimLeft(w, "["), "=")
				if strings.HasPrefix(option, "-") && option != "-" && !hasOption(help[key], option) {
					t.Errorf("%s: \"milterscan %s\" has no option %s", page, call, option)
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d commands were found", seen)
	}
}

// hasOption reports whether a help text lists an option.
func hasOption(help, option string) bool {
	name := strings.Trim(option, "-]")
	if name == "help" || name == "h" {
		return true
	}
	for line := range strings.Lines(help) {
		if f := strings.Fields(line); len(f) > 0 && (f[0] == "-"+name || f[0] == "--"+name) {
			return true
		}
	}
	return false
}
