package scratch

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// page maps a file of one page, in which the caller may write.
func page(t *testing.T) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(name, make([]byte, os.Getpagesize()), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(b) })
	return b
}

// TestStarted gives back pages of a file that is only read, and leaves those alone that were written,
// whether they still may be or not: what is in these is nowhere else.
func TestStarted(t *testing.T) {
	for name, c := range map[string]struct{ written, closed, given bool }{
		"read":                {false, true, true},
		"written":             {true, true, false},
		"may be written":      {false, false, false},
		"written and may yet": {true, false, false},
	} {
		b := page(t)
		want := byte(0)
		if c.written {
			want = 1
			b[0] = want
		}
		if c.closed {
			if err := unix.Mprotect(b, unix.PROT_READ); err != nil {
				t.Fatal(err)
			}
		}
		at := uintptr(unsafe.Pointer(&b[0]))
		in := func(r region) bool { return r.from <= at && at < r.to }
		if got := slices.ContainsFunc(untouched(), in); got != c.given {
			t.Errorf("a page that is %s: given back is %v, not %v", name, got, c.given)
		}
		Started()
		if b[0] != want {
			t.Errorf("a page that is %s has lost what was written", name)
		}
	}
}

// TestProgramIsGivenBack has all of the program in memory, and less of it afterwards.
func TestProgramIsGivenBack(t *testing.T) {
	code := func() (r region, present int) {
		at := reflect.ValueOf(Started).Pointer()
		for _, r := range untouched() {
			if r.from <= at && at < r.to {
				return r, resident(t, r)
			}
		}
		t.Fatal("the code is in no region")
		return
	}
	r, _ := code()
	if _, _, errno := unix.Syscall(unix.SYS_MADVISE, r.from, r.to-r.from, unix.MADV_POPULATE_READ); errno != 0 {
		t.Skip("this kernel does not read in advance: ", errno)
	}
	_, before := code()
	Started()
	if _, after := code(); after >= before {
		t.Errorf("of %d pages of the program, %d are still there", before, after)
	}
}

// resident counts the pages of a region that this process has.
func resident(t *testing.T, r region) (n int) {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := uintptr(os.Getpagesize())
	entries := make([]byte, 8*(r.to-r.from)/size)
	if _, err := f.ReadAt(entries, int64(8*(r.from/size))); err != nil {
		t.Fatal(err)
	}
	for i := 7; i < len(entries); i += 8 {
		if entries[i]&0x80 != 0 { // present, see proc_pid_pagemap(5)
			n++
		}
	}
	return n
}
