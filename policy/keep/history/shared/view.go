package shared

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// Bounds of what one question fetches: every question costs the way there and back.
const (
	mostNamed   = 1000 // records with one queue id or Message-ID; of more the blocks are asked
	mostRecords = 128  // records
)

// view is the history as it was at one moment.
type view struct {
	conn   *sql.Conn // that tx is on
	tx     *sql.Tx
	extent find.Extent
	oldest int64 // what was received before is not shown

	few     int              // records are fetched at once
	records map[int64][]byte // that were fetched ahead, nil where there is none
}

// look calls do with the history as it is now. What do reads is of one moment.
func (s *Store) look(ctx context.Context, few int, do func(*view) error) error {
	return s.state.Read(ctx, func(db *sql.DB) error {
		c, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		tx, err := c.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		if err != nil {
			return err
		}
		defer tx.Rollback()
		v := &view{conn: c, tx: tx, records: map[int64][]byte{}, few: min(few, mostRecords)}
		if _, err := tx.ExecContext(ctx, uncompiled); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT high, next, oldest FROM history_extent`).
			Scan(&v.extent.High, &v.extent.Next, &v.oldest); err != nil {
			return err
		}
		return do(v)
	})
}

// Find finds records by a filter, a page at a time.
func (s *Store) Find(ctx context.Context, f history.Filter, after history.Cursor) (p history.Page, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime+f.Patience)
	defer cancel()
	err = s.look(ctx, f.Size()+1, func(v *view) error {
		q := find.NewSearch(f, after)
		q.Fetch, q.Read, q.Oldest, q.Ahead = v.record, v.readParts, v.oldest, true
		if named, err := v.named(ctx, q); err != nil || named {
			if err == nil {
				p, err = q.Page(ctx)
			}
			return err
		}
		spans, err := v.blocks(ctx)
		if err != nil {
			return err
		}
		q.Add(&find.Source{Top: q.Start(), Load: v.keys(v.extent.High, v.extent.Next-1, math.MinInt64, math.MaxInt64)})
		for _, b := range spans {
			q.AddBlock(b, v.keys(b.First, b.Last, b.Oldest.Time, b.Newest.Time))
		}
		p, err = q.Page(ctx)
		return err
	})
	return p, err
}

// blocks lists the blocks.
func (v *view) blocks(ctx context.Context) ([]find.Span, error) {
	return each(ctx, v.tx, scanSpan, spansOfBlocks+` ORDER BY newest DESC, newest_key DESC`)
}

// spansOfBlocks asks for the spans of all blocks.
const spansOfBlocks = `SELECT coalesce(level, merged::integer), first, last, rows, newest, newest_key, oldest, oldest_key FROM history_block`

func scanSpan(rows *sql.Rows) (b find.Span, err error) {
	return b, rows.Scan(&b.Level, &b.First, &b.Last, &b.Rows, &b.Newest.Time, &b.Newest.Key, &b.Oldest.Time, &b.Oldest.Key)
}

// named takes the records with a queue id or a Message-ID as the only source. It reports
// whether the filter names one, and the records are few.
func (v *view) named(ctx context.Context, q *find.Search) (bool, error) {
	for _, c := range []struct{ column, id string }{
		{"queue", q.Filter.QueueID}, {"mid", history.BareID(q.Filter.MessageID)}} {
		if c.id == "" {
			continue
		}
		rows, err := each(ctx, v.tx, scanRow, `SELECT time, key FROM history WHERE `+c.column+` = $1 LIMIT $2`,
			hashed(c.id), int64(mostNamed+1))
		if err != nil {
			return false, err
		}
		if len(rows) > mostNamed {
			continue
		}
		slices.SortFunc(rows, find.Row.Later)
		if len(rows) > 0 {
			q.Add(&find.Source{Top: rows[0], Rows: rows})
		}
		return true, nil
	}
	return false, nil
}

func scanRow(rows *sql.Rows) (r find.Row, err error) { return r, rows.Scan(&r.Time, &r.Key) }

// keys lists the records with keys from first to last, received from oldest to newest.
func (v *view) keys(first, last, oldest, newest int64) func(context.Context) ([]find.Row, error) {
	return func(ctx context.Context) ([]find.Row, error) {
		rows, err := each(ctx, v.tx, scanRow,
			`SELECT time, key FROM history WHERE key >= $1 AND key <= $2 AND time >= $3 AND time <= $4`,
			first, last, oldest, newest)
		slices.SortFunc(rows, find.Row.Later)
		return rows, err
	}
}

// record reads a record, and those that are soon wanted with it.
func (v *view) record(ctx context.Context, at find.Row, soon func() []find.Row) ([]byte, error) {
	text, known := v.records[at.Key]
	if !known {
		rows := append([]find.Row{at}, soon()...)
		if err := v.fetch(ctx, rows[:min(len(rows), v.few)]); err != nil {
			return nil, err
		}
		text = v.records[at.Key]
	}
	delete(v.records, at.Key)
	return text, nil
}

// fetch reads records. Of those that were fetched before and were not wanted yet, too many are forgotten.
func (v *view) fetch(ctx context.Context, rows []find.Row) error {
	oldest, newest := rows[0].Time, rows[0].Time
	var keys []int64
	if len(v.records) > 4*mostRecords {
		clear(v.records)
	}
	for _, r := range rows {
		oldest, newest, keys = min(oldest, r.Time), max(newest, r.Time), append(keys, r.Key)
		v.records[r.Key] = nil
	}
	found, err := v.tx.QueryContext(ctx,
		`SELECT key, record FROM history WHERE key = ANY($1::bigint[]) AND time >= $2 AND time <= $3`, keys, oldest, newest)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var key int64
		var text []byte
		if err := found.Scan(&key, &text); err != nil {
			return err
		}
		v.records[key] = text
	}
	return found.Err()
}

// readParts calls use with parts of blocks, which are read at once.
func (v *view) readParts(ctx context.Context, list []find.Piece, use func(i int, data []byte)) error {
	blocks, parts := make([]int64, len(list)), make([]int64, len(list))
	places := make(map[find.Piece]int, len(list))
	for i, p := range list {
		blocks[i], parts[i], places[p] = p.Block, int64(p.Part), i
	}
	return postgres.Raw(ctx, v.conn, func(row [][]byte) error {
		p := find.Piece{Block: int64(binary.BigEndian.Uint64(row[0])), Part: find.Part(binary.BigEndian.Uint64(row[1]))}
		if i, wanted := places[p]; wanted {
			use(i, row[2])
		}
		return nil
	}, `SELECT p.block, p.part, p.data FROM unnest($1::bigint[], $2::bigint[]) AS w (block, part)
		CROSS JOIN LATERAL (SELECT block, part, data FROM history_part AS p WHERE p.block = w.block AND p.part = w.part OFFSET 0) AS p`,
		listed(blocks), listed(parts))
}

// listed writes numbers as an array of the database.
func listed(list []int64) string {
	text := []byte("{")
	for i, n := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, '}'))
}

// Hold returns the records that have something on a list, the newest first. Blocks answer for the records in them.
func (s *Store) Hold(ctx context.Context, q history.Holding) (out history.Held, err error) {
	ctx, cancel := context.WithTimeout(ctx, holdTime)
	defer cancel()
	err = s.look(ctx, mostRecords, func(v *view) error {
		k := find.NewHolding(q, v.oldest)
		spans, err := v.blocks(ctx)
		if err != nil {
			return err
		}
		all := func(b find.Span) error { return v.each(ctx, k, b.First, b.Last) }
		if err := k.Blocks(ctx, spans, v.readParts, all); err != nil {
			return err
		}
		if err := v.each(ctx, k, v.extent.High, v.extent.Next-1); err != nil {
			return err
		}
		out, err = k.Collect(ctx, v.record)
		return err
	})
	return out, err
}

// each asks the records with keys from first to last.
func (v *view) each(ctx context.Context, k *find.Holding, first, last int64) error {
	since, before := k.Since.UnixMilli(), int64(math.MaxInt64)
	if k.Since.IsZero() {
		since = math.MinInt64
	}
	if !k.Before.IsZero() {
		before = k.Before.UnixMilli()
	}
	found, err := v.tx.QueryContext(ctx,
		`SELECT time, key, record FROM history WHERE key >= $1 AND key <= $2 AND time >= $3 AND time < $4`,
		first, last, since, before)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var at find.Row
		var text sql.RawBytes
		if err := found.Scan(&at.Time, &at.Key, &text); err != nil {
			return err
		}
		if err := k.Record(at, text); err != nil {
			return err
		}
	}
	return cmp.Or(found.Err(), ctx.Err())
}
