package spool

import (
	"os"

	"golang.org/x/sys/unix"
)

// punch gives the space of a stretch of a file back to its file system and reports
// whether that can do it.
func punch(f *os.File, at, size int64) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	var punched error
	err = raw.Control(func(fd uintptr) {
		punched = unix.Fallocate(int(fd), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, size)
	})
	return err == nil && punched == nil
}

// forget gives memory from the system back, whose bytes are not needed any more. It is advice: where
// the system does not take it, the memory stays.
func forget(b []byte) { _ = unix.Madvise(b, unix.MADV_DONTNEED) }
