package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// someday is a table of renamings as there may be one.
var someday = []renaming{
	{2, "spool.dir", "spool.directory", "all directories are called so"},
	{2, "rule.when", "rule.found", "it says what was found"},
	{2, "limits.cpu", "", "it is measured now"},
	{2, "profile", "preset", "it is one"},
	{2, "content.words", "", "they are lists now"},
}

const before = `# my file
profile = "strict" # as it should be
version = 1

[spool]
dir = "/var/spool/x"   # on a disk of its own
[limits]
cpu = "1s"
[[rule]]
name = "when in doubt"
when = [
  "infected",
]

[content]
words = [
  "a",
]
`

const after = `# my file
preset = "strict" # as it should be
version = 1

[spool]
directory = "/var/spool/x"   # on a disk of its own
[limits]
# cpu = "1s"
[[rule]]
name = "when in doubt"
found = [
  "infected",
]

[content]
# words = [
#   "a",
# ]
`

func TestMigrate(t *testing.T) {
	got, changes := migrate(before, someday)
	if got != after || len(changes) != 5 || !strings.HasPrefix(changes[1], "line 6: spool.dir is called directory") {
		t.Errorf("%s%q", got, changes)
	}
	if again, changes := migrate(after, someday); again != after || len(changes) != 0 {
		t.Errorf("a new file is changed: %s%q", again, changes)
	}
	if got, changes := migrate("# nothing\n[log]\n", nil); got != "version = 1\n# nothing\n[log]\n" || len(changes) != 1 {
		t.Errorf("%s%q", got, changes)
	}
}

// A key that was renamed is explained, not guessed at.
func TestRenamedKeysAreExplained(t *testing.T) {
	file := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(file, []byte("[spool]\nfolder = \"/x\"\n[log]\nold = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &binder{origins: origins{}, renamings: []renaming{{2, "spool.folder", "spool.dir", "why"}, {2, "log.old", "", "because"}}}
	table, _ := b.read(file)
	b.bindTable("", table, reflect.ValueOf(Default()).Elem())
	err := b.problems.err()
	for _, want := range []string{":2: spool.folder: there is no such key any more: it is called spool.dir since version 2: why", ":4: log.old: there is no such key any more: it is gone since version 2: because"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q", err, want)
		}
	}
}

func TestMigrateFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "milterscan.toml")
	if err := os.WriteFile(file, []byte("profile = \"strict\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, changes, err := Migrate(file); err != nil || text != "version = 1\nprofile = \"strict\"\n" || len(changes) != 1 {
		t.Errorf("%q %q %v", text, changes, err)
	}
	if _, _, err := Migrate(file + ".missing"); err == nil {
		t.Error("a file that is not there was migrated")
	}
}
