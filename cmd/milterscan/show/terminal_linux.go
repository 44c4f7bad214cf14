package show

import (
	"cmp"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Terminal opens a pseudo-terminal, pty(7): what is written to the terminal is read from the master, which keeps deadlines.
func Terminal() (master, terminal *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	n, err := unlock(master)
	if err == nil {
		terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, terminal, nil
}

// unlock lets the terminal of a master be opened, and returns its number.
func unlock(master *os.File) (n int, err error) {
	raw, err := master.SyscallConn() // Fd would end deadlines
	if err != nil {
		return 0, err
	}
	var bad error
	err = raw.Control(func(fd uintptr) {
		if n, bad = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); bad == nil {
			bad = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		}
	})
	return n, cmp.Or(err, bad)
}
