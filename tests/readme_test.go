package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
)

// The configuration that the README shows is one.
func TestReadmeConfiguration(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(path, []byte(tables(string(readme))), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Rules) != 3 {
		t.Errorf("read %d rules", len(c.Rules))
	}
}

// The README shows what the demo prints: each of its mails, with an answer.
func TestReadmeDemo(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	demo, err := os.ReadFile("demo/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, letters, _ := strings.Cut(string(demo), "func letters()")
	letters, _, ok := strings.Cut(letters, "\n}\n")
	mails := regexp.MustCompile(`\{"([^"]+)", sample\.`).FindAllStringSubmatch(letters, -1)
	if !ok || len(mails) < 5 {
		t.Fatalf("the demo sends %d mails", len(mails))
	}
	for _, m := range mails {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(m[1]) + ` +(250|451|550) `).Match(readme) {
			t.Errorf("the README does not show what becomes of %q", m[1])
		}
	}
}

// makeCall is a call of make in an example or between backquotes.
var makeCall = regexp.MustCompile("(?m)(?:^ {4}|`|&& )make ([a-z]+)")

// Every target of make that a page names is one.
func TestPagesTargets(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range makeCall.FindAllStringSubmatch(string(text), -1) {
			seen++
			if !strings.Contains("\n"+string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s: there is no target %q", page, m[1])
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d targets were found", seen)
	}
}

// tables are the indented blocks that begin with a TOML table.
func tables(text string) string {
	var all []string
	for _, block := range strings.Split(text, "\n\n") {
		if strings.HasPrefix(block, "    [") {
			all = append(all, strings.ReplaceAll(block, "    ", ""))
		}
	}
	return strings.Join(all, "\n\n")
}

// The files that the README points to are there.
func TestReadmeLinks(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range strings.Split(string(readme), "](")[1:] {
		name, _, _ := strings.Cut(piece, ")")
		if _, err := os.Stat(filepath.Join("..", name)); err != nil && !strings.Contains(name, "://") {
			t.Errorf("the README points to %s: %v", name, err)
		}
	}
}

// Every configuration that the guides in docs show is one.
func TestGuidesConfiguration(t *testing.T) {
	for _, guide := range []string{"postfix", "sendmail", "exim", "hosting", "sizing", "troubleshooting", "migrating"} {
		text, err := os.ReadFile("../docs/" + guide + ".md")
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range tomlBlocks(string(text)) {
			path := filepath.Join(t.TempDir(), "milterscan.toml")
			if err := os.WriteFile(path, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := config.Load(path); err != nil {
				t.Errorf("docs/%s.md, configuration %d: %v", guide, i+1, err)
			}
		}
	}
}

// tomlBlocks are the fenced blocks of TOML.
func tomlBlocks(text string) []string {
	var all []string
	for _, rest := range strings.Split(text, "```toml\n")[1:] {
		block, _, _ := strings.Cut(rest, "```")
		all = append(all, block)
	}
	return all
}

// The pages of docs point to files that are there.
func TestDocsLinks(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range strings.Split(string(text), "](")[1:] {
			name, _, _ := strings.Cut(piece, ")")
			name, _, _ = strings.Cut(name, "#")
			if name == "" || strings.Contains(name, "://") || strings.ContainsAny(name, " |`") {
				continue
			}
			if _, err := os.Stat(filepath.Join("../docs", name)); err != nil {
				t.Errorf("%s points to %s: %v", page, name, err)
			}
		}
	}
}
