package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// probe is what Writable writes: a file system that is full takes the name of a file,
// and not its content.
var probe = make([]byte, 4096)

// Writable writes a file into a directory and removes it again, and returns why it could
// not. Where the directory is not there, it asks the one in which it would be made.
func Writable(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		return Writable(filepath.Dir(dir))
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(probe)
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}
