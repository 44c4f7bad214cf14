package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/scan/breaker"
)

// hurry is how long mail waits for a database that others have locked. For
// breaker.Rest after that it does without.
const hurry = 2 * time.Second

// errRests is reported for a database that made mail wait in vain a moment ago.
var errRests = fmt.Errorf("locked by another process for more than %v; asked again within %v", hurry, breaker.Rest)

// read and write are use for mail, which waits no longer than hurry, and not at all
// for a database that has made other mail wait in vain. What may be read may yet be
// locked against writing.
func (f *file) read(ctx context.Context, do func(context.Context, *sql.DB) error) error {
	return f.hurried(ctx, &f.reads, do)
}

func (f *file) write(ctx context.Context, do func(context.Context, *sql.DB) error) error {
	return f.hurried(ctx, &f.writes, do)
}

func (f *file) hurried(ctx context.Context, b *breaker.Breaker, do func(context.Context, *sql.DB) error) error {
	if !b.MayTry(time.Now()) {
		return fmt.Errorf("%s: %w", f.path, errRests)
	}
	hurried, cancel := context.WithTimeout(ctx, hurry)
	defer cancel()
	err := f.use(hurried, func(db *sql.DB) error { return do(hurried, db) })
	b.Note(time.Now(), busy(err) || errors.Is(hurried.Err(), context.DeadlineExceeded) && ctx.Err() == nil)
	return err
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
