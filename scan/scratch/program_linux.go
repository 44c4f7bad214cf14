package scratch

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Started gives back the pages of the program's file that only its start has used. What is
// needed of them again comes from the file, which the system keeps in memory while there is room.
func Started() {
	for _, r := range untouched() {
		// It is advice. Where the system does not take it, the pages stay.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, r.from, r.to-r.from, unix.MADV_DONTNEED)
	}
}

// region is a range of addresses.
type region struct{ from, to uintptr }

// untouched returns the regions that show files as they are: none that can be written, and none of
// which a page was changed, as the loader does before it makes a region read-only.
func untouched() (list []region) {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var r region
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) > 4 && strings.Contains(words[0], "-"):
			if r = fileRegion(words); r.to == 0 {
				continue
			}
		case r.to > 0 && len(words) > 1 && words[0] == "Anonymous:":
			if words[1] == "0" {
				list = append(list, r)
			}
			r = region{}
		}
	}
	return list
}

// fileRegion reads the first line about a region, and returns an empty one unless it shows a
// file that is not written.
func fileRegion(words []string) (r region) {
	if strings.Contains(words[1], "w") || words[4] == "0" { // no file has that number
		return region{}
	}
	if _, err := fmt.Sscanf(words[0], "%x-%x", &r.from, &r.to); err != nil {
		return region{}
	}
	return r
}
