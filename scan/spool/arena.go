package spool

import (
	"runtime"
	"sync"
)

// slabBlocks is how many large blocks are taken from the system at once.
const slabBlocks = 16

// arena hands out large blocks from memory that the garbage collector does not
// know. A heap that holds messages grows to a multiple of them before it is
// collected; here a byte of a message costs a byte. Memory that was taken from the
// system stays, up to the spool's budget, for the next messages of a busy time.
type arena struct {
	mu    sync.Mutex
	free  []*[largeBlock]byte
	slabs *slabs
}

// slabs is the memory taken from the system.
type slabs struct{ all [][]byte }

// newArena returns an empty arena. Its memory goes back to the system when
// nothing refers to the arena any more.
func newArena() *arena {
	a := &arena{slabs: new(slabs)}
	runtime.AddCleanup(a, func(s *slabs) {
		for _, slab := range s.all {
			unmap(slab)
		}
	}, a.slabs)
	return a
}

// get returns a block, which still holds the bytes of earlier use.
func (a *arena) get() *[largeBlock]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.free) == 0 && !a.grow() {
		return new([largeBlock]byte) // the heap may still have room
	}
	last := len(a.free) - 1
	block := a.free[last]
	a.free = a.free[:last]
	return block
}

// put takes a block back.
func (a *arena) put(block *[largeBlock]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free = append(a.free, block)
}

// drop gives the memory of free blocks back to the system, which finds new memory for them
// when they are used again.
func (a *arena) drop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, block := range a.free {
		forget(block[:])
	}
}

// grow adds a slab, and reports whether the system gave one.
func (a *arena) grow() bool {
	slab, ok := mapped(slabBlocks * largeBlock)
	if !ok {
		return false
	}
	a.slabs.all = append(a.slabs.all, slab)
	for ; len(slab) > 0; slab = slab[largeBlock:] {
		a.free = append(a.free, (*[largeBlock]byte)(slab))
	}
	return true
}
