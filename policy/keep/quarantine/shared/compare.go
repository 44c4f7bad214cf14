package shared

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/policy/keep/bucket"
)

// Lost is something that is wrong with an object.
type Lost struct {
	ID, Name string // of the message, "" if there is none; of the object
	Size     int64  // of the object; -1: it is not there
}

// Compare calls tell with each entry whose object is not there or has another size, and each object of some age that has no
// entry. It reads no object.
func (s *Store) Compare(ctx context.Context, now time.Time, tell func(Lost)) error {
	if s.objects == nil {
		return nil
	}
	folder, err := s.place(ctx)
	if err != nil {
		return err
	}
	after := ""
	err = s.objects.bucket.List(ctx, folder+"/", func(page []bucket.Object) error {
		last := page[len(page)-1].Name
		err := s.differ(ctx, page, after, last, now, tell)
		after = last
		return err
	})
	if err != nil {
		return err
	}
	return s.differ(ctx, nil, after, "", now, tell)
}

// differ tells what is wrong with some objects, and with the entries whose objects come after one name and not after another,
// "" being after all.
func (s *Store) differ(ctx context.Context, page []bucket.Object, after, last string, now time.Time, tell func(Lost)) error {
	there := make(map[string]bucket.Object, len(page))
	for _, o := range page {
		there[o.Name] = o
	}
	for {
		rows, err := s.between(ctx, after, last)
		if err != nil {
			return err
		}
		for _, row := range rows {
			o, found := there[row.name]
			delete(there, row.name)
			after = row.name
			if !found {
				o.Size = -1
			}
			if err := s.unlike(ctx, row, o.Size, tell); err != nil {
				return err
			}
		}
		if len(rows) < batch {
			break
		}
	}
	for _, o := range page {
		if _, left := there[o.Name]; left && now.Sub(o.Time) > orphanAge {
			tell(Lost{"", o.Name, o.Size})
		}
	}
	return nil
}

// unlike tells of an entry whose object has another size than it had, unless it was deleted meanwhile, or written after the list
// was made.
func (s *Store) unlike(ctx context.Context, row named, size int64, tell func(Lost)) error {
	if !row.id.Valid || row.stored == size {
		return nil
	}
	size, err := s.sizeOf(ctx, row.name)
	if err != nil || row.stored == size {
		return err
	}
	still, err := s.ids(ctx, `SELECT id FROM quarantine_object WHERE name = $1 AND id IS NOT NULL`, row.name)
	if err == nil && len(still) > 0 {
		tell(Lost{row.id.String, row.name, size})
	}
	return err
}

// sizeOf returns the size that an object has now, -1 if it is not there.
func (s *Store) sizeOf(ctx context.Context, name string) (int64, error) {
	size := int64(-1)
	err := s.objects.bucket.List(ctx, name, func(page []bucket.Object) error {
		for _, o := range page {
			if o.Name == name {
				size = o.Size
			}
		}
		return nil
	})
	return size, err
}

// named is a message that is an object.
type named struct {
	name   string
	id     sql.NullString // null: it is to be removed
	stored int64
}

// between returns messages in the order of the names of their objects: the first ones after one name, and not after another.
func (s *Store) between(ctx context.Context, after, last string) (found []named, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = s.state.Read(ctx, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT o.name, o.id, coalesce(q.stored, 0) FROM quarantine_object AS o
			LEFT JOIN quarantine AS q USING (id) WHERE o.name > $1 AND ($2::text = '' OR o.name <= $2::text)
			ORDER BY o.name LIMIT $3`, after, last, int64(batch))
		if err != nil {
			return err
		}
		defer rows.Close()
		found = nil
		for rows.Next() {
			var n named
			if err := rows.Scan(&n.name, &n.id, &n.stored); err != nil {
				return err
			}
			found = append(found, n)
		}
		return rows.Err()
	})
	return found, err
}
