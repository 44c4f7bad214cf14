//go:build unix

package show

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminalSize returns the size of a terminal; ok is false for anything else.
func terminalSize(f *os.File) (columns, rows int, ok bool) {
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, false
	}
	return int(w.Col), int(w.Row), w.Row > 0
}
