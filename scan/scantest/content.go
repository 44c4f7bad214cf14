package scantest

import (
	"context"
	"errors"
	"sync/atomic"
)

// leakSize is large enough for a scanner to notice its context in between.
const leakSize = 1 << 30

// afterCancel is how much may still be read once the context is done: a block
// on the way, a few goroutines at it.
const afterCancel = 64 << 20

var errBroken = errors.New("scantest: the disk is broken")

// leak is content that cancels the scan when it is first read, and counts the bytes
// read afterwards.
type leak struct {
	cancel context.CancelFunc
	read   atomic.Int64
}

func (l *leak) Size() int64 { return leakSize }

// ReadAt fails beyond what the suite tolerates, so that a deaf scanner ends.
func (l *leak) ReadAt(p []byte, off int64) (int, error) {
	l.cancel()
	if l.read.Add(int64(len(p))) > afterCancel {
		return 0, errBroken
	}
	clear(p)
	return len(p), nil
}

// broken is content that cannot be read.
type broken struct{ tried atomic.Bool }

func (b *broken) Size() int64 { return 100 }

func (b *broken) ReadAt([]byte, int64) (int, error) {
	b.tried.Store(true)
	return 0, errBroken
}
