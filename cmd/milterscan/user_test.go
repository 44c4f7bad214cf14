package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// people is a configuration with accounts in a directory of its own.
func people(t *testing.T) (config, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "console.db")
	config = filepath.Join(dir, "milterscan.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "[console]\nfile = %q\n", file), 0o600); err != nil {
		t.Fatal(err)
	}
	return config, file
}

// typed runs a command with a standard input.
func typed(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(stdin), &out, &err)
	return status, out.String(), err.String()
}

func TestUser(t *testing.T) {
	config, file := people(t)
	const good = "correct horse battery\n"
	for _, c := range []struct {
		line, stdin string
		status      int
		says        string // in either output
	}{
		{"user", "", 64, "usage"},
		{"user fly", "", 64, "not a command"},
		{"user list", "", 0, ""},
		{"user add ann", good, 64, "--role"},
		{"user add --role boss ann", good, 64, "administrator, helpdesk"},
		{"user add --role administrator", good, 64, "one name"},
		{"user add --role administrator ann bob", good, 64, "one name"},
		{"user add --role domain dora", good, 64, "domain"},
		{"user add --role auditor --domains example.com dora", good, 64, "domain"},
		{"user add --role domain --domains *,example.com dora", good, 64, "is no domain"},
		{"user add --role helpdesk --classes spam bob", good, 64, "spam"},
		{"user add --role administrator --generate --no-password ann", good, 64, "exclude"},
		{"user add --role administrator --password x ann", good, 64, "no option"},
		{"user add --role administrator ann", "", 2, "no password on standard input"},
		{"user add --role administrator ann", "short\n", 2, "at least 12"},
		{"user add --role administrator ann", strings.Repeat("x1y2z", 3000) + "\n", 2, "at most"},
		{"user add --role administrator a/b", good, 2, "is no name"},
		{"user add --role administrator ann", good, 0, ""},
		{"user add --role administrator ANN", good, 1, "an account of that name"},
		{"user add --role helpdesk --classes note,suspicious --language de bob", good, 0, ""},
		{"user add --role domain --domains example.com,.Example.com --require-totp dora", strings.TrimSpace(good), 0, ""},
		{"user add --role auditor --no-password cert", "", 0, ""},
		{"user list", "", 0, "of example.com .example.com, second factor to be set up"},
		{"user list", "", 0, "by certificate only"},
		{"user passwd ann", "another horse battery\n", 0, ""},
		{"user passwd nobody", good, 1, "no such account"},
		{"user passwd --forget-totp ann", "", 0, ""},
		{"user disable bob nobody", "", 1, "nobody: there is no such account"},
		{"user disable", "", 64, "no name"},
		{"user list", "", 0, "DISABLED"},
		{"user enable Bob", "", 0, ""},
		{"user remove cert", "", 0, ""},
		{"user remove cert", "", 1, "no such account"},
		{"audit --act fly", "", 0, ""},
		{"audit --limit -1", "", 64, "--limit"},
		{"audit", "", 0, "shell           remove user cert: done"},
		{"audit --object bob --json", "", 0, `"act":"enable user"`},
		{"audit --since tomorrow", "", 64, "no time"},
	} {
		args := append(strings.Fields(c.line), "-c", config)
		if c.line == "user" {
			args = args[:1]
		}
		status, out, errs := typed(t, c.stdin, args...)
		if status != c.status || !strings.Contains(out+errs, c.says) || c.says == "" && out+errs != "" {
			t.Errorf("%s: status %d\n%s%s", c.line, status, out, errs)
		}
		if strings.Contains(out+errs, "horse") {
			t.Errorf("%s tells the password", c.line)
		}
	}
	a := accounts.New(file)
	defer a.Close()
	if _, _, err := a.Verify(t.Context(), "ann", "another horse battery"); err != nil {
		t.Error(err)
	}
	status, out, _ := typed(t, "", "user", "add", "--role", "auditor", "--generate", "gen", "-c", config)
	if _, _, err := a.Verify(t.Context(), "gen", strings.TrimSpace(out)); status != 0 || err != nil || len(out) < 24 {
		t.Errorf("%d %q %v", status, out, err)
	}
	status, again, _ := typed(t, "", "user", "passwd", "--generate", "gen", "-c", config)
	if _, _, err := a.Verify(t.Context(), "gen", strings.TrimSpace(again)); status != 0 || err != nil || again == out {
		t.Errorf("%d %q %v", status, again, err)
	}
	_, out, _ = typed(t, "", "user", "list", "--json", "-c", config)
	for line := range strings.Lines(out) {
		var one struct{ Name, Role string }
		if err := json.Unmarshal([]byte(line), &one); err != nil || one.Name == "" || one.Role == "" || strings.Contains(line, "argon2") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if n := strings.Count(out, "\n"); n != 4 {
		t.Errorf("%d accounts: %s", n, out)
	}
}

// TestAccountsAreTheDaemons: what root makes belongs to the owner of the directory, and root writes nowhere that
// the owner could lead it.
func TestAccountsAreTheDaemons(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("root only")
	}
	const daemon = 65534
	config, file := people(t)
	for _, path := range []string{filepath.Dir(filepath.Dir(file)), filepath.Dir(file), config} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Dir(file), daemon, daemon); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := typed(t, "correct horse battery\n", "user", "add", "--role", "auditor", "ann", "-c", config); status != 0 {
		t.Fatal(status, errs)
	}
	info, err := os.Stat(file)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != daemon || info.Mode().Perm() != 0o600 {
		t.Errorf("%+v, %v", info, err)
	}
	if os.Geteuid() != 0 {
		t.Error("root has not come back")
	}
}
