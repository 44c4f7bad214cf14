//go:build unix

package spool

import "syscall"

// shareOfFiles is the part of the process' descriptors that the files of buffers may
// use. The others are for connections, engines and children.
const shareOfFiles = 8

// mostFiles returns how many files buffers may have at once.
func mostFiles() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int64(min(limit.Cur/shareOfFiles, 1<<10))
}
