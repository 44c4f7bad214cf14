package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// write makes a configuration of the files and returns the main one's path.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "milterscan.toml")
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	c, err := Load(write(t, map[string]string{"milterscan.toml": ""}))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("an empty file gives %+v, want %+v", c, Default())
	}
	if _, err := c.Policy(); err != nil {
		t.Error(err)
	}
}

func TestProblemsAreAllToldAtOnce(t *testing.T) {
	path := write(t, map[string]string{"milterscan.toml": `version = 2
profle = "hosting"

[milter]
listen = ["tcp:nowhere"]
progress = 5

[limits]
time = "6m"   # longer than the MTA waits
mesage = "25MB"
archive.depth = "deep"

[[rule]]
name = "one"
from = ["example.com",
  "@fine.example"]
action = "regect"
reply = "sorry"

[[rule]]
name = "one"
when = ["infectd"]
action = "deliver"
else = { actoin = "reject" }
`})
	_, err := Load(path)
	if err == nil {
		t.Fatal("nothing is said about any of it")
	}
	want := []string{
		`:1: version: 2 is no version`,
		`:2: profle: there is no such key; did you mean "profile"?`,
		`:5: milter.listen[0]: "tcp:nowhere" has no host and port`,
		`:6: milter.progress: the number 5 where text is needed; put it in quotes, such as "5s"`,
		`:9: limits.time: 6m is too long`,
		`:10: limits.mesage: there is no such key; did you mean "message"?`,
		`:11: limits.archive.depth: the text "deep" where a whole number is needed`,
		`:15: rule[0].from[0]: "example.com" is no address pattern`,
		`:17: rule[0].action: there is no action "regect"; did you mean "reject"?`,
		`:18: rule[0].reply: "sorry" is no reply`,
		`:20: rule.name: "one" is the name of the rule at`,
		`:20: rule[1]: else is for edits`,
		`:22: rule[1].when[0]: "infectd" is no condition`,
		`:24: rule[1].else.actoin: there is no such key; did you mean "action"?`,
	}
	lines := strings.Split(err.Error(), "\n")
	for i, w := range want {
		if i >= len(lines) || !strings.HasPrefix(strings.TrimPrefix(lines[i], path), w) {
			t.Fatalf("problem %d should be\n%s\nin\n%s", i, w, err)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%d problems, want %d:\n%v", len(lines), len(want), err)
	}
}
