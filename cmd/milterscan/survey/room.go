package survey

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/scan/units"
)

// room sees how much memory and disk is free.
func (p Places) room() Room {
	spool := p.Spool
	if spool == "" {
		spool = os.TempDir()
	}
	return Room{Memory: memory(), State: free(p.State), Spool: free(spool)}
}

// free returns the room below a directory, which need not exist yet.
func free(dir string) units.Size {
	for {
		left, _, err := disk.Room(dir)
		if err == nil {
			return units.Size(left)
		}
		if dir == filepath.Dir(dir) {
			return 0
		}
		dir = filepath.Dir(dir)
	}
}

// memory returns the memory that the kernel calls available; 0 if it does not say.
func memory() units.Size {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemAvailable:" {
			size, _ := clamdSize(f[1] + "K")
			return size
		}
	}
	return 0
}
