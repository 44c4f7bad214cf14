package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var reference = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

// TestSite: every page is written, and every file and place that it names is there.
func TestSite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "site")
	if err := write(dir, "../../cmd/milterscan/console"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(dir + "/*.html")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d pages, %v", len(files), err)
	}
	texts := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = string(text)
	}
	for name, text := range texts {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, ":") {
				continue
			}
			if to == "" {
				to = name
			}
			if _, err := os.Stat(filepath.Join(dir, to)); err != nil {
				t.Errorf("%s: %v", name, err)
			} else if anchor != "" && !strings.Contains(texts[to], `id="`+anchor+`"`) {
				t.Errorf("%s leads to %s, which has no %q", name, to, anchor)
			}
		}
	}
	if err := write(dir, "/nowhere"); err == nil {
		t.Error("a site without a stylesheet is written")
	}
}
