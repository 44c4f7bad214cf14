//go:build linux

package virus

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
)

// program writes a scanner of the test's own.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scanner")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// byProgram returns an engine that runs a script with these arguments.
func byProgram(t *testing.T, change func(*Config), script string, args ...string) *Engine {
	t.Helper()
	c := Config{Name: "prog", Type: TypeCommand, Timeout: units.Duration(20 * time.Second), MaxStream: units.MB}
	c.Command = append([]string{program(t, script)}, args...)
	c.Signature = `found (\S+)`
	if change != nil {
		change(&c)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	e, err := commandEngine(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The same scanner, which finds "evil", in the three ways a program may be given
// contents.
const (
	byStdin = `grep -q evil && { echo "found Fake-Virus"; exit 1; }; exit 0`
	byFile  = `grep -q evil "$1" && { echo "$1: found Fake-Virus"; exit 1; }; exit 0`
	byDir   = `s=0; for f in "$1"/*; do grep -q evil "$f" && { echo "$f: found Fake-Virus"; s=1; }; done; exit $s`
	byDumb  = `grep -rq evil "$1" && exit 1; exit 0`
)

func commands(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Run("stdin", func(t *testing.T) { test(t, byProgram(t, nil, byStdin)) })
	t.Run("file", func(t *testing.T) { test(t, byProgram(t, nil, byFile, "{file}")) })
	t.Run("dir", func(t *testing.T) { test(t, byProgram(t, nil, byDir, "{dir}")) })
	t.Run("dir, no names", func(t *testing.T) {
		test(t, byProgram(t, func(c *Config) { c.Signature = "" }, byDumb, "{dir}"))
	})
}

func TestCommandFinds(t *testing.T) {
	commands(t, func(t *testing.T, e *Engine) {
		m := two("hello", "some evil bytes")
		found, err := e.Scan(context.Background(), m)
		if err != nil || len(found) != 1 || found[0].Part != 1 {
			t.Fatalf("found %v, error %v; want one in part 1", found, err)
		}
		scantest.Check(t, e, m, found, Catalogue()...)
		if found, err := e.Scan(context.Background(), two("hello", "attachment")); err != nil || len(found) != 0 {
			t.Errorf("clean: found %v, error %v", found, err)
		}
	})
}

func TestCommandContract(t *testing.T) {
	scantest.Run(t, byProgram(t, nil, strings.ReplaceAll(byDir, "evil", "member"), "{dir}"), Catalogue()...)
}

// TestCommandVerdicts: what is neither of the two verdicts is an error.
func TestCommandVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		change func(*Config)
		found  int
		fails  bool
	}{
		"clean":               {"exit 0", nil, 0, false},
		"infected":            {"exit 1", nil, 2, false},
		"other status":        {"exit 2", nil, 0, true},
		"named, status clean": {"echo found X; exit 0", nil, 2, false},
		"named, other status": {"echo found X; exit 9", nil, 2, false},
		"own statuses":        {"exit 7", func(c *Config) { c.Clean, c.Infected = []int{7}, []int{0} }, 0, false},
		"own statuses, hit":   {"exit 0", func(c *Config) { c.Clean, c.Infected = []int{7}, []int{0} }, 2, false},
		"expected":            {"echo 1 file, all well", func(c *Config) { c.Expect = "all well" }, 0, false},
		"not as expected":     {"echo no licence", func(c *Config) { c.Expect = "all well" }, 0, true},
		"talks for ever":      {"while :; do echo 0123456789012345678901234567890123456789; done | head -c 300000; exit 0", nil, 0, true},
		"dies":                {"kill -9 $$", nil, 0, true},
		"hangs":               {"sleep 100", func(c *Config) { c.Timeout = units.Duration(200 * time.Millisecond) }, 0, true},
		"spins":               {"while :; do :; done", func(c *Config) { c.Timeout = units.Duration(200 * time.Millisecond) }, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := byProgram(t, c.change, c.script).Scan(context.Background(), two("hello", "attachment"))
			if (err != nil) != c.fails || len(found) != c.found {
				t.Errorf("found %v, error %v", found, err)
			}
		})
	}
}

func TestCommandThatIsGone(t *testing.T) {
	e := byProgram(t, func(c *Config) { c.Command[0] += "-gone" }, "")
	if found, err := e.Scan(context.Background(), two("hello", "evil")); err == nil {
		t.Errorf("found %v, no error", found)
	}
}

// TestCommandNamesNothing: nothing in a mail has a part in the command line, and
// nothing is left behind.
func TestCommandNamesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	e := byProgram(t, nil, `case "$1" in */1) exit 0;; esac; exit 1`, "{file}")
	m := two("hello", "attachment")
	m.Parts[1].Names = []string{"../../$(id);x.exe"}
	if found, err := e.Scan(context.Background(), m); err != nil || len(found) != 0 {
		t.Errorf("found %v, error %v", found, err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func TestCommandConfigErrors(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"command: it is missing":             func(c *Config) { c.Command = nil },
		"the absolute path":                  func(c *Config) { c.Command = []string{"clamscan"} },
		"{file} and {dir}":                   func(c *Config) { c.Command = []string{"/x", "{file}", "{dir}"} },
		"signature: error":                   func(c *Config) { c.Signature = "(" },
		"expect: it matches":                 func(c *Config) { c.Expect = "x*" },
		"means clean and":                    func(c *Config) { c.Clean, c.Infected = []int{0, 1}, []int{1} },
		"no absolute path":                   func(c *Config) { c.Read = []string{"lib"} },
		"address: an engine of type command": func(c *Config) { c.Address = Addresses{"unix:/x"} },
		"command: an engine of type clamd":   func(c *Config) { c.Type, c.Address = TypeClamd, Addresses{"unix:/x"} },
	} {
		c := Config{Name: "c", Type: TypeCommand, Program: Program{Command: []string{"/bin/true"}}}
		change(&c)
		if _, err := New([]Config{c}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, error %v", want, err)
		}
	}
}
