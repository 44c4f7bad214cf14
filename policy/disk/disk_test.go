package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func opened(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func TestWriteReplacesInOneStep(t *testing.T) {
	dir := t.TempDir()
	root := opened(t, dir)
	for _, want := range []string{"first", "second"} {
		if err := Write(root, "f", text(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(got) != want {
			t.Errorf("holds %q, %v", got, err)
		}
	}
	if err := errors.Join(Sync(root), SyncDir(dir)); err != nil {
		t.Error(err)
	}
}

func TestAFailedWriteLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	if err := Write(opened(t, dir), "f", text("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := Write(opened(t, dir), "f", func(w io.Writer) error { io.WriteString(w, "ne"); return full })
	if !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "f")); string(got) != "old" {
		t.Errorf("holds %q", got)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBeginLeavesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	full := errors.New("no space left on device")
	for i, step := range []struct{ fill, want error }{{full, full}, {nil, nil}, {nil, os.ErrExist}} {
		err := Begin(dir, "f", func(path string) error {
			return errors.Join(os.WriteFile(path, []byte{'0' + byte(i)}, 0o600), step.fill)
		})
		if !errors.Is(err, step.want) {
			t.Errorf("the error is %v, want %v", err, step.want)
		}
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "f")); string(got) != "1" {
		t.Errorf("holds %q", got)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(file); !errors.Is(err, ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	again, err := TryLock(file)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestMakeDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 2 {
		if err := MakeDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestReplace replaces a file, makes one, and goes past what an interrupted call has
// left, a link among it: what that points to stays as it is.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	path := filepath.Join(dir, "main.cf")
	for name, before := range map[string]func() error{
		"no file":     func() error { return nil },
		"a file":      func() error { return os.WriteFile(path, []byte("old, and longer"), 0o600) },
		"half a file": func() error { return os.WriteFile(path+".new", []byte("half, and longer"), 0o600) },
		"a link in the way": func() error {
			return errors.Join(os.WriteFile(other, []byte("other"), 0o600), os.Symlink(other, path+".new"))
		},
	} {
		if err := before(); err != nil {
			t.Fatal(err)
		}
		if err := Replace(path, ".new", []byte("new"), 0o640, os.Getuid(), os.Getgid()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		info, err := os.Lstat(path)
		if text, _ := os.ReadFile(path); err != nil || string(text) != "new" || info.Mode() != 0o640 {
			t.Errorf("%s: %q, %v, %v", name, text, info, err)
		}
		if _, err := os.Lstat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: left behind: %v", name, err)
		}
		os.Remove(path)
	}
	if text, _ := os.ReadFile(other); string(text) != "other" {
		t.Errorf("the other file holds %q", text)
	}
	if err := Replace(filepath.Join(dir, "none", "x"), ".new", nil, 0o600, os.Getuid(), os.Getgid()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}
