package worker

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// made finds a system call that the code of this package makes itself.
var made = regexp.MustCompile(`(?:Syscall6?|onAllThreads)\((?:unix|syscall)\.SYS_([A-Z0-9_]+)`)

// TestUnitAllows: the unit for systemd allows by name what children need to give up rights. systemd's own
// sets of calls have neither Landlock nor seccomp in every version that is in use: a child could not confine
// itself, and mail would be examined without.
func TestUnitAllows(t *testing.T) {
	usual := map[string]bool{"prctl": true, "execve": true} // in @system-service, always
	unit, err := os.ReadFile("../../../contrib/systemd/milterscan.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(unit)) {
		if calls, ok := strings.CutPrefix(line, "SystemCallFilter="); ok && !strings.HasPrefix(calls, "~") {
			for _, call := range strings.Fields(calls) {
				usual[call] = true
			}
		}
	}
	files, err := filepath.Glob("*_linux.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"prlimit64": true} // unix.Prlimit
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllStringSubmatch(string(source), -1) {
			seen[strings.ToLower(m[1])] = true
		}
	}
	for call := range seen {
		if !usual[call] {
			t.Errorf("contrib/systemd/milterscan.service does not allow %s", call)
		}
	}
	if !seen["seccomp"] || !seen["landlock_restrict_self"] {
		t.Errorf("the calls of this package were not found: %v", seen)
	}
}
