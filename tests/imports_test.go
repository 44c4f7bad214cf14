// Package tests holds the tests of the source tree as a whole.
package tests

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/milterscan/milterscan/"

// leaves are the packages that know nothing of mail scanning.
var leaves = []string{"scan/spool", "scan/format/entity", "scan/format/archive", "scan/format/charset", "scan/format/markup", "scan/sender/dns", "scan/format/sniff", "scan/units", "scan/format/words", "scan/scratch", "scan/format/pdf"}

// scanners are the packages with scanners in them. They do not know each other.
var scanners = []string{"scan/contents/virus", "scan/contents/attachment", "scan/contents/document", "scan/contents/content", "scan/sender/spamd", "scan/sender/dnslist", "scan/sender/auth", "scan/sender/relay", "scan/sender/greylist", "scan/sender/bounce", "scan/sender/rate"}

// imports says which of our packages each of our packages may import: one way,
// from the commands down to the leaves. docs/flow.md draws the same picture.
// What is below tests/ may import anything and is imported by nothing.
var imports = map[string][]string{
	"scan/spool":              {"scan/units"},
	"scan/format/entity":      {"scan/units", "scan/format/charset", "scan/scratch"},
	"scan/format/archive":     {"scan/units", "scan/scratch", "scan/format/pdf"},
	"scan/format/pdf":         {"scan/scratch"},
	"scan/format/charset":     {"scan/units"},
	"scan/format/markup":      {"scan/units", "scan/format/charset", "scan/scratch"},
	"scan/sender/dns":         {"scan/units"},
	"scan/sender/dns/dnstest": {"scan/sender/dns"},
	"scan/format/sniff":       {"scan/units", "scan/scratch"},
	"scan/scratch":            {},
	"scan/units":              {},
	"scan/hostile":            {},
	"scan/format/words":       {},

	"scan":             {"scan/format/entity", "scan/format/markup", "scan/units"},
	"scan/scantest":    {"scan", "scan/format/entity", "scan/format/archive", "scan/spool", "scan/open/unpack", "scan/units"},
	"scan/open/worker": slices.Concat(leaves, []string{"scan"}),
	"scan/open/unpack": slices.Concat(leaves, []string{"scan", "scan/open/worker"}),

	"scan/contents/document": slices.Concat(leaves, []string{"scan"}),

	"scan/open/texts": slices.Concat(leaves, []string{"scan"}),

	"scan/contents/virus/icap": {},
	"scan/contents/virus":      slices.Concat(leaves, []string{"scan", "scan/open/worker", "scan/contents/virus/icap"}),
	"scan/contents/attachment": slices.Concat(leaves, []string{"scan", "scan/contents/document"}),
	"scan/contents/content":    slices.Concat(leaves, []string{"scan", "scan/contents/document", "scan/open/texts"}),
	"scan/sender/origin":       {"scan/format/entity"},
	"scan/sender/dkim":         {"scan", "scan/sender/dns", "scan/format/entity"},
	"scan/sender/dnslist":      slices.Concat(leaves, []string{"scan", "scan/open/texts", "scan/sender/origin", "scan/sender/dkim"}),
	"scan/sender/spamd":        {"scan", "scan/units"},
	"scan/sender/auth":         slices.Concat(leaves, []string{"scan", "scan/sender/origin", "scan/sender/dkim"}),
	"scan/sender/relay":        slices.Concat(leaves, []string{"scan", "scan/sender/origin"}),
	"scan/sender/greylist":     {"scan", "scan/units"},
	"scan/sender/rate":         {"scan", "scan/units"},
	"scan/sender/bounce":       {"scan", "scan/format/entity", "scan/scratch", "scan/units"},

	"policy": {"scan", "scan/format/entity", "scan/units"},
	"policy/config": slices.Concat(leaves, scanners, []string{"scan", "scan/open/texts", "scan/open/unpack", "scan/open/worker",
		"policy", "policy/tell/notify", "policy/edit", "policy/keep/quarantine", "policy/keep/history", "policy/tell/notify", "policy/tell/submission"}),
	"policy/edit":            slices.Concat(leaves, []string{"scan", "policy"}),
	"policy/disk":            {},
	"policy/token":           {"policy/disk"},
	"policy/tell/submission": {},
	"policy/keep/history":    {"scan", "policy"},
	"policy/keep/store":      {"scan", "scan/sender/greylist", "scan/sender/rate", "policy", "policy/disk", "policy/keep/history", "policy/keep/quarantine"},
	"policy/keep/quarantine": {"scan", "policy", "policy/disk", "policy/token", "policy/tell/submission"},
	"policy/tell/notify":     {"scan", "policy", "policy/disk", "policy/token", "policy/tell/submission"},
	"policy/judge":           slices.Concat(leaves, []string{"scan", "scan/sender/origin", "scan/open/unpack", "policy", "policy/edit", "policy/token"}),

	"cmd/milterscan/doctor": slices.Concat(leaves, scanners, []string{"scan", "scan/open/worker", "policy", "policy/config"}),

	"contrib":              {},
	"cmd/milterscan/setup": {"contrib"},

	"milter": {"scan", "scan/spool", "scan/scratch", "scan/format/entity", "scan/units", "policy"},
}

// pkg is what "go list -json" says about a package.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// name is the path below the module's.
func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// exempt reports a package that may import anything: the commands, which put
// everything together, and the tests.
func (p pkg) exempt() bool {
	return strings.HasPrefix(p.name(), "cmd/") || p.test()
}

func (p pkg) test() bool { return p.name() == "tests" || strings.HasPrefix(p.name(), "tests/") }

// ours are the imports of this module, without its path.
func (p pkg) ours() (names []string) {
	for _, i := range p.Imports {
		if name, ok := strings.CutPrefix(i, module); ok {
			names = append(names, name)
		}
	}
	return names
}

// foreign are the imports of other modules.
func foreign(imports []string) (paths []string) {
	for _, i := range imports {
		host, _, _ := strings.Cut(i, "/")
		if strings.Contains(host, ".") && !strings.HasPrefix(i, module) {
			paths = append(paths, i)
		}
	}
	return paths
}

func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		if p.exempt() {
			continue
		}
		allowed, known := imports[p.name()]
		if !known {
			t.Errorf("%s is not in the table of imports; say what it may import", p.name())
		}
		for _, i := range p.ours() {
			if !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s, which the table of imports does not allow", p.name(), i)
			}
		}
	}
}

// dependency is a row of docs/dependencies.md.
type dependency struct {
	module    string
	importers []string // one, but for the interface to the system
	reason    string
}

var dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+?) \\| (.+?) \\|$")

func dependencies(t *testing.T) []dependency {
	t.Helper()
	text, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []dependency
	for _, m := range dependencyRow.FindAllStringSubmatch(string(text), -1) {
		all = append(all, dependency{m[1], strings.Split(strings.ReplaceAll(m[2], "`", ""), ", "), m[3]})
	}
	return all
}

// covers reports whether the import path belongs to the dependency's module.
func (d dependency) covers(importPath string) bool {
	return importPath == d.module || strings.HasPrefix(importPath, d.module+"/")
}

const (
	// testsOnly is the importer of a library that no part of the program uses.
	testsOnly = "tests"
	// system is the operating system's interface, no library that one would
	// replace.
	system = "golang.org/x/sys"
)

func TestEachLibraryHasOneImporter(t *testing.T) {
	known := dependencies(t)
	used := map[string]bool{}
	for _, p := range packages(t) {
		for _, i := range foreign(p.Imports) {
			d := reasonFor(t, known, p, i)
			if p.test() {
				continue
			}
			used[d.module] = true
			if !p.exempt() && !slices.Contains(d.importers, p.name()) {
				t.Errorf("%s imports %s; docs/dependencies.md says that only %s does", p.name(), i, d.importers)
			}
		}
		for _, i := range foreign(slices.Concat(p.TestImports, p.XTestImports)) {
			reasonFor(t, known, p, i)
		}
	}
	for _, d := range known {
		d.check(t, used[d.module])
	}
}

// reasonFor is the row of an import.
func reasonFor(t *testing.T, known []dependency, p pkg, importPath string) dependency {
	t.Helper()
	for _, d := range known {
		if d.covers(importPath) {
			return d
		}
	}
	t.Errorf("%s imports %s, which docs/dependencies.md gives no reason for", p.name(), importPath)
	return dependency{}
}

// check looks at a row by itself.
func (d dependency) check(t *testing.T, used bool) {
	t.Helper()
	if used == (d.importers[0] == testsOnly) {
		t.Errorf("docs/dependencies.md says that %s is imported by %s, and the program's use of it is %v", d.module, d.importers, used)
	}
	if len(d.importers) > 1 && d.module != system {
		t.Errorf("%s has %d importers; one is enough", d.module, len(d.importers))
	}
	if len(strings.Fields(d.reason)) < 4 {
		t.Errorf("docs/dependencies.md gives no reason for %s: %q", d.module, d.reason)
	}
}

// The tree of packages in the table is the tree there is: a stale row would let
// a package of that name start with rights nobody gave it.
func TestImportTableNamesLeavesFirst(t *testing.T) {
	for name, allowed := range imports {
		for _, a := range allowed {
			if slices.Contains(imports[a], name) {
				t.Errorf("%s and %s may import each other", name, a)
			}
			if path.Dir(a) == "cmd" {
				t.Errorf("%s may import a command", name)
			}
		}
	}
}
