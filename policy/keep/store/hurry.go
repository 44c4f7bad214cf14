package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// How long mail waits for a database that others have locked, and for how long after
// that it does without.
const (
	hurry = 2 * time.Second
	rest  = 10 * time.Second
)

// errRests is reported for a database that made mail wait in vain a moment ago.
var errRests = fmt.Errorf("locked by another process for more than %v; asked again within %v", hurry, rest)

// read and write are use for mail, which waits no longer than hurry, and not at all
// for a database that has made other mail wait in vain. What may be read may yet be
// locked against writing.
func (f *file) read(ctx context.Context, do func(context.Context, *sql.DB) error) error {
	return f.hurried(ctx, &f.reads, do)
}

func (f *file) write(ctx context.Context, do func(context.Context, *sql.DB) error) error {
	return f.hurried(ctx, &f.writes, do)
}

func (f *file) hurried(ctx context.Context, b *breaker, do func(context.Context, *sql.DB) error) error {
	if !b.mayTry(time.Now()) {
		return fmt.Errorf("%s: %w", f.path, errRests)
	}
	hurried, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	err := f.use(hurried, func(db *sql.DB) error { return do(hurried, db) })
	b.note(time.Now(), busy(err) || errors.Is(hurried.Err(), context.DeadlineExceeded) && ctx.Err() == nil)
	return err
}

// breaker lets one call try from time to time while calls fail, and all when they do
// not. The zero value lets all.
type breaker struct {
	mu    sync.Mutex
	until time.Time // no call tries; zero while calls do not fail
}

// mayTry reports whether the caller may try.
func (b *breaker) mayTry(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return true
	case now.Before(b.until):
		return false
	}
	b.until = now.Add(rest) // the others go on waiting for how it ends
	return true
}

// note records how a call ended that mayTry admitted.
func (b *breaker) note(now time.Time, failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = time.Time{}
	if failed {
		b.until = now.Add(rest)
	}
}

// lock is a mutex that is waited for no longer than a context allows.
type lock chan struct{}

func (l lock) take(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l lock) free() { <-l }
