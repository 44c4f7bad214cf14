package spool

// tail is the end of a content that is written to a file of its own, until there is a
// whole block for it. The system keeps pieces that begin and end where large pages do
// in such pages, which takes it half of the time.
type tail struct {
	bytes []byte // none if the file holds all; of a large block, once there was memory for one
	at    int64  // where they belong
}

// from returns where the tail of a content of some size begins, which is its end if there is none.
func (t *tail) from(size int64) int64 {
	if len(t.bytes) == 0 {
		return size
	}
	return t.at
}

// cut takes off what is after the end of a content.
func (t *tail) cut(size int64) { t.bytes = t.bytes[:max(0, min(size-t.at, int64(len(t.bytes))))] }

// giveBack returns the block.
func (t *tail) giveBack(s *Spool) {
	if t.bytes != nil {
		s.takeBack(t.bytes[:largeBlock])
	}
	*t = tail{}
}

// gather puts p to off, the end of the file and its tail, and writes what makes whole blocks. Where there is no memory
// for a tail, it writes all.
func (b *Buffer) gather(p []byte, off int64) error {
	t := &b.own.tail
	if t.bytes == nil {
		block, ok := b.spool.block(mostBlocks) // not one that is there for small contents
		if !ok {
			return b.writeAt(p, off)
		}
		t.bytes = block[:0]
	}
	for len(p) > 0 {
		if len(t.bytes) == 0 {
			t.at = off
		}
		n := min(largeBlock-off%largeBlock, int64(len(p)))
		t.bytes = append(t.bytes, p[:n]...)
		p, off = p[n:], off+n
		if off%largeBlock != 0 {
			continue
		}
		if err := b.writeAt(t.bytes, t.at); err != nil {
			return err
		}
		t.bytes = t.bytes[:0]
	}
	return nil
}

// writeAt writes p to the buffer's own file.
func (b *Buffer) writeAt(p []byte, off int64) error {
	return b.onFullDisk(func() error { _, err := b.own.file.WriteAt(p, off); return err })
}

// moving puts what it is given to the buffer's own file, from the beginning on.
type moving struct {
	of   *Buffer
	done int64
}

func (m *moving) Write(p []byte) (int, error) {
	if err := m.of.gather(p, m.done); err != nil {
		return 0, err
	}
	m.done += int64(len(p))
	return len(p), nil
}
