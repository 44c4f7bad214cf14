package spool

import (
	"bytes"
	"testing"
)

// TestQuietMemoryIsForgotten: memory that no buffer uses goes back to the system, and what buffers hold stays.
func TestQuietMemoryIsForgotten(t *testing.T) {
	s := New("", 8<<20, 0)
	want := noise(1, 1<<20)
	held, done := s.Buffer(), s.Buffer()
	defer held.Close()
	write(t, held, want, 4096)
	write(t, done, want, 4096)
	if err := done.Close(); err != nil {
		t.Fatal(err)
	}
	written := func() (n int) {
		for _, block := range s.large.free {
			if bytes.ContainsFunc(block[:], func(r rune) bool { return r != 0 }) {
				n++
			}
		}
		return n
	}
	if before := written(); before < len(want)/largeBlock-1 {
		t.Fatalf("%d free blocks hold something", before)
	}
	s.large.drop()
	if after := written(); after > 0 {
		t.Errorf("%d free blocks still hold something", after)
	}
	check(t, held, want)
	again := s.Buffer()
	defer again.Close()
	write(t, again, want, 4096)
	check(t, again, want)
}
