package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// filtered runs filter on a mail with a configuration, and returns the status
// and what was written. out is standard output, nil for a buffer.
func filtered(t *testing.T, config, mail string, out io.Writer, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "milterscan.toml")
	dir := t.TempDir()
	for section, key := range map[string]string{"history": "file", "quarantine": "dir"} {
		if !strings.Contains(config, "["+section+"]") {
			config += fmt.Sprintf("\n[%s]\n%s = %q\n", section, key, filepath.Join(dir, section))
		}
	}
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	if out == nil {
		out = &o
	}
	status = run(t.Context(), append([]string{"filter", "-c", path}, args...), strings.NewReader(mail), out, &e)
	return status, o.String(), e.String()
}

// ownRules answers by the sender. Its socket is nobody's, so that no daemon of
// this machine is asked.
const ownRules = `
[milter]
listen = ["unix:/nowhere/milter.sock"]

[[rule]]
name = "no"
from = ["no@example.org"]
action = "reject"

[[rule]]
name = "hole"
from = ["hole@example.org"]
action = "discard"

[[rule]]
name = "copy"
from = ["copy@example.org"]
copy = ["archive@example.com"]

[[rule]]
name = "mark"
from = ["mark@example.org"]
headers = { X-Mark = "yes" }
`

const letter = "From: a@example.org\nSubject: hello\n\nworld\n"

// The status and what is written, for each answer; with a program behind it, the
// program's status, if it is called at all.
func TestFilterStatus(t *testing.T) {
	got := filepath.Join(t.TempDir(), "got")
	save := []string{"--", "/bin/sh", "-c", "cat >" + got + "; exit 42"}
	for _, c := range []struct {
		name           string
		args           []string
		status         int
		stdout, called string
	}{
		{"deliver", nil, 0, letter, ""},
		{"mark", []string{"--from", "mark@example.org"}, 0, "X-Mark: yes\n" + letter, ""},
		{"reject", []string{"--from", "no@example.org"}, 69, "", ""},
		{"discard", []string{"--from", "hole@example.org"}, 99, "", ""},
		{"recipients", []string{"--from", "copy@example.org"}, 75, "", ""},
		{"deliver to a program", save, 42, "", letter},
		{"mark for a program", append([]string{"--from", "mark@example.org"}, save...), 42, "", "X-Mark: yes\n" + letter},
		{"reject before a program", append([]string{"--from", "no@example.org"}, save...), 69, "", ""},
		{"discard before a program", append([]string{"--from", "hole@example.org"}, save...), 99, "", ""},
		{"a program that is not there", []string{"--", "/nowhere/mda"}, 75, "", ""},
		{"a program that dies", []string{"--", "/bin/sh", "-c", "kill -9 $$"}, 75, "", ""},
		{"a program that does not read", []string{"--", "/bin/true"}, 0, "", ""},
		{"a program by its name", []string{"--", "mda"}, 64, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			os.Remove(got)
			status, stdout, stderr := filtered(t, ownRules, letter, nil, c.args...)
			if status != c.status || stdout != c.stdout {
				t.Errorf("status %d, wrote %q and %q; want %d and %q", status, stdout, stderr, c.status, c.stdout)
			}
			if called, _ := os.ReadFile(got); string(called) != c.called {
				t.Errorf("the program got %q, want %q", called, c.called)
			}
			if (status != 0 && status != 99 && status != 42) != (stderr != "") {
				t.Errorf("status %d and told %q", status, stderr)
			}
		})
	}
}

// An output that takes nothing is a temporary failure.
func TestFilterOutputGone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	for name, open := range map[string]func() (*os.File, error){
		"closed pipe":   func() (*os.File, error) { return w, nil },
		"full disk":     func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) },
		"read only":     func() (*os.File, error) { return os.Open(os.DevNull) },
		"closed before": func() (*os.File, error) { return os.OpenFile(os.DevNull, os.O_RDWR, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			out, err := open()
			if err != nil {
				t.Skip(err)
			}
			if status, _, stderr := filtered(t, ownRules, letter, out); status != cli.ExitTempfail || stderr == "" {
				t.Errorf("status %d, told %q", status, stderr)
			}
		})
	}
}

// No room to keep the mail in while it is looked at.
func TestFilterDiskFull(t *testing.T) {
	full := ownRules + "[spool]\nmemory = \"1MB\"\ndisk = \"1MB\"\n[limits]\nmessage = \"1MB\"\n"
	mail := "Subject: large\n\n" + strings.Repeat("a line\n", 1<<19)
	if status, stdout, _ := filtered(t, full, mail, nil); status != cli.ExitTempfail || stdout != "" {
		t.Errorf("status %d, %d bytes written", status, len(stdout))
	}
}
