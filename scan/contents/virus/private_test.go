package virus

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// What a process that was killed has left is removed; what is in use, just made, or of
// no concern stays.
func TestAbandonedDirectories(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Skip(err)
	}
	inUse, remove, err := privateDir()
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	old := time.Now().Add(-time.Hour)
	own, other := strconv.Itoa(os.Getpid()), strconv.Itoa(gone.Process.Pid)
	for name, c := range map[string]struct {
		dir   string
		old   bool
		stays bool
	}{
		"of a process that is gone":     {dirPrefix + other + "-1", false, false},
		"of another with this number":   {dirPrefix + own + "-1", true, false},
		"just made by this process":     {dirPrefix + own + "-2", false, true},
		"without a number":              {dirPrefix + "123abc", false, false},
		"in use":                        {filepath.Base(inUse), true, true},
		"of another program altogether": {"other-" + other, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(os.TempDir(), c.dir)
			os.MkdirAll(dir, 0o700)
			if err := os.WriteFile(filepath.Join(dir, "1"), []byte("content"), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.old {
				os.Chtimes(dir, old, old)
			}
			removeAbandoned(os.TempDir())
			if _, err := os.Stat(dir); (err == nil) != c.stays {
				t.Errorf("stays: %t, want %t", err == nil, c.stays)
			}
		})
	}
	remove()
	if _, err := os.Stat(inUse); err == nil {
		t.Error("it is not removed after use")
	}
}

// A link of that name leads nowhere.
func TestAbandonedLink(t *testing.T) {
	parent, target := t.TempDir(), t.TempDir()
	os.Symlink(target, filepath.Join(parent, dirPrefix+"1-1"))
	removeAbandoned(parent)
	if _, err := os.Stat(target); err != nil {
		t.Error(err)
	}
}
