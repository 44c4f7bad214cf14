// Package lists has the senders that people allow and block in memory, where mail finds them
// without waiting, and follows changes of their file.
package lists

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// Every is how often a book looks whether anything has changed: what a person lists is in force
// in every process within a second.
const Every = 250 * time.Millisecond

// Book has the entries in a file. It may be used by several goroutines at once.
type Book struct {
	store *people.Store
	warn  func(error)

	mu      sync.Mutex // of those who read
	mark    people.Mark
	current atomic.Pointer[Snapshot] // nil until it could be read
	failure atomic.Pointer[error]
	since   atomic.Int64 // when it was last read, in nanoseconds since 1970
}

// New returns the book of a file. It holds no entry until it is read. warn is told when the file
// cannot be read any more, and when it can again.
func New(path string, warn func(error)) *Book {
	return &Book{store: people.New(path), warn: warn}
}

// Close closes the file. What was read stays.
func (b *Book) Close() error { return b.store.Close() }

// Read takes over what has changed. If the file cannot be read what was read before stays in
// force.
func (b *Book) Read(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.read(ctx)
	if ctx.Err() != nil {
		return err
	}
	b.told(err)
	return err
}

func (b *Book) read(ctx context.Context) error {
	_, err := os.Stat(b.store.Path())
	last := b.current.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist) && (last == nil || last.empty()):
		b.current.Store(newSnapshot())
		b.mark = people.Mark{}
		return nil
	case err != nil: // it is not made again: that would be an empty one
		return err
	case last == nil:
		last = newSnapshot()
	}
	next := newDraft(last)
	mark, err := b.store.ChangesSince(ctx, b.mark, next)
	if err != nil {
		return err
	}
	if mark != b.mark || b.current.Load() == nil {
		b.mark = mark
		b.current.Store(next.Snapshot)
	}
	return nil
}

// told notes whether the file could be read, and warns where that has changed.
func (b *Book) told(err error) {
	was := b.Failure()
	switch {
	case err == nil:
		b.since.Store(time.Now().UnixNano())
		b.failure.Store(nil)
	default:
		b.failure.Store(&err)
	}
	switch {
	case err != nil && (was == nil || was.Error() != err.Error()):
		b.warn(fmt.Errorf("the lists of senders in %s cannot be read; %s: %w", b.store.Path(), b.stays(), err))
	case err == nil && was != nil:
		b.warn(fmt.Errorf("the lists of senders in %s can be read again", b.store.Path()))
	}
}

// stays says which entries are in force while the file cannot be read.
func (b *Book) stays() string {
	if s := b.current.Load(); s != nil {
		return fmt.Sprintf("the %d entries that were read before stay in force", s.Len())
	}
	return "no entry is in force, and all mail has the finding people/lists"
}

// Failure returns why the file cannot be read now; nil if it can, or is not there and never was.
func (b *Book) Failure() error {
	if e := b.failure.Load(); e != nil {
		return *e
	}
	return nil
}

// Entries returns how many entries are in force, and when the file was last read; the zero time
// if it never was.
func (b *Book) Entries() (n int, read time.Time) {
	if at := b.since.Load(); at != 0 {
		read = time.Unix(0, at)
	}
	if s := b.current.Load(); s != nil {
		n = s.Len()
	}
	return n, read
}

// Lists returns the entries and limits in force for one decision; nil if there are none. The error says
// that they are not known.
func (b *Book) Lists(by Terms) (policy.Lists, error) {
	s := b.current.Load()
	switch {
	case s == nil:
		return nil, fmt.Errorf("the lists of senders have not been read: %w", b.Failure())
	case s.empty():
		return nil, nil
	}
	return by.view(s), nil
}
