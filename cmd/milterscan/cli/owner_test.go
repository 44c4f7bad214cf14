package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAsOwner becomes the owner of a directory, and root again.
func TestAsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	const stranger = 64321
	dir := t.TempDir()
	his := filepath.Join(dir, "his")
	secret := filepath.Join(dir, "secret")
	err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Mkdir(his, 0o755), os.Chown(his, stranger, stranger), os.WriteFile(secret, nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, paths := range [][]string{{his}, {"", his}, {dir, filepath.Join(his, "not", "there")}} {
		back, err := AsOwner(paths...)
		if err != nil {
			t.Fatal(err)
		}
		uid, gid := os.Getuid(), os.Getegid()
		_, read := os.ReadFile(secret)
		made := os.WriteFile(filepath.Join(his, "f"), nil, 0o600)
		back()
		if uid != stranger || gid != stranger || !errors.Is(read, fs.ErrPermission) || made != nil {
			t.Errorf("%q: user %d, group %d, read %v, made %v", paths, uid, gid, read, made)
		}
		if _, err := os.ReadFile(secret); os.Getuid() != 0 || os.Getegid() != 0 || err != nil {
			t.Errorf("%q: user %d afterwards, %v", paths, os.Getuid(), err)
		}
	}
	back, err := AsOwner(dir, "")
	if err != nil || os.Geteuid() != 0 {
		t.Errorf("a directory of root's: user %d, %v", os.Geteuid(), err)
	}
	back()
}

func TestDenied(t *testing.T) {
	if err := Denied(fs.ErrNotExist, "/"); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "run as") {
		t.Error(err)
	}
	if err := Denied(&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission}, "/"); !strings.Contains(err.Error(), "run as root or milterscan") {
		t.Error(err)
	}
}
