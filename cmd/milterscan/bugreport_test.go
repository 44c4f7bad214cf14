package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
)

// TestBugReport has all that is needed, and neither passwords nor the persons of addresses.
func TestBugReport(t *testing.T) {
	dir := t.TempDir()
	file := writeConfig(t, dir)
	log := filepath.Join(dir, "log")
	put(t, log, `{"level":"info","msg":"message","sender":"ann@example.com"}
{"level":"warn","msg":"history: disk full","to":"bob@example.com"}
{"level":"error","msg":"engine clam: no answer","ip":"bob@example.com \u001b[2J"}
`)
	put(t, file, readText(t, file)+"[log]\noutput = \""+log+"\"\n[[rule]]\nname = \"to ann\"\nto = [\"ann@example.com\", \"bob@example.com\"]\naction = \"deliver\"\n")
	status, out, _ := call(t, "bugreport", "-c", file)
	for _, want := range []string{"milterscan " + release, "== Doctor", "== Configuration", `"to ann"`, "history: disk full", "engine clam: no answer", "person1@example.com"} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	for _, secret := range []string{"ann@", "bob@", `"msg":"message"`, "\x1b"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q is in\n%s", secret, out)
		}
	}
	if status != cli.ExitOK {
		t.Error(status)
	}
	if _, out, _ := call(t, "bugreport", "-c", file, "--addresses"); !strings.Contains(out, "bob@example.com") {
		t.Error(out)
	}
	put(t, file, "[limits]\nbogus = 1\n")
	if status, out, _ := call(t, "bugreport", "-c", file); status != cli.ExitOK || !strings.Contains(out, "limits.bogus") {
		t.Errorf("%d %s", status, out)
	}
	m := mask{known: map[string]int{}}
	for text, want := range map[string]string{
		"url = \"postgres://reader:hunter2@db.example.com/people\"": "url = \"postgres://reader:***@db.example.com/people\"",
		"password = \"hunter2\"":                                    "password = \"***\"",
		"password_file = \"/etc/x\"":                                "password_file = \"/etc/x\"",
	} {
		if got := m.text(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}
