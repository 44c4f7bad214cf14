package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"testing"
)

// inOwnFile is a size of content that has a file of its own, whatever the memory.
const inOwnFile = 1400_000

// tailed returns a buffer of some size, written in pieces, whose last bytes are not in its file yet.
func tailed(t *testing.T, piece int) (*Spool, *Buffer, []byte) {
	s := New(t.TempDir(), 1<<20, 8<<20)
	b := s.Buffer()
	want := noise(1, inOwnFile)
	write(t, b, want, piece)
	if len(b.own.tail.bytes) == 0 {
		t.Fatal("the file holds all")
	}
	return s, b, want
}

// TestTail writes in pieces of many sizes: all can be read, from the file too, by many at once.
func TestTail(t *testing.T) {
	for _, piece := range []int{1009, 4096, 49149, 65535, 65536, 65537, 200_000, inOwnFile} {
		s, b, want := tailed(t, piece)
		if b.own.tail.at%largeBlock != 0 {
			t.Errorf("pieces of %d: the file ends at %d", piece, b.own.tail.at)
		}
		check(t, b, want)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if i%2 == 0 && b.File() == nil {
					t.Errorf("pieces of %d: no file", piece)
				}
				got := make([]byte, len(want))
				if _, err := b.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
					t.Errorf("pieces of %d: reads something else (%v)", piece, err)
				}
			})
		}
		all.Wait()
		if got, err := io.ReadAll(io.NewSectionReader(b.File(), 0, 2*inOwnFile)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("pieces of %d: the file holds something else (%v)", piece, err)
		}
		b.Close()
		if m, d := s.Used(); m != 0 || d != 0 {
			t.Errorf("pieces of %d: %d of memory and %d of disk used for nothing", piece, m, d)
		}
	}
}

// TestTailOnFullDisk has the file refuse a block once, for each of its bytes that may be the first of a piece: what was
// written before can be read, and the content goes on.
func TestTailOnFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, piece := range []int{largeBlock, 2*largeBlock + 1, 5 * largeBlock} {
		s, b, want := tailed(t, 65535)
		_, before := s.Used()
		back := swap(b, full)
		n, err := b.Write(noise(2, piece))
		back()
		if n != 0 || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%d bytes: %d, %v", piece, n, err)
		}
		if _, d := s.Used(); d != before {
			t.Errorf("%d bytes: %d bytes of disk counted, %d before", piece, d, before)
		}
		check(t, b, want)
		more := noise(3, piece)
		write(t, b, more, 997)
		want = append(want, more...)
		check(t, b, want)
		if got, err := io.ReadAll(io.NewSectionReader(b.File(), 0, 2*inOwnFile)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the file holds something else (%v)", piece, err)
		}
		b.Close()
	}
}

// TestTailThatCannotBeWritten has no room for the last bytes when the file is asked for.
func TestTailThatCannotBeWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	_, b, want := tailed(t, 65535)
	defer b.Close()
	back := swap(b, full)
	if b.File() != nil {
		t.Error("a file that lacks bytes was given away")
	}
	back()
	check(t, b, want)
	if b.File() != nil {
		t.Error("a file that lacks bytes was given away later")
	}
}

// TestMoveFails has no room in the file that a content is to move to: it stays where it is, goes on there, and moves to
// another file with the next bytes.
func TestMoveFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	for _, memory := range []int64{0, 500_000, 4 << 20} {
		s := New(t.TempDir(), memory, 8<<20)
		b := s.Buffer()
		want := noise(1, inOwnFile)
		write(t, b, want[:900_000], 65535)
		s.files.take(1)
		s.spares.put(spareFile{file: full})
		write(t, b, want[900_000:1_000_000], 100_000)
		check(t, b, want[:1_000_000])
		if b.own.file != nil || s.files.used.Load() != 0 {
			t.Errorf("%d bytes of memory: a file that cannot hold the content is kept", memory)
		}
		write(t, b, want[1_000_000:], 65535)
		check(t, b, want)
		if got, err := io.ReadAll(io.NewSectionReader(b.File(), 0, 2*inOwnFile)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes of memory: the file holds %d bytes of something else (%v)", memory, len(got), err)
		}
		b.Close()
		s.dropSpares()
		if m, d := s.Used(); m != 0 || d != 0 || s.disk.used.Load() != 0 {
			t.Errorf("%d bytes of memory: %d of memory, %d of disk used for nothing", memory, m, s.disk.used.Load())
		}
		if full, err = os.OpenFile("/dev/full", os.O_RDWR, 0); err != nil {
			t.Fatal(err)
		}
	}
	full.Close()
}
