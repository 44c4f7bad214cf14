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
