package find

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// Holding is a question about all records, as blocks and single records answer it.
type Holding struct {
	history.Holding
	rows []Row
	out  history.Held
}

// NewHolding begins a question. What was received before oldest, in milliseconds, has expired.
func NewHolding(q history.Holding, oldest int64) *Holding {
	if !q.Before.IsZero() { // records have whole milliseconds
		q.Before = q.Before.Add(time.Millisecond - 1).Truncate(time.Millisecond)
	}
	if at := time.UnixMilli(oldest); at.After(q.Since) {
		q.Since = at
	}
	return &Holding{Holding: q}
}

// Block asks a block. One that is damaged is not asked: all calls Record with each of its records.
func (k *Holding) Block(ctx context.Context, b Span, read func(p Part, use func([]byte) error) error,
	all func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rows, c, err := Hold(b, k.Holding, read)
	if errors.Is(err, ErrDamaged) {
		return all()
	}
	k.rows = append(k.rows, rows...)
	k.out.Add(c)
	return err
}

// Record asks a record.
func (k *Holding) Record(at Row, text []byte) error {
	var r policy.Record
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("record %d cannot be read: %w", at.Key, err)
	}
	r.Upgrade()
	k.out.Add(k.Covers(r))
	if k.Matches(r) {
		k.rows = append(k.rows, at)
	}
	return nil
}

// Collect reads the newest of the records that were found, and looks whether they are what the block said.
func (k *Holding) Collect(ctx context.Context, fetch Fetch) (history.Held, error) {
	slices.SortFunc(k.rows, Row.Later)
	for i, at := range k.rows {
		if len(k.out.Records) == k.Most {
			k.out.More = len(k.rows) - i
			break
		}
		text, err := fetch(ctx, at, k.rows[i+1:])
		if err != nil {
			return k.out, err
		}
		if text == nil { // it has expired, and the block not yet
			continue
		}
		var r policy.Record
		if err := json.Unmarshal(text, &r); err != nil {
			return k.out, err
		}
		r.Upgrade()
		if k.Matches(r) {
			k.out.Records = append(k.out.Records, r)
		}
	}
	return k.out, nil
}
