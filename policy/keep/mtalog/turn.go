package mtalog

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// ended sees whether the log goes on in another file, at the end of one. moved is true
// if reading can go on at once.
func (t *tail) ended() (moved bool, err error) {
	if len(t.old) > 0 {
		next := t.old[0]
		t.old = t.old[1:]
		err := t.enter(next.path, next.changed, Place{})
		if errors.Is(err, fs.ErrNotExist) { // renamed again
			err = t.searched(t.at)
		}
		return true, err
	}
	info, err := os.Stat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // about to be made
		return false, nil
	case err != nil:
		return false, err
	case !t.changed.IsZero():
		return true, t.enter(t.path, time.Time{}, Place{})
	case !os.SameFile(info, t.now.info):
		return t.turn(info.Size() > 0)
	case info.Size() < t.at.Offset+int64(len(t.buf)):
		return true, t.searched(t.at)
	}
	return false, nil
}

// A renamed file is read on for some looks, as its writer may have it open still: a few
// once there is something in the new one, and many before.
const (
	grace     = 4
	longGrace = 120
)

// turn goes on after a file that was renamed and has been read to its end: in those
// that have come since.
func (t *tail) turn(begun bool) (moved bool, err error) {
	if !t.renamed { // however long nothing had been logged before
		t.renamed, t.quiet = true, 0
	}
	if t.quiet < grace || !begun && t.quiet < longGrace {
		return false, nil
	}
	t.at.Offset += int64(len(t.buf)) // a last line without an end
	found, err := t.follows(t.at)
	if err == nil && !found {
		err = t.enter(t.path, time.Time{}, Place{})
	}
	return true, err
}
