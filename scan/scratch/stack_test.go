package scratch

import (
	"runtime/debug"
	"testing"
	"unsafe"
)

// room is large enough to be missed on a stack as it begins, and fits into one that is made ready.
type room [depth / 2]byte

// place returns where a variable is while deep calls are made, and after them.
//
//go:noinline
func place(deep func() byte) (before, after uintptr) {
	var here byte
	before = uintptr(unsafe.Pointer(&here))
	deep()
	return before, uintptr(unsafe.Pointer(&here))
}

//go:noinline
func fill() byte {
	var r room
	for i := range r {
		r[i] = byte(i)
	}
	return r[len(r)/3]
}

// Once a stack is made ready, deep calls leave it where it is.
func TestStackIsNotCopied(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would make it small again
	done := make(chan [2]uintptr)
	go func() {
		Stack()
		before, after := place(fill)
		done <- [2]uintptr{before, after}
	}()
	if at := <-done; at[0] != at[1] {
		t.Errorf("the stack was copied, from %x to %x", at[0], at[1])
	}
}
