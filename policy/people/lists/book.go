// Package lists has the senders that people allow and block in memory, where mail finds them
// without waiting, and follows the changes where they are kept.
package lists

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/people"
)

// Every is how often a book follows: what a person lists in a file is in force in every process within a second.
const Every = 250 * time.Millisecond

// Poll is how often a book asks a database by itself, one row. A change on one host is so in force on all within
// two seconds, even where no word of it comes.
const Poll = time.Second

// Options say how a book follows.
type Options struct {
	Warn func(error) // is told when the lists cannot be read any more, and when they can again
	// Shared has the file that keeps the lists for a start while the database that hosts share is away; "" for lists in a
	// file of this host, which is asked at each call of Follow.
	Shared string
}

// Book has the entries of a store. It may be used by several goroutines at once.
type Book struct {
	Options
	store *people.Store

	mu      sync.Mutex // of those who read
	mark    people.Mark
	asked   time.Time
	current atomic.Pointer[Snapshot] // nil until it could be read
	kept    atomic.Pointer[Snapshot] // as it is in the file Shared
	failure atomic.Pointer[error]
	since   atomic.Int64 // when it was last read, in nanoseconds since 1970
	stale   atomic.Bool
}

// New returns the book of a store, which it closes with itself. It holds no entry until it is read.
func New(store *people.Store, o Options) *Book { return &Book{Options: o, store: store} }

// Close closes the store. What was read stays.
func (b *Book) Close() error { return b.store.Close() }

// Changed says that something is changed in the database: the next call of Follow takes it over.
func (b *Book) Changed() { b.stale.Store(true) }

// Follow takes over what has changed, if it is time to look.
func (b *Book) Follow(ctx context.Context, now time.Time) {
	b.mu.Lock()
	rests := b.Shared != "" && now.Sub(b.asked) < Poll && !now.Before(b.asked)
	if !rests {
		b.asked = now
	}
	b.mu.Unlock()
	if told := b.stale.Swap(false); told || !rests {
		b.Read(ctx) // which warns itself
	}
}

// Read takes over what has changed. If the lists cannot be read those that were read before stay in
// force; at the start, those in the file Shared.
func (b *Book) Read(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.read(ctx)
	if err != nil && b.current.Load() == nil && b.Shared != "" { // also where ctx is done: mail comes next
		err = errors.Join(err, b.restore())
	}
	if ctx.Err() != nil {
		return err
	}
	b.told(err)
	return err
}

func (b *Book) read(ctx context.Context) error {
	err := b.store.There()
	last := b.current.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist) && (last == nil || last.empty()):
		b.current.Store(newSnapshot())
		b.mark = people.Mark{}
		return nil
	case err != nil: // it is not made again: that would be an empty one
		return err
	}
	mark, err := b.store.Mark(ctx)
	if err != nil || mark == b.mark && last != nil && last.at.IsZero() {
		return err
	}
	if last == nil || !last.at.IsZero() { // what a file has is of an unknown mark
		last, b.mark = newSnapshot(), people.Mark{}
	}
	next := newDraft(last)
	if mark, err = b.store.ChangesSince(ctx, b.mark, next); err != nil {
		return err
	}
	b.mark = mark
	b.current.Store(next.Snapshot)
	return nil
}

// told notes whether the lists could be read, and warns where that has changed.
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
	case err != nil && (was == nil || b.Shared == "" && was.Error() != err.Error()): // those of connections name a port
		b.Warn(fmt.Errorf("the lists of senders in %s cannot be read; %s: %w", b.store.Place(), b.stays(), err))
	case err == nil && was != nil:
		b.Warn(fmt.Errorf("the lists of senders in %s can be read again", b.store.Place()))
	}
}

// stays says which entries are in force while the lists cannot be read.
func (b *Book) stays() string {
	s := b.current.Load()
	switch {
	case s != nil && !s.at.IsZero():
		return fmt.Sprintf("the %d entries of %s are in force, as %s has them",
			s.Len(), s.at.Local().Format(time.DateTime), b.Shared)
	case s != nil:
		return fmt.Sprintf("the %d entries that were read before stay in force", s.Len())
	}
	return "no entry is in force, and all mail has the finding people/lists"
}

// Failure returns why the lists cannot be read now; nil if they can, or a file is not there and never was.
func (b *Book) Failure() error {
	if e := b.failure.Load(); e != nil {
		return *e
	}
	return nil
}

// Entries returns how many entries are in force, and when they were last read; the zero time
// if they never were.
func (b *Book) Entries() (n int, read time.Time) {
	if at := b.since.Load(); at != 0 {
		read = time.Unix(0, at)
	}
	if s := b.current.Load(); s != nil {
		n = s.Len()
	}
	return n, read
}

var errUnread = errors.New("the lists of senders have not been read")

// Lists returns the entries and limits in force for one decision; nil if there are none. The error says
// that they are not known.
func (b *Book) Lists(by Terms) (policy.Lists, error) {
	s := b.current.Load()
	switch {
	case s == nil:
		if err := b.Failure(); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnread, err)
		}
		return nil, errUnread
	case s.empty():
		return nil, nil
	}
	return by.view(s), nil
}
