// Package spool keeps bytes at rest: in memory first, then in a file that has
// no name any more, under one budget for all messages.
package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull is returned by Write when the budget of all messages is used up.
var ErrFull = errors.New("spool: no room left for messages")

// A buffer's first block is small, since most messages and most parts are; all
// others are large. Blocks are pooled and never copied to make room for more.
const (
	smallBlock = 8 << 10
	largeBlock = 64 << 10
)

// shareOfMemory is the part of the memory budget one buffer may use before it
// continues on disk: a few big messages must not push all small ones out.
const shareOfMemory = 3

// A file for every small part would cost more than its content. So a share of
// the memory is there for the first blocks of buffers alone: 512 KB of each.
const (
	shareReserved  = 3
	reservedBlocks = 8
)

// mostBlocks is how many blocks a buffer has in memory, or in volumes where that is short: 968 KB.
// A larger content moves to a separate file, whose descriptor may be passed on.
const mostBlocks = 16

// leftToContents is the part of the budget that what is made of contents while they are written leaves to
// contents themselves: it can be made later, and a content for which there is no room is refused.
const leftToContents = 2

// Spool is the one budget all buffers share. It may be used by any number of
// goroutines at once.
type Spool struct {
	dir          string
	memory, disk budget
	share        int64 // bytes that one buffer may hold in memory
	small        sync.Pool
	large        *arena
	volumes      *volumes
	files        budget // that buffers have for themselves, spare ones included
	spares       spares
	resting      sync.Mutex
	quiet        *time.Timer

	// Heavy is for messages that take much memory in addition to their buffers.
	Heavy *Gate
}

// heavyAtOnce is how many messages may take much memory at once: some 130 MB each.
const heavyAtOnce = 4

// New returns a spool whose buffers hold at most memory bytes in memory, all
// together, and at most disk bytes in unlinked files in dir, "" being the
// system's directory for temporary files. A buffer continues on disk when
// memory is short, when it alone holds a third of it, and when it is large. With a disk
// budget of 0 no file is ever made.
func New(dir string, memory, disk int64) *Spool {
	s := &Spool{dir: dir, share: min(memory/shareOfMemory, capacity(mostBlocks)), large: newArena(), Heavy: NewGate(heavyAtOnce)}
	if disk <= 0 {
		s.share = memory
	}
	s.memory.limit, s.disk.limit, s.files.limit = memory, disk, mostFiles()
	s.volumes = newVolumes(dir)
	s.small.New = func() any { return new([smallBlock]byte) }
	return s
}

// Buffer returns an empty buffer, to be closed by the caller.
func (s *Spool) Buffer() *Buffer { return &Buffer{spool: s} }

// Used returns how many bytes of memory and of disk the buffers hold now. Memory is
// counted in whole blocks, and so is disk but for the ends of large buffers. Some
// more disk, at most 256 MB and within the budget, may be kept for a minute, so that
// the next buffers find their files.
func (s *Spool) Used() (memory, disk int64) {
	return s.memory.used.Load(), s.disk.used.Load() - s.spares.held() - s.volumes.held()
}

// Limits returns how many bytes of memory and of disk the buffers may hold.
func (s *Spool) Limits() (memory, disk int64) { return s.memory.limit, s.disk.limit }

// Check makes a file as a buffer would, so that a directory that is missing or
// not writable is told at the start, not by the first large message.
func (s *Spool) Check() error {
	if s.disk.limit <= 0 {
		return nil
	}
	f, err := newFile(s.dir)
	if err != nil {
		return err
	}
	return f.Close()
}

// file returns one for reading and writing: one that is kept, or a new one, unless
// buffers have as many as they may have.
func (s *Spool) file() (spareFile, error) {
	if e := s.spares.get(); e.file != nil {
		return e, nil
	}
	if !s.files.take(1) {
		return spareFile{}, errFiles
	}
	f, err := newFile(s.dir)
	if err != nil {
		s.files.give(1)
	}
	return spareFile{file: f}, err
}

// errFiles says that buffers have as many files as they may have.
var errFiles = errors.New("spool: too many files")

// fileDone takes back a file, to be kept for the next buffers if there is room for
// it.
func (s *Spool) fileDone(f spareFile, keep bool) error {
	if keep && s.spares.put(f) {
		s.rest()
		return nil
	}
	s.disk.give(f.bytes)
	s.files.give(1)
	return f.file.Close()
}

// extent returns the block of a volume for position i of a buffer.
func (s *Spool) extent(i int) (extent, error) {
	v := s.volumes.large
	if i == 0 {
		v = s.volumes.small
	}
	return v.get(s.takeDisk)
}

// takeDisk takes n bytes of the budget, those of files that are kept if there are
// no others.
func (s *Spool) takeDisk(n int64) bool {
	if s.disk.take(n) {
		return true
	}
	s.dropSpares()
	return s.disk.take(n)
}

// diskBeside reports whether what is made of contents while they are written may take n bytes more of the disk.
func (s *Spool) diskBeside(n int64) bool {
	_, used := s.Used()
	return used+n <= s.disk.limit/leftToContents
}

// memoryBeside reports whether it may take a block more of the memory. Where there is a disk contents go there when
// memory is short.
func (s *Spool) memoryBeside() bool {
	return s.disk.limit > 0 || s.memory.used.Load()+largeBlock <= s.memory.limit/leftToContents
}

// rest drops, after a quiet minute, the memory, files and blocks kept for the next buffers.
func (s *Spool) rest() {
	s.resting.Lock()
	defer s.resting.Unlock()
	if s.quiet == nil {
		s.quiet = time.AfterFunc(spareTime, func() {
			s.dropSpares()
			s.large.drop()
		})
	}
	s.quiet.Reset(spareTime)
}

// dropSpares closes the files that are kept, and gives up the space of free blocks. It
// reports whether there was any.
func (s *Spool) dropSpares() bool {
	freed, files := s.spares.drop()
	s.files.give(files)
	freed += s.volumes.drop()
	s.disk.give(freed)
	return freed > 0
}

// newFile returns a new file, for reading and writing, that has no name: it goes when
// the process ends, even by a crash.
func newFile(dir string) (*os.File, error) {
	if f, err := unnamed(dir); err == nil {
		return f, nil
	}
	f, err := os.CreateTemp(dir, "milterscan-")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("spool: %w", err)
	}
	return f, nil
}

// block returns a block of at least one byte for position i of a buffer, or
// false if there is no memory left. It still holds the bytes of earlier use.
func (s *Spool) block(i int) ([]byte, bool) {
	if i == 0 {
		if !s.memory.take(smallBlock) {
			return nil, false
		}
		return s.small.Get().(*[smallBlock]byte)[:], true
	}
	room := s.memory.limit
	if i > reservedBlocks && s.disk.limit > 0 {
		room -= room / shareReserved
	}
	if !s.memory.takeWithin(largeBlock, room) {
		return nil, false
	}
	return s.large.get()[:], true
}

// takeBack returns a block to its pool.
func (s *Spool) takeBack(block []byte) {
	s.memory.give(int64(len(block)))
	if len(block) == smallBlock {
		s.small.Put((*[smallBlock]byte)(block))
		return
	}
	s.large.put((*[largeBlock]byte)(block))
}

// budget counts the use of something limited.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take takes n, or nothing if that would be more than the limit.
func (b *budget) take(n int64) bool { return b.takeWithin(n, b.limit) }

// takeWithin takes n as take does, with another limit.
func (b *budget) takeWithin(n, limit int64) bool {
	for {
		used := b.used.Load()
		if n > limit-used {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// give returns n of what was taken.
func (b *budget) give(n int64) { b.used.Add(-n) }
