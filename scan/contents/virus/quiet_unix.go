//go:build unix

package virus

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quiet reports whether a connection is open as far as we know, and nothing has come on it that was
// not read.
func quiet(conn net.Conn) bool {
	open, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := open.SyscallConn()
	if err != nil {
		return false
	}
	var there error
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, there = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	return err == nil && errors.Is(there, unix.EAGAIN)
}
