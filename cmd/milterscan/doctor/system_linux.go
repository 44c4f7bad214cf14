package doctor

import (
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// who returns the process at the other end of a unix socket.
func who(conn net.Conn) string {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return ""
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return ""
	}
	var peer *unix.Ucred
	raw.Control(func(fd uintptr) { peer, _ = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if peer == nil || peer.Pid == 0 {
		return ""
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", peer.Pid))
	return fmt.Sprintf(" (%s, process %d, user %d)", strings.TrimSpace(string(name)), peer.Pid, peer.Uid)
}

// drifting reports whether the kernel knows that no program keeps its clock right.
func drifting() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state == unix.TIME_ERROR
}

// free returns how many bytes a user other than root may still write to the file system
// at path.
func free(path string) (int64, error) {
	var s unix.Statfs_t
	err := unix.Statfs(path, &s)
	return int64(s.Bavail) * s.Bsize, err
}
