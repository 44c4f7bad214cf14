package mtalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Bounds of reading.
const (
	chunk    = 128 << 10              // bytes that are read at once
	maxLine  = 64 << 10               // of a line; a longer one is not read
	pollTime = 500 * time.Millisecond // between looks at a file that does not grow
	atFirst  = 64 << 20               // how much of a log is read that was never read before
)

// lot is some lines of a log.
type lot struct {
	lines [][]byte // without their ends; good until the next lot
	at    Place    // after them
	near  time.Time
}

// source is a log that is followed.
type source interface {
	// next waits for lines. It returns an error if the log cannot be read, or ctx is done.
	next(ctx context.Context) (lot, error)
	close()
}

// tail follows a file across its rotations.
type tail struct {
	path string
	poll time.Duration
	warn func(error)

	now     *text     // the file that is read; nil before the first
	old     []rotated // those to read next, before the one at the path
	changed time.Time // when the file was changed last, if it is an old one
	at      Place
	buf     []byte // bytes read of the file and not returned; at.Offset is its beginning
	quiet   int    // looks since the file has grown last, or was seen to be renamed
	renamed bool   // the file was seen not to be at the path any more
}

// newTail returns a reader of the log at a path that goes on where it was left; known is
// false if it was never read.
func newTail(path string, at Place, known bool, poll time.Duration, warn func(error)) (*tail, error) {
	t := &tail{path: path, poll: poll, warn: warn}
	if !known {
		return t, t.begin()
	}
	return t, t.resume(at)
}

func (t *tail) close() {
	if t.now != nil {
		t.now.Close()
		t.now = nil
	}
}

// begin starts with the end of a log that was never read.
func (t *tail) begin() error {
	if err := t.enter(t.path, time.Time{}, Place{}); err != nil {
		return err
	}
	if size := t.now.info.Size(); size > atFirst {
		t.at.Offset, t.at.Within = size-atFirst, true
		_, err := t.now.file.Seek(t.at.Offset, io.SeekStart)
		return err
	}
	return nil
}

// resume goes on at a place: in the file at the path, or in one that was it.
func (t *tail) resume(at Place) error {
	current, err := openText(t.path, 0)
	if err != nil {
		return err
	}
	same := at.isIn(current.file, current.info)
	current.Close()
	if same {
		return t.enter(t.path, time.Time{}, at)
	}
	return t.searched(at)
}

// searched goes on at a place in a file that is not at the path any more, with those
// that came after it to follow.
func (t *tail) searched(at Place) error {
	found, err := t.follows(at)
	if err == nil && !found {
		if at.Offset > 0 {
			t.warn(errors.New("the file of the log that was read last is gone; what was written to its end is not read"))
		}
		err = t.enter(t.path, time.Time{}, Place{})
	}
	return err
}

// follows goes on in the rotated file that a place is in, and reports whether there is
// one.
func (t *tail) follows(at Place) (found bool, err error) {
	list, err := earlier(t.path)
	if err != nil {
		t.warn(fmt.Errorf("rotated files cannot be found: %w", err))
	}
	for i := len(list) - 1; i >= 0; i-- {
		if at.holds(list[i]) {
			t.old = list[i+1:]
			return true, t.enter(list[i].path, list[i].changed, at)
		}
	}
	return false, nil
}

// enter goes on in a file. changed is zero for the one at the path.
func (t *tail) enter(path string, changed time.Time, at Place) error {
	next, err := openText(path, at.Offset)
	if err != nil {
		return err
	}
	t.close()
	at.Inode = inodeOf(next.info)
	t.now, t.changed, t.at, t.buf, t.quiet, t.renamed = next, changed, at, t.buf[:0], 0, false
	return t.note()
}

// note hashes the beginning of the file, as far as it is there.
func (t *tail) note() error {
	if t.at.Bytes == headBytes {
		return nil
	}
	head := io.Reader(io.NewSectionReader(t.now.file, 0, headBytes))
	if t.now.compressed() {
		again, err := openText(t.now.file.Name(), 0)
		if err != nil {
			return err
		}
		defer again.Close()
		head = again
	}
	hash, n, err := headOf(head, headBytes)
	if err == nil && n > t.at.Bytes {
		t.at.Head, t.at.Bytes = hash, n
	}
	return err
}

// next returns the lines that are there, or waits for some.
func (t *tail) next(ctx context.Context) (lot, error) {
	for ctx.Err() == nil {
		if err := t.overwritten(); err != nil {
			return lot{}, err
		}
		n, err := t.read()
		if err != nil {
			return lot{}, err
		}
		if lines := t.take(); len(lines) > 0 || t.at.Within && n > 0 {
			return lot{lines, t.at, t.near()}, t.note()
		}
		if n > 0 {
			continue
		}
		moved, err := t.ended()
		if err != nil {
			return lot{}, err
		}
		if !moved {
			t.quiet++
			wait(ctx, t.poll)
		}
	}
	return lot{}, ctx.Err()
}

func (t *tail) near() time.Time {
	if t.changed.IsZero() {
		return time.Now()
	}
	return t.changed
}

// wait returns after a while, or when ctx is done.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// read reads on, and returns how many bytes there were.
func (t *tail) read() (int, error) {
	if room := len(t.buf) + chunk; cap(t.buf) < room {
		t.buf = append(make([]byte, 0, room), t.buf...)
	}
	n, err := t.now.Read(t.buf[len(t.buf) : len(t.buf)+chunk])
	t.buf = t.buf[:len(t.buf)+n]
	if n > 0 {
		t.quiet = 0
	}
	switch {
	case errors.Is(err, io.EOF):
		err = nil
	case err != nil && t.now.compressed():
		t.warn(fmt.Errorf("%s is read only until it is damaged: %w", t.now.file.Name(), err))
		t.now.Reader, err = strings.NewReader(""), nil
	}
	return n, err
}

// take takes the whole lines off what was read. Of a line that is too long nothing is
// returned.
func (t *tail) take() (lines [][]byte) {
	rest := t.buf
	for {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		if !t.at.Within && i <= maxLine {
			lines = append(lines, rest[:i])
		}
		t.at.Within = false
		t.at.Offset += int64(i) + 1
		rest = rest[i+1:]
	}
	if len(rest) > maxLine || t.at.Within {
		t.at.Within = true
		t.at.Offset += int64(len(rest))
		rest = nil
	}
	t.keep(rest)
	return lines
}

// keep has the next reading append to rest. Lines that were taken stay where they are.
func (t *tail) keep(rest []byte) { t.buf = append(make([]byte, 0, len(rest)+chunk), rest...) }

// overwritten goes on in the copy of a file that was cut off and filled again since the
// last look, and then in the file.
func (t *tail) overwritten() error {
	if !t.changed.IsZero() || t.at.Bytes == 0 || t.at.beginsAt(t.now.file) {
		return nil
	}
	return t.searched(t.at)
}
