package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestWritable leaves nothing in a directory, and asks the one above if there is none.
func TestWritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		dir: nil, filepath.Join(dir, "a", "b"): nil, file: syscall.ENOTDIR, filepath.Join(file, "c"): syscall.ENOTDIR,
		"/proc": syscall.ENOENT, "/proc/none": syscall.ENOENT, "/dev/full/x": syscall.ENOTDIR,
	} {
		err := Writable(path)
		if (err == nil) != (want == nil) {
			t.Errorf("%s: %v", path, err)
		}
		if want == syscall.ENOTDIR && !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if err := Writable("/proc"); err == nil || !strings.Contains(err.Error(), "/proc") {
		t.Errorf("%v", err)
	}
}
