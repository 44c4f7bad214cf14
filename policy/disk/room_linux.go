package disk

import "golang.org/x/sys/unix"

// Room returns how many bytes a user other than root may still write to the file system
// of a path, and how many it has in all.
func Room(path string) (free, size int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize, nil
}
