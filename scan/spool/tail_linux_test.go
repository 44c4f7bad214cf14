package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTailHalfWritten has the file take the first block of a piece, and refuse the second.
func TestTailHalfWritten(t *testing.T) {
	_, b, want := tailed(t, 65535)
	defer b.Close()
	fd, err := unix.MemfdCreate("", unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Skip(err)
	}
	small := os.NewFile(uintptr(fd), "small")
	defer small.Close()
	if _, err := io.Copy(small, io.NewSectionReader(b.own.file, 0, b.own.tail.at)); err != nil {
		t.Fatal(err)
	}
	small.Truncate(b.own.tail.at + largeBlock)
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_GROW); err != nil {
		t.Skip(err)
	}
	defer func(f *os.File) { b.own.file = f }(b.own.file)
	b.own.file = small
	if n, err := b.Write(noise(2, 3*largeBlock)); n != 0 || !errors.Is(err, syscall.EPERM) {
		t.Fatal(n, err)
	}
	check(t, b, want)
	if f := b.File(); f == nil {
		t.Error("no file")
	} else if got, err := io.ReadAll(io.NewSectionReader(f, 0, 2*inOwnFile)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file holds %d bytes of something else (%v)", len(got), err)
	}
}
