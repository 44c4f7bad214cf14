package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	chronicle "github.com/milterscan/milterscan/policy/keep/history/shared"
	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// recordsTogether is how many records are moved at once. Daemons that write records wait for these.
const recordsTogether = 250

// moveHistory copies the records of history.file, but those whose time is over.
func moveHistory(ctx context.Context, k *Stores, c *config.Config, w Watch) (m Moved, err error) {
	m.From = c.History.File
	if _, err := os.Stat(m.From); m.From == "" || errors.Is(err, fs.ErrNotExist) {
		m.Note = NoFile
		return m, nil
	}
	from := store.NewHistory(m.From, k.tell)
	defer from.Close()
	to := k.records(c)
	oldest, err := to.Oldest(ctx)
	if err != nil {
		return m, err
	}
	oldest = oldestMoved(oldest, time.Now(), c.History.Keep.Go())
	w.Begin("records", 0)
	r := recordMove{to: to, oldest: oldest, watch: w}
	for after := int64(0); ; {
		page, err := from.Page(ctx, after, recordsTogether)
		if err == nil && len(page) == 0 {
			m.Left, m.Note = r.left, r.String()
			return m, nil
		}
		if err == nil {
			err = r.move(ctx, page)
		}
		if err != nil {
			return m, fmt.Errorf("after %d records: %w", r.had, err)
		}
		after = page[len(page)-1].Key
	}
}

// oldestMoved returns from when on records are moved: they are shown there since a time, and kept for so long, 0 for ever.
func oldestMoved(shown, now time.Time, keep time.Duration) time.Time {
	if kept := now.Add(-keep); keep > 0 && kept.After(shown) {
		return kept
	}
	return shown
}

// recordMove puts records of a file into the history that hosts share.
type recordMove struct {
	to                         *chronicle.Store
	oldest                     time.Time // of records that are moved
	watch                      Watch
	had, moved, over, left, in int // in: were in the database already
}

// String says what became of the records.
func (r *recordMove) String() string {
	return fmt.Sprintf("%d records: %d moved, %d were in the database already, the time of %d is over; %d stay",
		r.had, r.moved, r.in, r.over, r.left)
}

// move puts some records there. Of those that the database refuses for what they are each is named.
func (r *recordMove) move(ctx context.Context, page []store.Written) error {
	var list []policy.Record
	for _, one := range page {
		switch {
		case one.Err != nil:
			r.stays(one.Err)
		case one.Record.Time.Before(r.oldest):
			r.over++
		default:
			list = append(list, one.Record)
		}
	}
	err := r.add(ctx, list)
	if postgres.Refused(err) {
		for _, one := range list {
			if err = r.add(ctx, []policy.Record{one}); postgres.Refused(err) {
				r.stays(fmt.Errorf("record %s: %w", one.ID, err))
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
	if err == nil {
		r.had += len(page)
		r.watch.Step(len(page))
	}
	return err
}

// add puts some records there, or none.
func (r *recordMove) add(ctx context.Context, list []policy.Record) error {
	n, err := r.to.Add(ctx, list)
	if err == nil {
		r.moved, r.in = r.moved+n, r.in+len(list)-n
	}
	return err
}

// stays counts a record that is not in the database, and says why.
func (r *recordMove) stays(why error) {
	r.left++
	r.watch.Warn(why)
}
