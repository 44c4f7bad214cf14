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

// Blocks asks blocks. One that is damaged is not asked: all calls Record with each of its records.
func (k *Holding) Blocks(ctx context.Context, blocks []Span, read ReadParts, all func(Span) error) error {
	for len(blocks) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := some(blocks, heldTogether)
		questions := make([]*asking, n)
		rows, covers := make([][]Row, n), make([]history.Coverage, n)
		for i, b := range blocks[:n] {
			questions[i] = &asking{block: b.First, do: func(read access) (err error) {
				rows[i], covers[i], err = hold(b, k.Holding, read)
				return err
			}}
		}
		if err := together(ctx, read, questions); err != nil {
			return err
		}
		for i, a := range questions {
			if errors.Is(a.err, ErrDamaged) {
				a.err = all(blocks[i])
			} else {
				k.rows = append(k.rows, rows[i]...)
				k.out.Add(covers[i])
			}
			if a.err != nil {
				return a.err
			}
		}
		blocks = blocks[n:]
	}
	return nil
}

// heldTogether is how many blocks are asked together.
const heldTogether = 8

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
		text, err := fetch(ctx, at, func() []Row { return k.rows[i+1:] })
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
