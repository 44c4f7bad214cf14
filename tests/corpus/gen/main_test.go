package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestStored compares the stored corpus with what the program makes now.
func TestStored(t *testing.T) {
	made := map[string]string{}
	for i, m := range all() {
		for name, text := range m.files(i + 1) {
			made[name] = text
		}
	}
	for _, pattern := range []string{"../*.eml", "../*.want"} {
		stored, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range stored {
			compare(t, path, made)
			delete(made, filepath.Base(path))
		}
	}
	for name := range made {
		t.Errorf("%s is not stored: run go generate in tests/corpus", name)
	}
}

func compare(t *testing.T, path string, made map[string]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, ok := made[filepath.Base(path)]
	if !ok {
		t.Errorf("%s is not made by the program", path)
	} else if want != string(text) {
		t.Errorf("%s differs from what the program makes: run go generate in tests/corpus", path)
	}
}

// TestNobodyIsMeant allows reserved domains only (RFC 2606).
func TestNobodyIsMeant(t *testing.T) {
	reserved := regexp.MustCompile(`(?i)(^|\.)(example\.(org|com|net)|example|test|invalid|localhost)$`)
	address := regexp.MustCompile(`[A-Za-z0-9]@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)`)
	for _, m := range all() {
		for _, found := range address.FindAllStringSubmatch(m.text, -1) {
			if !reserved.MatchString(found[1]) && !strings.HasSuffix(found[1], ".example.org") {
				t.Errorf("%s: %s is not reserved", m.name, found[0])
			}
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range all() {
		if seen[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		seen[m.name] = true
	}
}
