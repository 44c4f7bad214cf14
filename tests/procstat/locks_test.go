package procstat

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestUnlocked closes another descriptor of a file that is locked.
func TestUnlocked(t *testing.T) {
	database := filepath.Join(t.TempDir(), "a.db")
	log, err := os.Create(database + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	f, err := os.Create(database)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	if got := Unlocked(os.Getpid()); len(got) != 0 {
		t.Errorf("%q is locked", got)
	}
	other, err := os.Open(database)
	if err != nil {
		t.Fatal(err)
	}
	other.Close()
	if got := Unlocked(os.Getpid()); !slices.Equal(got, []string{database}) {
		t.Errorf("unlocked are %q", got)
	}
}
