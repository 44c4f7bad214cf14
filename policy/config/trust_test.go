package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// house has a file of every kind that decides about mail.
var house = map[string]string{
	"milterscan.toml": `
[attachment]
deny_files = ["DIR/lists/denied"]
[[content.list]]
name = "words"
files = ["DIR/lists/words"]
[bounce]
keys = "DIR/lists/keys"
[per_domain]
dir = "domains.d"
keys = ["from", "when", "action"]
actions = ["deliver", "reject"]
findings = ["attachment/*"]
[[rule]]
from = ["file:DIR/lists/senders"]
action = "reject"
[[virus]]
type = "command"
name = "own"
command = ["DIR/bin/scanner"]
infected = [1]
clean = [0]
`,
	"policy.d/own.toml":          "[[rule]]\nname = \"own\"\naction = \"deliver\"\nfrom = [\"a@example.net\"]\n",
	"domains.d/example.com.toml": "[[rule]]\nname = \"theirs\"\nwhen = [\"attachment/*\"]\naction = \"deliver\"\n",
	"lists/denied":               "*.xyz\n",
	"lists/words":                "confidential\n",
	"lists/senders":              "b@example.net\n",
	"lists/keys":                 "a " + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
	"bin/scanner":                "#!/bin/sh\n",
}

// housed writes the house and returns its directory.
func housed(t *testing.T) string {
	t.Helper()
	dir := filepath.Dir(write(t, house))
	text := strings.ReplaceAll(house["milterscan.toml"], "DIR", dir)
	if err := os.WriteFile(filepath.Join(dir, "milterscan.toml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// everything are the files of the house, and their directories.
func everything() []string {
	list := []string{"", "policy.d", "domains.d", "lists", "bin"}
	for name := range house {
		list = append(list, name)
	}
	return list
}

// TestWhatAllMayWriteIsRefused lets all users write each file and directory in turn.
func TestWhatAllMayWriteIsRefused(t *testing.T) {
	dir := housed(t)
	file := filepath.Join(dir, "milterscan.toml")
	if _, err := Load(file); err != nil {
		t.Fatal(err)
	}
	for _, name := range everything() {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		for mode, refused := range map[fs.FileMode]bool{info.Mode() | 0o002: true, info.Mode() | 0o020: false} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			c, err := Load(file)
			if err == nil && strings.HasPrefix(name, "domains.d/") { // which takes out that file alone
				err = c.SetAside()
			}
			if got := err != nil && strings.Contains(err.Error(), path+" can be written by every user"); got != refused || !got && err != nil {
				t.Errorf("%s with mode %v: %v", name, mode, err)
			}
		}
		if err := os.Chmod(path, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err != nil {
		t.Errorf("a directory in which nobody replaces the files of others: %v", err)
	}
}

// TestStrangersFilesAreNamed gives each file and directory to a stranger in turn.
func TestStrangersFilesAreNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := housed(t)
	for _, name := range everything() {
		path := filepath.Join(dir, name)
		if err := os.Chown(path, 64321, -1); err != nil {
			t.Fatal(err)
		}
		c, err := Load(filepath.Join(dir, "milterscan.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if list := c.Cautions(); len(list) != 1 || !strings.HasPrefix(list[0], path+" belongs to user 64321") {
			t.Errorf("%s: %q", name, list)
		}
		if err := os.Chown(path, 0, -1); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "milterscan.toml"))
	if err != nil || len(c.Cautions()) != 0 {
		t.Errorf("all root's: %q, %v", c.Cautions(), err)
	}
}
