package milter

import (
	"fmt"
	"net"
	"syscall"
)

// peerUser names the user at the other end of a unix socket. The process says
// nothing: an MTA has many.
func peerUser(c *net.UnixConn) string {
	raw, err := c.SyscallConn()
	if err != nil {
		return ""
	}
	var who *syscall.Ucred
	raw.Control(func(fd uintptr) { who, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED) })
	if who == nil || err != nil {
		return ""
	}
	return fmt.Sprintf("user %d", who.Uid)
}
