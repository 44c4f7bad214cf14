package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

var linked = &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Path: "example.com/mine"}, Deps: []*debug.Module{
	{Path: "example.com/a", Version: "v1.2.3", Sum: "h1:8XafzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzE="},
}}

// TestBill: each module has its license and its sum; one without either is an error, as
// the list would say less than it seems to.
func TestBill(t *testing.T) {
	b, err := bill(linked, "1.0", map[string]string{"example.com/a": "MIT AND ISC"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"purl":"pkg:golang/example.com/a@v1.2.3"`, `"expression":"MIT AND ISC"`, `"content":"f1769fcf`,
		`"purl":"pkg:golang/std@1.26.0"`, `"ref":"pkg:golang/example.com/mine@1.0"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if _, err := bill(linked, "1.0", nil); err == nil || !strings.Contains(err.Error(), "example.com/a is linked") {
		t.Errorf("a module without a license: %v", err)
	}
	linked := *linked
	linked.Deps = []*debug.Module{{Path: "example.com/a", Version: "v1", Replace: &debug.Module{Path: "../a"}}}
	if _, err := bill(&linked, "1.0", map[string]string{"../a": "MIT"}); err == nil {
		t.Error("a module replaced by a directory has no sum, and is listed")
	}
}

// TestList: what is no program, no page of licenses or no time is said.
func TestList(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "licenses.md")
	if err := os.WriteFile(page, []byte("| `example.com/a` | MIT |\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	one, err := list(program, "1.0", page, "1767225600")
	if err != nil || !strings.Contains(string(one), `"timestamp": "2026-01-01T00:00:00Z"`) {
		t.Fatalf("%v: %s", err, one)
	}
	if other, _ := list(program, "1.0", page, "1767225600"); string(other) != string(one) {
		t.Error("two lists of one program differ")
	}
	for what, args := range map[string][4]string{
		"no program": {page, "1.0", page, ""},
		"no page":    {program, "1.0", page + ".gone", ""},
		"no table":   {program, "1.0", "main.go", ""},
		"no time":    {program, "1.0", page, "yesterday"},
	} {
		if _, err := list(args[0], args[1], args[2], args[3]); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
