package initial

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/setup"
	"github.com/milterscan/milterscan/cmd/milterscan/survey"
	"github.com/milterscan/milterscan/contrib"
	"github.com/milterscan/milterscan/policy/config"
)

// fresh is a call on a host with a Postfix that takes mail for a table that cannot be listed, and
// with nothing else.
func fresh(t *testing.T) (*Command, *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\ncase \" $* \" in\n*' -d '*) echo 3.7.11;;\n*' -M '*) echo 'smtp inet n - y - - smtpd';;\n*' -Px '*) ;;\n" +
		"*) printf 'queue_directory = /q\\nmail_owner = root\\nmydestination = a.example, mysql:/m\\nmynetworks = 127.0.0.0/8\\nmessage_size_limit = 1000\\n';;\nesac\n"
	postconf := filepath.Join(dir, "postconf")
	if err := os.WriteFile(postconf, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	out := new(bytes.Buffer)
	return &Command{
		File: filepath.Join(dir, "etc", "milterscan.toml"), Listen: "tcp:127.0.0.1:7357", In: strings.NewReader(""), Out: out,
		Places: survey.Places{MTA: "postfix", At: setup.Place{Program: postconf}, State: dir, Spool: dir},
		Check:  func(_ context.Context, file string) error { _, err := config.Load(file); return err },
	}, out
}

// text is the content of a file, "" where there is none.
func text(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}

// TestNobodyToAsk says what would be asked, and does nothing.
func TestNobodyToAsk(t *testing.T) {
	c, out := fresh(t)
	_, err := c.Run(t.Context())
	if !errors.Is(err, ErrUnanswered) || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "Which domains do you take mail for") || text(c.File) != "" {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDialogue asks what cannot be seen, again where the answer is none, and writes what was agreed.
func TestDialogue(t *testing.T) {
	c, out := fresh(t)
	c.Terminal, c.In = true, strings.NewReader("no@domain\nb.example, c.example\n\ny\n")
	r, err := c.Run(t.Context())
	if err != nil || !r.Written || !strings.Contains(text(c.File), `domains = ["b.example", "c.example", "a.example"]`) ||
		!strings.Contains(out.String(), `"no@domain" is no domain`) {
		t.Errorf("%v, %+v\n%s\n%s", err, r, out, text(c.File))
	}
	if info, err := os.Stat(c.File); err != nil || info.Mode().Perm() != newMode {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for input, want := range map[string]string{
		"\n\nn\n":                        "nothing was done",
		"\n":                             "there was no answer",
		strings.Repeat("no@domain\n", 9): "there was no good answer",
	} {
		c, out := fresh(t)
		c.Terminal, c.In = true, strings.NewReader(input)
		if _, err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) || text(c.File) != "" {
			t.Errorf("%q: %v\n%s", input, err, out)
		}
	}
}

// TestReplacing replaces nobody's file without consent, and keeps what it replaces.
func TestReplacing(t *testing.T) {
	for name, c := range map[string]struct {
		old        string
		force      bool
		written    bool
		difference bool
		kept       string
	}{
		"somebody's":       {"# mine\n", false, false, true, ""},
		"forced":           {"# mine\n", true, true, true, "# mine\n"},
		"of the package":   {contrib.DebianConfiguration, false, true, false, ""},
		"of the rpm":       {contrib.PlainConfiguration, false, true, false, ""},
		"of the script":    {strings.Replace(contrib.PlainConfiguration, "/usr/share", "/usr/local/share", 1), false, true, false, ""},
		"a changed one":    {contrib.PlainConfiguration + "\n", false, false, true, ""},
		"an empty one":     {"", false, true, false, ""},
		"with a bad table": {"no toml", false, false, true, ""},
	} {
		call, out := fresh(t)
		call.Yes, call.Force = true, c.force
		if err := errors.Join(os.Mkdir(filepath.Dir(call.File), 0o755), os.WriteFile(call.File, []byte(c.old), 0o640)); err != nil {
			t.Fatal(err)
		}
		r, err := call.Run(t.Context())
		if r.Written != c.written || (err == nil) != c.written || strings.Contains(out.String(), "--- "+call.File) != c.difference || text(call.File+".old-1") != c.kept {
			t.Errorf("%s: %v, %v\n%s", name, r.Written, err, out)
		}
		if !c.written && text(call.File) != c.old {
			t.Errorf("%s: %q", name, text(call.File))
		}
		if info, err := os.Stat(call.File); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestDryRun writes nothing, and says for programs what it would write.
func TestDryRun(t *testing.T) {
	c, _ := fresh(t)
	c.DryRun = true
	r, err := c.Run(t.Context())
	if err != nil || r.Written || !strings.Contains(r.Text, "7357") || len(r.Questions) != 2 || len(r.Next) < 3 || text(c.File) != "" {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := os.Stat(filepath.Dir(c.File)); err == nil {
		t.Error("a directory was made")
	}
}

// TestRulesBeside takes the file back where rules beside it do not go with it.
func TestRulesBeside(t *testing.T) {
	for _, old := range []string{"", "# mine\n"} {
		c, out := fresh(t)
		c.Yes, c.Force = true, true
		rules := filepath.Join(filepath.Dir(c.File), "policy.d")
		if err := errors.Join(os.MkdirAll(rules, 0o755), os.WriteFile(filepath.Join(rules, "x.toml"), []byte("bogus = 1\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if old != "" {
			if err := os.WriteFile(c.File, []byte(old), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "bogus") || text(c.File) != old {
			t.Errorf("%v, %q\n%s", err, text(c.File), out)
		}
	}
}

// TestNoPlace writes over nothing that is no file, and says who may write.
func TestNoPlace(t *testing.T) {
	c, _ := fresh(t)
	c.Yes = true
	if err := os.MkdirAll(c.File, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Error(err)
	}
	if os.Geteuid() == 0 {
		return // who may write everywhere
	}
	c, _ = fresh(t)
	c.Yes = true
	if err := os.Mkdir(filepath.Dir(c.File), 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "permission denied: run as root") {
		t.Error(err)
	}
}

// TestSocketDirectory makes it for the MTA's group, and follows no link.
func TestSocketDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	c := Command{Daemon: "root"}
	for range 2 {
		if err := c.directory(Socket{filepath.Join(dir, "s"), "daemon"}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "s")); err != nil || info.Mode() != os.ModeDir|os.ModeSetgid|0o750 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	link := filepath.Join(dir, "l")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := c.directory(Socket{link, "daemon"}); err == nil {
		t.Error("a link was followed")
	}
	if err := c.directory(Socket{filepath.Join(dir, "x"), "no-such-group"}); err == nil {
		t.Error("a group that is not there")
	}
}
