package shared

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Fallback is a Store that keeps in a directory of this host what the database does not take. Until a message is
// moved into the database, nothing can be done with it: the database may have it already, by a commit whose answer
// never came, and another host may be releasing it.
type Fallback struct {
	*Store
	spare *quarantine.Dir
}

// NewFallback returns a store with a directory for what it does not take.
func NewFallback(s *Store, spare *quarantine.Dir) *Fallback { return &Fallback{s, spare} }

// Keep writes the copy, and returns when it is on the disk of the server or on that of this host.
func (f *Fallback) Keep(ctx context.Context, c policy.Copy) error {
	err := f.Store.Keep(ctx, c)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if here := f.spare.Keep(ctx, c); here != nil {
		return fmt.Errorf("%w; nor can this host keep it: %w", err, here)
	}
	return nil
}

// ErrWaits says that a message is not in the database yet.
var ErrWaits = errors.New("this host has kept the message while the database was away: nothing can be done with it " +
	"until it is moved into the database, which the daemon does by itself")

// there says of a message that is not in the database whether it waits to be moved there.
func (f *Fallback) there(id string, err error) error {
	if err != nil && f.spare.Has(id) {
		if errors.Is(err, quarantine.ErrUnknown) {
			return ErrWaits
		}
		return fmt.Errorf("%w (%w)", ErrWaits, err)
	}
	return err
}

// Entry reads an entry.
func (f *Fallback) Entry(ctx context.Context, id string) (quarantine.Entry, error) {
	e, err := f.Store.Entry(ctx, id)
	return e, f.there(id, err)
}

// Open opens the message.
func (f *Fallback) Open(ctx context.Context, id string) (io.ReadCloser, error) {
	r, err := f.Store.Open(ctx, id)
	return r, f.there(id, err)
}

// Change alters an entry.
func (f *Fallback) Change(ctx context.Context, id string, change func(*quarantine.Entry) error) error {
	return f.there(id, f.Store.Change(ctx, id, change))
}

// Delete removes a message with its entry.
func (f *Fallback) Delete(ctx context.Context, id string, why quarantine.Event) error {
	return f.there(id, f.Store.Delete(ctx, id, why))
}

// Find lists rows, newest first. Where it cannot, it says how many messages wait here.
func (f *Fallback) Find(ctx context.Context, filter quarantine.Filter) ([]quarantine.Row, error) {
	rows, err := f.Store.Find(ctx, filter)
	if err == nil {
		return rows, nil
	}
	if list, here := f.spare.IDs(); here == nil && len(list) > 0 {
		err = fmt.Errorf("%w; until it is back this host has %d kept messages to itself", err, len(list))
	}
	return nil, err
}

// Check returns why no message can be kept now, neither there nor here.
func (f *Fallback) Check(ctx context.Context) error {
	err := f.Store.Check(ctx)
	if err == nil {
		return nil
	}
	if here := f.spare.Check(ctx); here != nil {
		return fmt.Errorf("%w; nor can this host keep any: %w", err, here)
	}
	return nil
}

// Tidy removes what crashes have left in the directory.
func (f *Fallback) Tidy(now time.Time) error { return f.spare.Tidy(now) }
