package tests

import (
	"os"
	"path/filepath"
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
	if len(c.Milter.Listen) != 1 || len(c.Rules) != 3 {
		t.Errorf("read %d addresses and %d rules", len(c.Milter.Listen), len(c.Rules))
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
