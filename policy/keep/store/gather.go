package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"

	"github.com/milterscan/milterscan/policy/keep/find"
)

// Parts of a huge block are written some at a time, so that others wait for none of it long. Until all are there they belong
// to the first of the blocks that they are made of: their numbers are greater than those of its own parts.
const gatherBytes = 1 << 20

// gathering writes the parts of a huge block.
type gathering struct {
	h     *History
	first find.Span
	token string // marks the parts as ours
	parts map[find.Part][]byte
	size  int
}

// tokenPart has the token. It is none of find's parts.
const tokenPart = find.HugePart - 1

// gather has blocks be put together into a huge one, and writes the parts of that. It returns by what they are known.
func (h *History) gather(ctx context.Context, from shelf, w *find.Step) (token string, err error) {
	g := &gathering{h: h, first: w.Replaced[0], token: rand.Text(), parts: map[find.Part][]byte{}}
	err = h.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error { return g.begin(ctx, tx) })
	})
	if err == nil {
		err = w.Gather(ctx, from, h.sizes, func(p find.Part, data []byte) error { return g.put(ctx, p, data) })
	}
	if err == nil {
		err = g.flush(ctx)
	}
	return g.token, err
}

// begin takes away what another attempt has left.
func (g *gathering) begin(ctx context.Context, tx *sql.Tx) error {
	if err := stillThere(ctx, tx, g.first); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM part WHERE block = ? AND part >= ?`, g.first.First, tokenPart)
	if err == nil {
		_, err = tx.ExecContext(ctx, insertPart, g.first.First, tokenPart, []byte(g.token))
	}
	return err
}

// put keeps a part until there are some.
func (g *gathering) put(ctx context.Context, p find.Part, data []byte) error {
	g.parts[p] = data
	if g.size += len(data); g.size < gatherBytes {
		return nil
	}
	return g.flush(ctx)
}

// flush writes parts, unless another process has begun the same meanwhile, or changed the blocks.
func (g *gathering) flush(ctx context.Context) error {
	err := g.h.use(ctx, func(db *sql.DB) error {
		return inTransaction(ctx, db, func(tx *sql.Tx) error {
			if err := stillOurs(ctx, tx, g.first, g.token); err != nil {
				return err
			}
			return insertParts(ctx, tx, g.first.First, g.parts)
		})
	})
	clear(g.parts)
	g.size = 0
	return err
}

// stillThere returns errOvertaken if a block is not as it was.
func stillThere(ctx context.Context, tx *sql.Tx, b find.Span) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM block WHERE first = ? AND last = ? AND merged = ?`,
		b.First, b.Last, int(b.Level)).Scan(&n)
	if err == nil && n == 0 {
		err = errOvertaken
	}
	return err
}

// stillOurs returns errOvertaken if a block is not as it was, or the parts that wait there are another's.
func stillOurs(ctx context.Context, tx *sql.Tx, b find.Span, ours string) error {
	if err := stillThere(ctx, tx, b); err != nil {
		return err
	}
	var token string
	err := tx.QueryRowContext(ctx, partOfBlock, b.First, tokenPart).Scan(&token)
	if errors.Is(err, sql.ErrNoRows) || err == nil && token != ours {
		err = errOvertaken
	}
	return err
}

// grow has the huge block whose parts are there take the place of those that it is made of.
func (w step) grow(ctx context.Context, tx *sql.Tx) error {
	if err := stillOurs(ctx, tx, w.Replaced[0], w.token); err != nil {
		return err
	}
	for _, b := range w.Replaced {
		if err := stillThere(ctx, tx, b); err != nil {
			return err
		}
		if b.First != w.Huge.First {
			if _, err := dropBlock(ctx, tx, b.First, b.Last); err != nil {
				return err
			}
		}
	}
	b := w.Huge
	_, err := tx.ExecContext(ctx, `DELETE FROM part WHERE block = ? AND part <= ?`, b.First, tokenPart)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM block WHERE first = ?`, b.First)
	}
	if err == nil {
		err = insertBlock(ctx, tx, b)
	}
	return err
}
