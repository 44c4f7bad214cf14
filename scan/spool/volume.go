package spool

import (
	"os"
	"sync"
)

// spareBlocks is how many bytes of free blocks a volume keeps.
const spareBlocks = 32 << 20

// volume is a file in which many buffers have blocks of one size, so that content that
// does not fit into memory costs bytes but no descriptor for each part. Its space
// counts in the spool's budget for disk. Free blocks keep their bytes on disk for the
// next buffers, up to spareBlocks bytes; the file system gets back those of others.
type volume struct {
	size int64 // of a block
	open func() (*os.File, error)

	mu    sync.Mutex
	file  *os.File
	end   int64
	free  []int64 // unused blocks, counted in the budget
	holes []int64 // unused blocks that take no space
}

// volumes are those of one spool.
type volumes struct{ small, large *volume }

// newVolumes returns volumes whose files are in dir; nothing is opened yet.
func newVolumes(dir string) *volumes {
	open := func() (*os.File, error) { return newFile(dir) }
	return &volumes{&volume{size: smallBlock, open: open}, &volume{size: largeBlock, open: open}}
}

func (v *volumes) held() int64 { return v.small.held() + v.large.held() }
func (v *volumes) drop() int64 { return v.small.drop() + v.large.drop() }

// extent is a block of a volume, with what may be written to and read from it.
type extent struct {
	*volume
	at int64
}

// get returns a block. It calls take for the space of one that takes none yet, and
// returns ErrFull if there is none.
func (v *volume) get(take func(int64) bool) (extent, error) {
	if e, ok, err := v.reuse(); ok || err != nil {
		return e, err
	}
	if !take(v.size) { // which may call drop
		return extent{}, ErrFull
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	at, ok := pop(&v.holes)
	if !ok {
		at = v.end
		v.end += v.size
	}
	return extent{v, at}, nil
}

// reuse returns a free block, if there is one, and opens the file, if it is not
// open yet.
func (v *volume) reuse() (e extent, ok bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.file == nil {
		v.file, err = v.open()
	}
	at, ok := pop(&v.free)
	return extent{v, at}, ok, err
}

// put takes a block back and returns how many bytes of disk that frees.
func (v *volume) put(at int64) int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if int64(len(v.free)+1)*v.size > spareBlocks && punch(v.file, at, v.size) {
		v.holes = append(v.holes, at)
		return v.size
	}
	v.free = append(v.free, at)
	return 0
}

// drop gives the space of all free blocks back and returns how much that is.
func (v *volume) drop() (freed int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := v.free[:0]
	for _, at := range v.free {
		if !punch(v.file, at, v.size) {
			kept = append(kept, at)
			continue
		}
		v.holes = append(v.holes, at)
		freed += v.size
	}
	v.free = kept
	return freed
}

// held returns how many bytes of disk the free blocks take.
func (v *volume) held() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return int64(len(v.free)) * v.size
}

func pop(list *[]int64) (last int64, ok bool) {
	n := len(*list) - 1
	if n < 0 {
		return 0, false
	}
	last, *list = (*list)[n], (*list)[:n]
	return last, true
}

// writeAt writes at a place of the block.
func (e extent) writeAt(p []byte, off int64) (int, error) { return e.file.WriteAt(p, e.at+off) }

// readAt reads from a place of the block.
func (e extent) readAt(p []byte, off int64) (int, error) { return e.file.ReadAt(p, e.at+off) }
