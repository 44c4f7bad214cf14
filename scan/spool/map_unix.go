//go:build unix

package spool

import "syscall"

// mapped asks the system for memory.
func mapped(size int) ([]byte, bool) {
	b, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	return b, err == nil
}

// unmap gives memory back to the system. It ignores a failure, which it cannot mend.
func unmap(b []byte) { _ = syscall.Munmap(b) }
