package disk

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// stranger is a user who is not root and owns no file of this machine.
const stranger = 64321

// asRoot skips a test that gives files away.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// given makes what is at a path the stranger's, without following links.
func given(t *testing.T, path string) {
	t.Helper()
	if err := os.Lchown(path, stranger, stranger); err != nil {
		t.Fatal(err)
	}
}

func TestOwner(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"ours/below", "his/below", "target"} {
		must(os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	given(t, filepath.Join(dir, "his"))
	must(os.Symlink("target", filepath.Join(dir, "link")))
	must(os.Symlink("his", filepath.Join(dir, "tohis")))
	must(os.Symlink(filepath.Join(dir, "tohis"), filepath.Join(dir, "twice")))
	must(os.Symlink("/etc", filepath.Join(dir, "his", "out")))
	must(os.Symlink("target", filepath.Join(dir, "hislink")))
	given(t, filepath.Join(dir, "hislink"))
	must(os.Symlink("loop", filepath.Join(dir, "loop")))
	for path, want := range map[string]int{
		"ours": 0, "ours/below": 0, "ours/not there": 0, "not there": 0, "link": 0, "link/x": 0,
		"his": stranger, "his/below": stranger, "his/not there/x": stranger, "his/out/passwd": stranger,
		"tohis": stranger, "twice/below": stranger, "hislink": stranger, "ours/../his": stranger,
	} {
		if uid, _, err := Owner(filepath.Join(dir, path)); err != nil || uid != want {
			t.Errorf("%s: %d, %v; want %d", path, uid, err, want)
		}
	}
	if _, _, err := Owner(filepath.Join(dir, "loop", "x")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
}

// TestNothingLeadsOut puts what leads to a file of root into a directory of somebody
// else, under every name that is written there.
func TestNothingLeadsOut(t *testing.T) {
	asRoot(t)
	traps := map[string]func(victim, name string) error{
		"link": os.Symlink, "hard link": os.Link,
		"relative link": func(victim, name string) error {
			to, err := filepath.Rel(filepath.Dir(name), victim)
			if err != nil {
				return err
			}
			return os.Symlink(to, name)
		},
		"dangling link": func(victim, name string) error { return os.Symlink(victim+".new", name) },
		"pipe":          func(_, name string) error { return syscall.Mkfifo(name, 0o600) },
	}
	writers := map[string]func(dir string, root *os.Root) error{
		"append": func(_ string, root *os.Root) error { return Append(root, "f", []byte("line\n")) },
		"write":  func(_ string, root *os.Root) error { return Write(root, "f", text("text")) },
		"begin": func(dir string, _ *os.Root) error {
			return Begin(dir, "f", func(path string) error { return os.WriteFile(path, nil, 0o600) })
		},
		"lock": func(dir string, _ *os.Root) error {
			unlock, err := Lock(filepath.Join(dir, "f"))
			if err == nil {
				unlock()
			}
			return err
		},
		"directory": func(_ string, root *os.Root) error { return MakeSub(root, "f") },
	}
	for trap, set := range traps {
		for writer, write := range writers {
			top := t.TempDir()
			dir, victim := filepath.Join(top, "his"), filepath.Join(top, "victim")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(victim, []byte("root's"), 0o600)); err != nil {
				t.Fatal(err)
			}
			given(t, dir)
			if err := set(victim, filepath.Join(dir, "f")); err != nil {
				t.Fatal(err)
			}
			err := write(dir, opened(t, dir))
			if writer != "write" && writer != "directory" && err == nil { // which take the name over, and leave what is there
				t.Errorf("%s at %s: no error", writer, trap)
			}
			info, statErr := os.Stat(victim)
			held, readErr := os.ReadFile(victim)
			if statErr != nil || readErr != nil || string(held) != "root's" || info.Sys().(*syscall.Stat_t).Uid != 0 {
				t.Errorf("%s at %s: the victim holds %q, %v", writer, trap, held, errors.Join(statErr, readErr))
			}
			if _, err := os.Lstat(victim + ".new"); err == nil {
				t.Errorf("%s at %s: a file was made outside", writer, trap)
			}
		}
	}
}
