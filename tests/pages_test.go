package tests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/config"
)

// pages are all pages that people read, but the generated ones.
func pages(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"../README.md", "../docs/*.md", "../contrib/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return slices.DeleteFunc(all, func(page string) bool { return filepath.Base(page) == "config.md" })
}

// block is one example in a page.
type block struct {
	kind string // what follows the fence: "toml"; "indented" for one without
	text string
}

// blocks are the examples of a page, fenced or indented.
func blocks(page string) (all []block) {
	var now *block
	fenced := false
	for line := range strings.Lines(page) {
		trimmed := strings.TrimLeft(line, " ")
		switch fence, isFence := strings.CutPrefix(trimmed, "```"); {
		case isFence && fenced:
			fenced, now = false, nil
		case isFence:
			all = append(all, block{kind: strings.TrimSpace(fence)})
			fenced, now = true, &all[len(all)-1]
		case fenced:
			now.text += strings.TrimPrefix(line, "   ")
		case strings.HasPrefix(line, "    "):
			if now == nil {
				all = append(all, block{kind: "indented"})
				now = &all[len(all)-1]
			}
			now.text += line[4:]
		case strings.TrimSpace(line) == "" && now != nil:
			now.text += "\n"
		default:
			now = nil
		}
	}
	return all
}

// table begins a configuration.
var table = regexp.MustCompile(`(?m)^\s*\[\[?[a-z_.0-9]+\]\]?\s*$`)

// TestPagesConfiguration: the examples of a page work together, put into one file
// in the order of the page; "toml alone" is one of several ways and works by itself.
func TestPagesConfiguration(t *testing.T) {
	seen := 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		whole, domain := "", ""
		for _, b := range blocks(string(text)) {
			switch {
			case b.kind == "toml" || b.kind == "indented" && table.MatchString(b.text) && !strings.Contains(b.text, "(`"):
				whole += b.text + "\n"
				seen++
			case b.kind == "toml alone":
				wantConfiguration(t, page, b.text, "")
				seen++
			case b.kind == "toml domain":
				domain = b.text
				seen++
			}
		}
		if whole != "" {
			wantConfiguration(t, page, whole, domain)
		}
	}
	if seen < 20 {
		t.Errorf("only %d examples were found", seen)
	}
}

// lists are files that examples name.
var lists = regexp.MustCompile(`(file:)?/etc/milterscan/[\w.-]*\w`)

// wantConfiguration checks a configuration, and a domain's, as they are installed:
// with the files they name, and a resolver where none is named.
func wantConfiguration(t *testing.T, page, text, domain string) {
	t.Helper()
	dir := t.TempDir()
	text = lists.ReplaceAllStringFunc(text, func(name string) string {
		prefix, path, _ := strings.Cut(name, "/etc/milterscan/")
		content := "user@example.com\n"
		switch {
		case strings.Contains(path, "key"):
			content = "a " + strings.Repeat("0a", 32) + "\n"
		case strings.Contains(path, "networks"):
			content = "192.0.2.0/24\n"
		}
		path = filepath.Join(dir, path)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return prefix + path
	})
	if !strings.Contains(text, "[dns]") {
		text += "\n[dns]\nservers = [\"127.0.0.1:53\"]\n"
	}
	path := filepath.Join(dir, "milterscan.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if domain != "" {
		write := filepath.Join(dir, "domains.d", "example.com.toml")
		if err := os.MkdirAll(filepath.Dir(write), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(write, []byte(domain), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := config.Load(path); err != nil {
		t.Errorf("%s: %v\n%s", page, err, text)
	}
}

// TestPagesSpeakToAdministrators: a page begins with what it is for, and leaves what
// only developers do to the pages for them.
func TestPagesSpeakToAdministrators(t *testing.T) {
	developers := []string{"contributing.md", "flow.md", "dependencies.md", "commands.md", "README.md"}
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "\n\n")
		if strings.HasPrefix(page, "../docs/") && strings.IndexAny(rest, "|-#`1 ") == 0 && filepath.Base(page) != "flow.md" {
			t.Errorf("%s does not begin with a sentence", page)
		}
		if !slices.Contains(developers, filepath.Base(page)) && strings.Contains(string(text), "go test") {
			t.Errorf("%s is for administrators, and speaks of go test", page)
		}
	}
}
