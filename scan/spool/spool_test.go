package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
)

// noise is n bytes that repeat nowhere near a block's length.
func noise(seed uint64, n int) []byte {
	r := rand.NewPCG(seed, 1)
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint64())
	}
	return b
}

func write(t *testing.T, b *Buffer, content []byte, step int) {
	t.Helper()
	for len(content) > 0 {
		n := min(step, len(content))
		if got, err := b.Write(content[:n]); got != n || err != nil {
			t.Fatalf("Write of %d bytes: %d, %v", n, got, err)
		}
		content = content[n:]
	}
}

func content(t *testing.T, b *Buffer) []byte {
	t.Helper()
	all, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 300, smallBlock - 1, smallBlock, smallBlock + 1, smallBlock + largeBlock - 1,
		smallBlock + largeBlock, smallBlock + largeBlock + 1, 5*largeBlock + 17}
	spools := map[string]*Spool{
		"memory":     New(t.TempDir(), 8<<20, 0),
		"file":       New(t.TempDir(), 0, 8<<20),
		"moves once": New(t.TempDir(), 4*(smallBlock+largeBlock), 8<<20),
	}
	for name, s := range spools {
		for _, size := range sizes {
			for _, step := range []int{997, 65535, 1 << 20} {
				b := s.Buffer()
				want := noise(uint64(size), size)
				write(t, b, want, step)
				check(t, b, want)
				if err := b.Close(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if m, d := s.Used(); m != 0 || d != 0 {
			t.Errorf("%s: %d bytes of memory and %d of disk were not given back", name, m, d)
		}
	}
}

// check compares every way of reading b with want.
func check(t *testing.T, b *Buffer, want []byte) {
	t.Helper()
	if b.Size() != int64(len(want)) || !bytes.Equal(content(t, b), want) {
		t.Fatalf("%d bytes: ReadAt differs", len(want))
	}
	if len(want) < 1000 { // it takes the square of that
		if err := iotest.TestReader(io.NewSectionReader(b, 0, b.Size()), want); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if n, err := b.WriteTo(&out); n != b.Size() || err != nil || !bytes.Equal(out.Bytes(), want) {
		t.Fatalf("WriteTo: %d, %v", n, err)
	}
	for off := int64(0); off < b.Size(); off += 4999 {
		if got := b.Piece(off); !bytes.HasPrefix(want[off:], got) {
			t.Fatalf("Piece at %d differs", off)
		}
	}
}

func TestReadAtEnds(t *testing.T) {
	for _, s := range []*Spool{New("", 1<<20, 0), New(t.TempDir(), 0, 1<<20)} {
		b := s.Buffer()
		defer b.Close()
		write(t, b, []byte("hello"), 5)
		p := make([]byte, 4)
		if n, err := b.ReadAt(p, 3); n != 2 || err != io.EOF {
			t.Errorf("over the end: %d, %v", n, err)
		}
		if n, err := b.ReadAt(p, 5); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d, %v", n, err)
		}
		if n, err := b.ReadAt(p, 1); n != 4 || err != nil {
			t.Errorf("up to the end: %d, %v", n, err)
		}
		if _, err := b.ReadAt(p, -1); err == nil {
			t.Error("a negative offset was read")
		}
	}
}

func TestPieces(t *testing.T) {
	b := New("", 1<<20, 0).Buffer()
	want := noise(1, 200_000)
	write(t, b, want, 1000)
	var got []byte
	for off := int64(0); off < b.Size(); {
		piece := b.Piece(off)
		if len(piece) == 0 {
			t.Fatalf("no piece at %d of %d", off, b.Size())
		}
		got = append(got, piece...)
		off += int64(len(piece))
	}
	if !bytes.Equal(got, want) {
		t.Error("the pieces are not the content")
	}
	for _, off := range []int64{-1, b.Size(), b.Size() + 1} {
		if b.Piece(off) != nil {
			t.Errorf("there is a piece at %d", off)
		}
	}
	b.Close()
	if b.Piece(0) != nil {
		t.Error("a closed buffer shows its memory")
	}
}

// TestLargeBufferMovesToFile has a buffer that is in memory first; its file is asked for by two readers at once.
func TestLargeBufferMovesToFile(t *testing.T) {
	dir := t.TempDir()
	s := New(dir, 1<<20, 8<<20)
	small, large := s.Buffer(), s.Buffer()
	defer small.Close()
	defer large.Close()
	write(t, small, noise(1, 1000), 1000)
	want := noise(2, 1<<20)
	write(t, large, want, 65535)
	m, d := s.Used()
	if m != smallBlock+largeBlock || d != 1<<20 {
		t.Errorf("used %d of memory and %d of disk", m, d)
	}
	if got := content(t, large); !bytes.Equal(got, want) {
		t.Error("memory and file are not the content")
	}
	if small.File() != nil {
		t.Error("a small buffer belongs in memory")
	}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			all := make([]byte, len(want))
			if _, err := large.File().ReadAt(all, 0); err != nil || !bytes.Equal(all, want) {
				t.Errorf("the file itself holds something else (%v)", err)
			}
		})
	}
	both.Wait()
	if _, d := s.Used(); d != 1<<20+int64(len(large.extents))*largeBlock {
		t.Errorf("%d bytes of disk counted for a whole file", d)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d names in the spool directory", len(left))
	}
}

// TestSpareFiles has buffers find the files of earlier ones: nothing of what was in
// them shows, and all they take is counted.
func TestSpareFiles(t *testing.T) {
	s := New(t.TempDir(), smallBlock, 5<<20)
	first := s.Buffer()
	write(t, first, noise(1, 2<<20), 65535)
	file := first.own.file
	first.Close()
	if _, d := s.Used(); d != 0 || s.disk.used.Load() < 2<<20 {
		t.Errorf("%d bytes of disk used, %d counted", d, s.disk.used.Load())
	}
	second := s.Buffer()
	want := noise(2, 1_100_000)
	write(t, second, want, 997)
	if second.own.file != file {
		t.Error("a file that nobody uses was not taken")
	}
	check(t, second, want)
	if all, err := io.ReadAll(io.NewSectionReader(second.File(), 0, 4<<20)); err != nil || !bytes.Equal(all, want) {
		t.Errorf("another process sees %d bytes, %v", len(all), err)
	}
	if _, d := s.Used(); d != int64(len(want))+int64(len(second.extents))*largeBlock {
		t.Errorf("%d bytes of disk counted", d)
	}
	second.Close()
	if s.disk.used.Load() != s.volumes.held() || s.files.used.Load() != 0 {
		t.Error("a file that another process may have was kept")
	}
}

// TestSpareFilesMakeRoom needs all the disk that is allowed.
func TestSpareFilesMakeRoom(t *testing.T) {
	s := New(t.TempDir(), 0, 3<<20)
	a, b := s.Buffer(), s.Buffer()
	write(t, a, noise(1, 1<<20), 65535)
	write(t, b, noise(1, 1<<20), 65535)
	a.Close()
	b.Close()
	c := s.Buffer()
	write(t, c, noise(2, 3<<20), 65535)
	if n := len(s.spares.files); n != 0 || s.disk.used.Load() != 3<<20 {
		t.Errorf("%d files kept, %d bytes counted", n, s.disk.used.Load())
	}
	c.Close()
	s.dropSpares()
	if s.disk.used.Load() != 0 {
		t.Errorf("%d bytes counted for nothing", s.disk.used.Load())
	}
}

// swap has all that b writes from now on go to another file, until back is called.
func swap(b *Buffer, f *os.File) (back func()) {
	own, small, large := b.own.file, b.spool.volumes.small.file, b.spool.volumes.large.file
	b.spool.volumes.small.file, b.spool.volumes.large.file = f, f
	if own != nil {
		b.own.file = f
	}
	return func() { b.own.file, b.spool.volumes.small.file, b.spool.volumes.large.file = own, small, large }
}

// onDisk are sizes of content of which the end is in a block and in a file.
var onDisk = map[string]int{"block": 6, "file": 1100 << 10}

// TestFullDisk has a file refuse to grow while others take space for nothing.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for where, size := range onDisk {
		s := New(t.TempDir(), 0, 4<<20)
		a, b := s.Buffer(), s.Buffer()
		write(t, b, noise(2, size), 65535)
		write(t, a, noise(1, 1<<20), 65535)
		a.Close()
		back := swap(b, full)
		_, err = b.Write([]byte("after"))
		back()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: the error is %v", where, err)
		}
		if n := len(s.spares.files); n != 0 {
			t.Errorf("%s: %d files that nobody uses take space", where, n)
		}
		b.Close()
	}
}

// TestNoRoomForWholeFile has no room on disk for what is in memory: the content grows no further, and is there all the
// same.
func TestNoRoomForWholeFile(t *testing.T) {
	s := New(t.TempDir(), 3<<20, 1000)
	b := s.Buffer()
	defer b.Close()
	want := noise(3, int(capacity(mostBlocks)))
	write(t, b, want, 65535)
	if n, err := b.Write(noise(1, 500)); n != 0 || !errors.Is(err, ErrFull) {
		t.Errorf("more than fits: %d, %v", n, err)
	}
	check(t, b, want)
	if b.File() != nil || s.files.used.Load() != 0 || s.disk.used.Load() != 0 {
		t.Error("there is no room for the whole file")
	}
	if b.Piece(int64(len(want))) != nil || b.Piece(int64(len(want))-1) == nil {
		t.Error("pieces are of what is in memory")
	}
}

func TestFull(t *testing.T) {
	s := New(t.TempDir(), smallBlock, 159_000)
	a, b := s.Buffer(), s.Buffer()
	defer b.Close()
	write(t, a, noise(1, 90_000), 4096)
	write(t, b, []byte("kept"), 4)
	if _, err := b.Write(noise(2, 20_000)); !errors.Is(err, ErrFull) {
		t.Fatalf("over the budget: %v", err)
	}
	if got := content(t, b); string(got) != "kept" {
		t.Errorf("after a refused write the buffer holds %d bytes", len(got))
	}
	a.Close()
	if _, err := b.Write(noise(2, 20_000)); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}

func TestNoMemoryAndNoDisk(t *testing.T) {
	b := New("", 0, 0).Buffer()
	defer b.Close()
	if n, err := b.Write([]byte("x")); n != 0 || !errors.Is(err, ErrFull) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := b.Write(nil); n != 0 || err != nil {
		t.Errorf("empty write: %d, %v", n, err)
	}
}

func TestMissingDirectory(t *testing.T) {
	s := New("/nonexistent/spool", 0, 1<<20)
	if err := s.Check(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Check: %v", err)
	}
	b := s.Buffer()
	defer b.Close()
	if _, err := b.Write([]byte("x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Write: %v", err)
	}
	if _, d := s.Used(); d != 0 {
		t.Errorf("%d bytes of disk taken for nothing", d)
	}
	if err := New(t.TempDir(), 0, 1).Check(); err != nil {
		t.Errorf("a good directory: %v", err)
	}
}

// TestDiskError has the file refuse writes, as a full disk does.
func TestDiskError(t *testing.T) {
	readOnly, err := os.Open("/dev/null")
	if err != nil {
		t.Skip(err)
	}
	defer readOnly.Close()
	for where, size := range onDisk {
		s := New(t.TempDir(), 0, 2<<20)
		b := s.Buffer()
		want := noise(1, size)
		write(t, b, want, 65535)
		_, before := s.Used()
		back := swap(b, readOnly)
		n, err := b.Write([]byte("after"))
		back()
		if n != 0 || !errors.Is(err, syscall.EBADF) {
			t.Fatalf("%s: %d, %v", where, n, err)
		}
		if !bytes.Equal(content(t, b), want) {
			t.Errorf("%s: a failed write changed the content", where)
		}
		if _, d := s.Used(); d != before {
			t.Errorf("%s: %d bytes of disk counted, %d before", where, d, before)
		}
		b.Close()
	}
}

func TestCutFileIsAnError(t *testing.T) {
	for where, size := range onDisk {
		s := New(t.TempDir(), 0, 2<<20)
		b := s.Buffer()
		write(t, b, noise(1, size), 65535)
		for _, f := range []*os.File{b.own.file, s.volumes.small.file} {
			if f != nil {
				f.Truncate(3)
			}
		}
		if _, err := b.ReadAt(make([]byte, size), 0); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: a file that lost bytes reads as %v", where, err)
		}
		b.Close()
	}
}

// TestPartsTakeNoDescriptors makes many buffers of every size at once when memory
// is used up: the descriptors that they take do not depend on their number.
func TestPartsTakeNoDescriptors(t *testing.T) {
	for _, size := range []int{1, smallBlock, smallBlock + 1, 300 << 10, 900 << 10, 1100 << 10} {
		s := New(t.TempDir(), 0, 2<<30)
		s.files.limit = 5
		before := descriptors(t)
		n := min(2000, 40<<20/size)
		all := make([]*Buffer, n)
		for i := range all {
			all[i] = s.Buffer()
			write(t, all[i], noise(uint64(i), size), 65535)
		}
		if more := descriptors(t) - before; more > 2+5 {
			t.Errorf("%d buffers of %d bytes take %d descriptors", n, size, more)
		}
		for i, b := range all {
			if !bytes.Equal(content(t, b), noise(uint64(i), size)) {
				t.Fatalf("buffer %d of %d bytes differs", i, size)
			}
			if f := b.File(); f != nil {
				if got, err := io.ReadAll(io.NewSectionReader(f, 0, 2*int64(size))); err != nil || !bytes.Equal(got, noise(uint64(i), size)) {
					t.Errorf("the file of buffer %d of %d bytes holds %d bytes, %v", i, size, len(got), err)
				}
			}
			b.Close()
		}
		s.dropSpares()
		if m, d := s.Used(); m != 0 || d != 0 || s.disk.used.Load() != 0 || s.files.used.Load() != 0 {
			t.Errorf("%d bytes: %d of memory, %d of disk and %d files were not given back", size, m, s.disk.used.Load(), s.files.used.Load())
		}
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(all)
}

// TestNoDescriptorIsLeft has the system refuse to open files: what fits into blocks
// that are there is kept, and a spool that has no file says so.
func TestNoDescriptorIsLeft(t *testing.T) {
	s := New(t.TempDir(), 0, 1<<30)
	first := s.Buffer()
	defer first.Close()
	write(t, first, noise(1, 100_000), 65535) // opens the volumes
	s.dir = "/nonexistent"
	large := s.Buffer()
	defer large.Close()
	want := noise(2, 5<<20)
	write(t, large, want, 65535)
	if !bytes.Equal(content(t, large), want) || large.File() != nil {
		t.Error("a large content was not kept in blocks")
	}
}

func TestClosed(t *testing.T) {
	b := New("", 1<<20, 0).Buffer()
	write(t, b, []byte("x"), 1)
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := b.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("ReadAt: %v", err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
	if _, err := b.WriteTo(io.Discard); !errors.Is(err, os.ErrClosed) {
		t.Errorf("WriteTo: %v", err)
	}
}

// What was made beside a content goes with it, in memory and in files.
func TestBeside(t *testing.T) {
	for _, size := range []int{100, 5 << 20} {
		s := New(t.TempDir(), 1<<20, 1<<30)
		b := s.Buffer()
		first, second := b.Beside(), b.Beside()
		want := noise(3, size)
		for _, made := range []*Buffer{first, second} {
			write(t, made, want, 65535)
			if !bytes.Equal(content(t, made), want) {
				t.Error("it is not what was written")
			}
		}
		first.Close()
		b.Close()
		if memory, disk := s.Used(); memory != 0 || disk != 0 {
			t.Errorf("%d bytes of memory and %d of disk are left", memory, disk)
		}
		if _, err := second.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("ReadAt: %v", err)
		}
	}
}

// What is made beside contents leaves room for those that come after it, in memory and in files, in blocks of any size.
func TestBesideLeavesRoom(t *testing.T) {
	for name, s := range map[string]*Spool{
		"memory": New(t.TempDir(), 8<<20, 0),
		"disk":   New(t.TempDir(), 1<<20, 8<<20),
		"blocks": New(t.TempDir(), 0, 8<<20),
	} {
		var made []*Buffer
		for _, size := range []int{6 << 20, 300 << 10, 1000, 1 << 20} {
			content := s.Buffer()
			defer content.Close()
			beside := content.Beside()
			for range size / 1000 {
				if _, err := beside.Write(make([]byte, 1000)); err != nil {
					if !errors.Is(err, ErrFull) {
						t.Error(err)
					}
					break
				}
			}
			made = append(made, beside)
		}
		var bytes int64
		for _, b := range made {
			bytes += b.Size()
		}
		content := s.Buffer()
		defer content.Close()
		memory, disk := s.Limits()
		most := max(disk, memory) / 2
		if write(t, content, make([]byte, most-largeBlock), 65535); bytes < most/2 || bytes > most+memory {
			t.Errorf("%s: %d bytes are beside contents", name, bytes)
		}
	}
}

func TestReadFromAndStrings(t *testing.T) {
	s := New(t.TempDir(), 1<<20, 8<<20)
	for _, size := range []int{0, 10, 300_000, 1 << 20} {
		b := s.Buffer()
		b.WriteString("head")
		want := noise(3, size)
		n, err := b.ReadFrom(iotest.DataErrReader(bytes.NewReader(want)))
		if n != int64(size) || err != nil {
			t.Fatalf("ReadFrom %d: %d, %v", size, n, err)
		}
		b.WriteString("tail")
		if got := content(t, b); string(got) != "head"+string(want)+"tail" {
			t.Errorf("%d bytes came out differently", size)
		}
		b.Close()
	}
	b := s.Buffer()
	defer b.Close()
	if n, err := b.ReadFrom(io.MultiReader(bytes.NewReader([]byte("part")), iotest.ErrReader(io.ErrClosedPipe))); n != 4 || err != io.ErrClosedPipe {
		t.Errorf("a failing reader: %d, %v", n, err)
	}
}

// TestLittleAtATime reads from readers that come up with few bytes: what goes to disk
// is written in blocks.
func TestLittleAtATime(t *testing.T) {
	s := New(t.TempDir(), 64<<10, 8<<20)
	want := noise(3, 1<<20)
	for name, r := range map[string]io.Reader{
		"bytes":             iotest.OneByteReader(bytes.NewReader(want)),
		"halves":            iotest.HalfReader(bytes.NewReader(want)),
		"the end with data": iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(want))),
	} {
		b := s.Buffer()
		before := systemWrites(t)
		n, err := b.ReadFrom(r)
		if writes := systemWrites(t) - before; writes > 100 {
			t.Errorf("%s: %d writes", name, writes)
		}
		if n != int64(len(want)) || err != nil || !bytes.Equal(content(t, b), want) {
			t.Errorf("%s: %d bytes, %v, or others", name, n, err)
		}
		b.Close()
	}
}

// systemWrites returns how often this process has asked the system to write.
func systemWrites(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip(err)
	}
	_, after, _ := strings.Cut(string(text), "syscw: ")
	if _, err := fmt.Sscan(after, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestManyAtOnce is for the race detector: writers that run the budget down to
// nothing, then several readers of each buffer.
func TestManyAtOnce(t *testing.T) {
	s := New(t.TempDir(), 1<<20, 64<<20)
	var writers sync.WaitGroup
	for i := range 16 {
		writers.Go(func() {
			b := s.Buffer()
			defer b.Close()
			want := noise(uint64(i), 100_000+i*4096)
			write(t, b, want, 8191)
			var readers sync.WaitGroup
			for range 4 {
				readers.Go(func() {
					if !bytes.Equal(content(t, b), want) {
						t.Errorf("buffer %d differs", i)
					}
				})
			}
			readers.Wait()
		})
	}
	writers.Wait()
	if m, d := s.Used(); m != 0 || d != 0 {
		t.Errorf("%d bytes of memory and %d of disk were not given back", m, d)
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, size := range []int{5 << 10, 500 << 10, 10 << 20} {
		chunk := make([]byte, 65535)
		s := New(b.TempDir(), 256<<20, 0)
		b.Run(sizeName(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				buf := s.Buffer()
				for left := size; left > 0; left -= len(chunk) {
					buf.Write(chunk[:min(left, len(chunk))])
				}
				buf.Close()
			}
		})
	}
}

func sizeName(n int) string {
	switch {
	case n >= 1<<20:
		return "large"
	case n >= 100<<10:
		return "medium"
	}
	return "small"
}

// BenchmarkParts keeps many small parts while memory is used up.
func BenchmarkParts(b *testing.B) {
	s := New(b.TempDir(), 0, 1<<30)
	part := make([]byte, 6000)
	for b.Loop() {
		var all [500]*Buffer
		for i := range all {
			all[i] = s.Buffer()
			all[i].Write(part)
		}
		for _, buf := range all {
			buf.Close()
		}
	}
}
