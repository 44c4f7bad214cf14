package shared

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
)

// chunkSize is how many bytes of a message are in one row at most: neither side holds more of it in memory, and
// the server's own limit of a value is far away.
const chunkSize = 512 << 10

// chunks cuts all that is written to it into pieces of one size; only the last may be shorter.
type chunks struct {
	size    int
	put     func(n int, data []byte) error
	held    []byte
	n       int
	written int64
}

// Write holds back what makes no whole piece.
func (c *chunks) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		take := min(len(rest), c.size-len(c.held))
		c.held, rest = append(c.held, rest[:take]...), rest[take:]
		if len(c.held) < c.size {
			continue
		}
		if err := c.end(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// end puts the piece that was held back.
func (c *chunks) end() error {
	if len(c.held) == 0 {
		return nil
	}
	if err := c.put(c.n, c.held); err != nil {
		return err
	}
	c.n, c.written, c.held = c.n+1, c.written+int64(len(c.held)), make([]byte, 0, c.size)
	return nil
}

// body reads a compressed message piece by piece.
type body struct {
	ctx   context.Context
	store *Store
	id    string
	next  int
	left  int64 // bytes of pieces that have not been fetched
	held  []byte
}

// Read fails where a piece is missing, or has another size than all had together when they were written.
func (b *body) Read(p []byte) (int, error) {
	if len(b.held) == 0 {
		if b.left == 0 {
			return 0, io.EOF
		}
		if err := b.fetch(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.held)
	b.held = b.held[n:]
	return n, nil
}

func (b *body) fetch() error {
	ctx, cancel := context.WithTimeout(b.ctx, callTime)
	defer cancel()
	err := b.store.state.Read(ctx, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT data FROM quarantine_body WHERE id = $1 AND n = $2`, b.id, int64(b.next)).Scan(&b.held)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: piece %d is missing; it was deleted a moment ago, or the database is damaged", errPiece, b.next)
	case err != nil:
		return err
	case int64(len(b.held)) > b.left || len(b.held) == 0:
		return fmt.Errorf("%w: piece %d has %d bytes", errPiece, b.next, len(b.held))
	}
	b.next, b.left = b.next+1, b.left-int64(len(b.held))
	return nil
}

var errPiece = errors.New("the message is not what was kept")
