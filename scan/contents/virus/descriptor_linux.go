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
// clamd reads it in place and needs no temporary file.
func passDescriptor(ctx context.Context, conn *net.UnixConn, c scan.Content) error {
	if f, ok := c.(interface{ File() *os.File }); ok {
		if file := f.File(); file != nil {
			return passFile(conn, file)
		}
	}
	file, err := memoryFile(ctx, c)
	if err != nil {
		return err
	}
	defer file.Close()
	return passFile(conn, file)
}

// memoryFile copies a content into an anonymous file.
func memoryFile(ctx context.Context, c scan.Content) (*os.File, error) {
	fd, err := unix.MemfdCreate("milterscan", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a file in memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "memfd")
	err = each(ctx, c, func(b *block, n int) error {
		_, err := file.Write(b[4 : 4+n])
		return err
	})
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// passFile sends the command and the descriptor in one message. The descriptor
// is taken by SyscallConn: Fd would switch the file to blocking mode.
func passFile(conn *net.UnixConn, file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) {
		_, _, sent = conn.WriteMsgUnix([]byte("zFILDES\x00\x00"), syscall.UnixRights(int(fd)), nil)
	})
	return errors.Join(err, sent)
}
