package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/milterscan/milterscan/cmd/milterscan/cli"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/sample"
)

// stranger is a user who is not root and owns no file of this machine.
const stranger = 64321

// strangersHouse has a mail judged and kept, and gives everything below the returned
// directory to the stranger. The configuration is root's.
func strangersHouse(t *testing.T) (dir, config, id string) {
	t.Helper()
	top, mta := t.TempDir(), &fakes.SMTP{}
	dir = filepath.Join(top, "his")
	config = filepath.Join(top, "milterscan.toml")
	text := strings.NewReplacer("DIR", dir, "MTA", mta.Start(t)).Replace(`
[milter]
listen = ["unix:DIR/nobody.sock"]
[spool]
dir = "DIR"
[quarantine]
dir = "DIR/quarantine"
[history]
file = "DIR/history.db"
[notices]
dir = "DIR/notices"
[submission]
via = "smtp:MTA"
[[rule]]
when = ["forbidden"]
action = "quarantine"
notify = ["admin@example.com"]
`)
	err := errors.Join(os.Chmod(filepath.Dir(top), 0o755), os.Chmod(top, 0o755), os.Mkdir(dir, 0o755), os.WriteFile(config, []byte(text), 0o644))
	if err == nil {
		err = os.Lchown(dir, stranger, stranger)
	}
	if err != nil {
		t.Fatal(err)
	}
	mail := bytes.NewReader(sample.Attached("x", sample.Program("setup.exe")))
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"filter", "-c", config, "--from", "a@example.net", "--to", "b@example.com"}, mail, &out, &errs); status != cli.ExitNothingLeft {
		t.Fatalf("filter: status %d, %s", status, &errs)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "quarantine", "*", "*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %q, %v", kept, err)
	}
	return dir, config, strings.TrimSuffix(filepath.Base(kept[0]), ".json")
}

// TestRootLeavesNothingOfItsOwn looks at whose the files are that root's commands make.
func TestRootLeavesNothingOfItsOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir, config, id := strangersHouse(t)
	for _, words := range []string{"quarantine list", "quarantine release " + id, "quarantine reindex", "history", "explain " + id, "report", "quarantine expire"} {
		if status, _, errs := call(t, append(strings.Fields(words), "-c", config)...); status != cli.ExitOK {
			t.Errorf("%s: status %d, %s", words, status, errs)
		}
	}
	for _, path := range namesBelow(t, dir) {
		if info, err := os.Lstat(path); err != nil || info.Sys().(*syscall.Stat_t).Uid != stranger {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 || gid != 0 {
		t.Errorf("now user %d, group %d", uid, gid)
	}
}

// TestRootFollowsNoLink has every command that root may call on a directory of the
// daemon's user meet a link to a file of root under every name there is.
func TestRootFollowsNoLink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir, config, id := strangersHouse(t)
	victim := filepath.Join(filepath.Dir(dir), "victim")
	shard := filepath.Join("quarantine", id[:4])
	names := []string{"quarantine", shard, "notices", "history.db-wal", "history.db-shm", "history.db-journal", "history.db"}
	for _, name := range []string{"audit.log", "lock", "key", "key.lock", "index.db", "index.db-wal", "index.db-shm", "index.db-journal"} {
		names = append(names, filepath.Join("quarantine", name))
	}
	for _, end := range []string{".json", ".eml.gz", ".eml.gz.part"} {
		names = append(names, filepath.Join(shard, id+end))
	}
	commands := []string{"quarantine list", "quarantine show " + id, "quarantine release --again " + id, "quarantine forward --to c@example.com " + id,
		"quarantine reindex", "quarantine expire", "quarantine delete " + id, "history", "explain " + id, "report", "filter --to b@example.com"}
	for _, name := range names {
		path := filepath.Join(dir, name)
		aside := filepath.Join(filepath.Dir(dir), "aside")
		hadOne := os.Rename(path, aside) == nil
		for _, there := range []bool{true, false} {
			for _, words := range commands {
				os.Remove(path)
				os.RemoveAll(victim)
				if there {
					if err := os.WriteFile(victim, nil, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := errors.Join(os.Symlink(victim, path), os.Lchown(path, stranger, stranger)); err != nil {
					t.Fatal(err)
				}
				mail := bytes.NewReader(sample.Attached("x", sample.Program("setup.exe")))
				var out bytes.Buffer
				run(t.Context(), append(strings.Fields(words), "-c", config), mail, &out, &out)
				info, err := os.Stat(victim)
				if made := err == nil; made != there || made && (info.Size() != 0 || info.Sys().(*syscall.Stat_t).Uid != 0) {
					t.Errorf("%s as a link, %s: %v, %v; %s", name, words, info, err, &out)
				}
			}
		}
		os.RemoveAll(path)
		if hadOne {
			if err := os.Rename(aside, path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// asStranger goes on as a user who may read the configuration in a directory, and nothing
// that is kept there.
func asStranger(t *testing.T, dir string) (back func()) {
	t.Helper()
	err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "milterscan.toml"), 0o644))
	if err == nil {
		err = syscall.Setresuid(-1, stranger, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { syscall.Setresuid(-1, 0, -1) }
}
