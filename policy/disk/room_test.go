package disk

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestRoom(t *testing.T) {
	dir := t.TempDir()
	free, size, err := Room(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil || free <= 0 || size < free {
		t.Errorf("%d of %d, %v", free, size, err)
	}
	if _, _, err := Room(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
