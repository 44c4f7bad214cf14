package procstat

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// walSuffix ends the name of a write-ahead log of SQLite, deleted that of a file that has no
// name any more.
const (
	walSuffix = "-wal"
	deleted   = " (deleted)"
)

// Unlocked returns the databases of SQLite that a process has open with a write-ahead log,
// and has no lock on: another process takes them for unused, and takes the log away.
// SQLite has a lock on each as long as it is open, but POSIX takes all locks on a file from a
// process that closes any descriptor of it (fcntl(2)).
func Unlocked(pid int) []string {
	var open, locked []string
	descriptors, _ := filepath.Glob(path(pid, "fd/*"))
	for _, d := range descriptors {
		file, err := os.Readlink(d)
		if err != nil {
			continue
		}
		file = strings.TrimSuffix(file, deleted)
		if database, ok := strings.CutSuffix(file, walSuffix); ok {
			open = append(open, database)
		}
		info, _ := os.ReadFile(path(pid, "fdinfo/"+filepath.Base(d)))
		if strings.Contains(string(info), "\nlock:") {
			locked = append(locked, file)
		}
	}
	slices.Sort(open)
	return slices.DeleteFunc(slices.Compact(open), func(file string) bool { return slices.Contains(locked, file) })
}
