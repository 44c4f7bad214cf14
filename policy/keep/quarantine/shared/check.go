package shared

import (
	"context"
	"database/sql"
)

// IDs returns ids of messages in their order, those that come after one: "" for the first. It returns none after the
// last.
func (s *Store) IDs(ctx context.Context, after string) ([]string, error) {
	return s.ids(ctx, `SELECT id FROM quarantine WHERE id > $1 ORDER BY id LIMIT $2`, after, int64(batch))
}

// Strays returns ids of messages, at most some hundred, that have pieces and no entry.
func (s *Store) Strays(ctx context.Context) ([]string, error) {
	return s.ids(ctx, `SELECT DISTINCT id FROM quarantine_body AS b
		WHERE NOT EXISTS (SELECT FROM quarantine AS q WHERE q.id = b.id) ORDER BY id LIMIT $1`, int64(batch))
}

// Partial returns those of some messages whose pieces have not the size that they had together when they were kept. Of those
// that are objects nothing is known here.
func (s *Store) Partial(ctx context.Context, ids []string) ([]string, error) {
	return s.ids(ctx, `SELECT id FROM quarantine AS q WHERE id = ANY($1::text[]) AND stored <>
		(SELECT coalesce(sum(octet_length(data)), 0) FROM quarantine_body AS b WHERE b.id = q.id)
		AND NOT EXISTS (SELECT FROM quarantine_object AS o WHERE o.id = q.id) ORDER BY id`, ids)
}

func (s *Store) ids(ctx context.Context, query string, args ...any) (list []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.state.Read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		list = nil
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			list = append(list, id)
		}
		return rows.Err()
	})
	return list, err
}
