package spool

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file that never has a name (O_TMPFILE in open(2)): cheaper than
// one that is removed again, and a crash leaves no file at any moment. Not every file
// system can do it.
func unnamed(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	return os.OpenFile(dir, os.O_RDWR|unix.O_TMPFILE, 0o600)
}
