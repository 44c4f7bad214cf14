package shared

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/keep/bucket"
)

// Numbers and times of removing objects.
const (
	// orphanAge is that of objects without an entry which are removed: younger ones may be about to get theirs, or belong to a server
	// that somebody put in the place of this one by mistake, and has a weekend to notice.
	orphanAge = 7 * 24 * time.Hour
	removed   = 100 // are claimed at once
	removers  = 8   // at the same time
)

// sweep removes the objects of deleted messages, and once a day claims those that have no entry. It is done by any number
// of hosts at once.
func (s *Store) sweep(ctx context.Context, now time.Time) error {
	if s.objects == nil {
		return nil
	}
	return errors.Join(s.claimOrphans(ctx, now), s.removeLeft(ctx))
}

// claimLeft takes names of objects that are to be removed. Another host takes them ten minutes later, if they are still there.
const claimLeft = `UPDATE quarantine_object SET tried = clock_timestamp() WHERE name IN (SELECT name FROM quarantine_object
	WHERE id IS NULL AND (tried IS NULL OR tried < clock_timestamp() - interval '10 minutes')
	ORDER BY tried NULLS FIRST LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING name`

// removeLeft removes the objects of deleted messages. It ends with the first hundred of which some cannot be removed.
func (s *Store) removeLeft(ctx context.Context) error {
	for {
		names, err := s.ids(ctx, claimLeft, int64(removed))
		if err != nil || len(names) == 0 {
			return err
		}
		if err := s.remove(ctx, names); err != nil {
			return fmt.Errorf("objects of deleted messages are not removed yet: %w", err)
		}
	}
}

// remove removes objects, and then their rows.
func (s *Store) remove(ctx context.Context, names []string) error {
	var all sync.WaitGroup
	errs, next := make([]error, len(names)), make(chan int, len(names))
	for i := range names {
		next <- i
	}
	close(next)
	for range min(removers, len(names)) {
		all.Go(func() {
			for i := range next {
				errs[i] = s.objects.bucket.Delete(ctx, names[i])
			}
		})
	}
	all.Wait()
	var gone []string
	for i, name := range names {
		if errs[i] == nil {
			gone = append(gone, name)
		}
	}
	_, err := s.ids(ctx, `DELETE FROM quarantine_object WHERE name = ANY($1::text[]) AND id IS NULL RETURNING name`, gone)
	return errors.Join(errors.Join(errs...), err)
}

// claimOrphans notes, once a day, that objects without an entry are to be removed: those whose message was never entered, since
// the host or the database ended in between. From then on no entry can get them.
func (s *Store) claimOrphans(ctx context.Context, now time.Time) error {
	due, err := s.ids(ctx, `UPDATE quarantine_folder SET swept = clock_timestamp()
		WHERE swept < clock_timestamp() - interval '1 day' RETURNING name`)
	if err != nil || len(due) == 0 {
		return err
	}
	var theirs time.Time
	err = s.state.Read(ctx, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&theirs)
	})
	if err != nil {
		return err
	}
	if theirs.Before(now) { // a clock that is far ahead makes nothing old
		now = theirs
	}
	return s.objects.bucket.List(ctx, due[0]+"/", func(page []bucket.Object) error {
		var old []string
		for _, o := range page {
			if now.Sub(o.Time) > orphanAge {
				old = append(old, o.Name)
			}
		}
		_, err := s.ids(ctx, `INSERT INTO quarantine_object (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING name`, old)
		return err
	})
}
