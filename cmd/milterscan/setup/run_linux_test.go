package setup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunHearsComplaints: what a program says only to a terminal is heard, and who goes on after its end is not waited for.
func TestRunHearsComplaints(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"to a terminal only":  {"[ -t 2 ] && echo 'fatal: no such directory' >&2\nexit 1", "exit status 1: fatal: no such directory"},
		"lines":               {"echo one >&2; echo two >&2; exit 3", "exit status 3: one\ntwo"},
		"where it prints":     {"echo 'bad line 4'; exit 1", "exit status 1: bad line 4"},
		"nothing":             {"exit 1", "it says nothing here"},
		"no colours":          {`echo "$TERM" >&2; exit 1`, "exit status 1: dumb"},
		"long":                {"yes complaint | head -20000 >&2; exit 1", strings.Repeat("complaint\n", 19_999)},
		"another holds it":    {"sleep 60 >/dev/null &\necho $! >pid; echo late >&2; exit 1", "exit status 1: late"},
		"its end is no fault": {"echo fine >&2; echo out", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			program := filepath.Join(dir, "program")
			if err := os.WriteFile(program, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { endSleeper(t) })
			out, err := run(t.Context(), program)
			if c.want == "" {
				if err != nil || out != "out\n" {
					t.Errorf("%q, %v", out, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.200v, without %.200q", err, c.want)
			}
		})
	}
}

// endSleeper ends what a program left.
func endSleeper(t *testing.T) {
	t.Helper()
	if pid, err := os.ReadFile("pid"); err == nil {
		if out, err := run(t.Context(), "kill", strings.TrimSpace(string(pid))); err != nil {
			t.Log(out, err)
		}
	}
}
