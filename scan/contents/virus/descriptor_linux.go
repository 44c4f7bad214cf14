package virus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/milterscan/milterscan/scan"
)

// passDescriptor sends a content as an open descriptor (FILDES in clamd(8)): of
// the file it lies in if it lies in one, else of an anonymous file in memory.
// clamd reads it in place and needs no temporary file. What begins the session
// goes in the same message.
func passDescriptor(ctx context.Context, conn *net.UnixConn, c scan.Content, begin string) error {
	commands := begin + "zFILDES\x00\x00"
	if f, ok := c.(interface{ File() *os.File }); ok {
		if file := f.File(); file != nil {
			return passFile(conn, file, commands)
		}
	}
	fd, err := memoryFile(ctx, c)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return pass(conn, fd, commands)
}

// memoryFile copies a content into an anonymous file, and returns its descriptor.
func memoryFile(ctx context.Context, c scan.Content) (int, error) {
	fd, err := unix.MemfdCreate("milterscan", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, ownError{fmt.Errorf("making a file in memory: %w", err)}
	}
	err = pour(ctx, c, func(piece []byte) error { return writeAll(fd, piece) })
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// writeAll writes b to the end of a file in memory.
func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return ownError{fmt.Errorf("writing a file in memory: %w", err)}
		}
		b = b[max(n, 0):]
	}
	return nil
}

// passFile passes the descriptor of a file, which is taken by SyscallConn: Fd would
// switch the file to blocking mode.
func passFile(conn *net.UnixConn, file *os.File, commands string) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return ownError{err}
	}
	var sent error
	if err := raw.Control(func(fd uintptr) { sent = pass(conn, int(fd), commands) }); err != nil {
		return ownError{err}
	}
	return sent
}

// pass sends commands and a descriptor in one message.
func pass(conn *net.UnixConn, fd int, commands string) error {
	_, _, err := conn.WriteMsgUnix([]byte(commands), syscall.UnixRights(fd), nil)
	return err
}
