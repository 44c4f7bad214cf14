//go:build unix

package spool

import "syscall"

// mapped asks the system for memory.
func mapped(size int) ([]byte, bool) {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	return b, err == nil
}

// unmap gives it back. There is nothing to be done about a failure.
func unmap(b []byte) { _ = syscall.Munmap(b) }
