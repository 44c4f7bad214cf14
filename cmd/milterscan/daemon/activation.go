package daemon

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// firstInherited is the first descriptor that systemd hands over; sd_listen_fds(3).
const firstInherited = 3

// inherited returns the sockets that systemd has opened for us. The variables that
// say so are not for our children.
func inherited() ([]net.Listener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS is %q", count)
	}
	var all []net.Listener
	for fd := firstInherited; fd < firstInherited+n; fd++ {
		syscall.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), fmt.Sprintf("LISTEN_FDS %d", fd))
		l, err := net.FileListener(f) // a copy
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", fd, err)
		}
		all = append(all, l)
	}
	return all, nil
}
