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
	mostNamed   = 1000    // records with one queue id or Message-ID; of more the blocks are asked
	mostRecords = 128     // records
	mostBlocks  = 64      // parts of blocks
	mostAhead   = 4 << 20 // bytes of these, as far as can be told before
)

// view is the history as it was at one moment.
type view struct {
	conn   *sql.Conn // that tx is on
	tx     *sql.Tx
	extent find.Extent
	oldest int64       // what was received before is not shown
	spans  []find.Span // of all blocks, the newest first

	parts   map[piece][]byte   // of the block that is asked, and of later ones, that were fetched ahead
	free    [][]byte           // room for more
	at      int                // the place of that block: those before it are not asked any more
	ahead   map[find.Part]pace // by which parts are fetched
	few     int                // records are fetched at once
	records map[int64][]byte   // that were fetched ahead, nil where there is none
	places  map[int64]int      // of blocks in spans
}

// pace says how a part is fetched of several blocks at once.
type pace struct {
	blocks int // at once
	each   int // the most bytes that it had for a record
}

// piece is a part of a block.
type piece struct {
	block int64
	part  find.Part
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
		v := &view{conn: c, tx: tx, parts: map[piece][]byte{}, ahead: map[find.Part]pace{}, records: map[int64][]byte{},
			few: min(few, mostRecords)}
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
		q.Fetch, q.Oldest = v.record, v.oldest
		if named, err := v.named(ctx, q); err != nil || named {
			if err == nil {
				p, err = q.Page(ctx)
			}
			return err
		}
		if err := v.open(ctx); err != nil {
			return err
		}
		q.Add(&find.Source{Top: q.Start(), Load: v.keys(v.extent.High, v.extent.Next-1, math.MinInt64, math.MaxInt64)})
		v.spans = slices.DeleteFunc(v.spans, func(b find.Span) bool { return !q.Wants(b) })
		v.place()
		for _, b := range v.spans {
			read := func(ctx context.Context, p find.Part, use func([]byte) error) error {
				return v.part(ctx, b.First, p, use)
			}
			q.AddBlock(b, read, v.keys(b.First, b.Last, b.Oldest.Time, b.Newest.Time))
		}
		p, err = q.Page(ctx)
		return err
	})
	return p, err
}

// open lists the blocks.
func (v *view) open(ctx context.Context) (err error) {
	v.spans, err = each(ctx, v.tx, scanSpan, spansOfBlocks+` ORDER BY newest DESC, newest_key DESC`)
	v.place()
	return err
}

// spansOfBlocks asks for the spans of all blocks.
const spansOfBlocks = `SELECT merged::integer, first, last, rows, newest, newest_key, oldest, oldest_key FROM history_block`

func scanSpan(rows *sql.Rows) (b find.Span, err error) {
	return b, rows.Scan(&b.Level, &b.First, &b.Last, &b.Rows, &b.Newest.Time, &b.Newest.Key, &b.Oldest.Time, &b.Oldest.Key)
}

// place notes where each block is in the list.
func (v *view) place() {
	v.places = make(map[int64]int, len(v.spans))
	for i, b := range v.spans {
		v.places[b.First] = i
	}
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
func (v *view) record(ctx context.Context, at find.Row, soon []find.Row) ([]byte, error) {
	text, known := v.records[at.Key]
	if !known {
		if err := v.fetch(ctx, append([]find.Row{at}, soon[:min(len(soon), v.few-1)]...)); err != nil {
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

// part calls use with a part of a block. If it is not there, the block is damaged. Blocks are asked one after the other, the
// newest first.
func (v *view) part(ctx context.Context, block int64, p find.Part, use func([]byte) error) error {
	v.leave(v.places[block])
	at := piece{block, p}
	data, known := v.parts[at]
	if !known {
		if err := v.fetchParts(ctx, block, p); err != nil {
			return err
		}
		data = v.parts[at]
	}
	delete(v.parts, at)
	if data == nil {
		return find.ErrAbsent
	}
	defer v.drop(data)
	return use(data)
}

// drop has the room of a part be used for another.
func (v *view) drop(part []byte) {
	if len(v.free) < mostBlocks {
		v.free = append(v.free, part)
	}
}

// copied returns a part in room of ours.
func (v *view) copied(part []byte) []byte {
	var room []byte
	if n := len(v.free); n > 0 {
		room, v.free = v.free[n-1], v.free[:n-1]
	}
	return append(room[:0], part...)
}

// leave forgets what was fetched of the blocks before a place, and not wanted of them.
func (v *view) leave(place int) {
	if place == v.at {
		return
	}
	v.at = place
	for of, data := range v.parts {
		if v.places[of.block] < place {
			delete(v.parts, of)
			v.drop(data)
		}
	}
}

// fetchParts reads a part of a block, and of those that are asked after it: of the more, the more were asked.
func (v *view) fetchParts(ctx context.Context, block int64, p find.Part) error {
	blocks := v.next(block, p)
	for _, b := range blocks {
		v.parts[piece{b, p}] = nil
	}
	each := v.ahead[p].each
	err := postgres.Raw(ctx, v.conn, func(row [][]byte) error {
		of, data := int64(binary.BigEndian.Uint64(row[0])), row[1]
		each = max(each, len(data)/max(1, v.spans[v.places[of]].Rows))
		v.parts[piece{of, p}] = v.copied(data)
		return nil
	}, `SELECT block, data FROM history_part WHERE block = ANY($1::bigint[]) AND part = $2::bigint`,
		listed(blocks), strconv.FormatInt(int64(p), 10))
	v.ahead[p] = pace{min(2*len(blocks), mostBlocks), each}
	return err
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

// next returns the blocks of which a part is fetched at once: a block and later ones.
func (v *view) next(block int64, p find.Part) (blocks []int64) {
	a := v.ahead[p]
	rows := 0
	for _, b := range v.spans[v.places[block]:] {
		rows += b.Rows
		if len(blocks) > 0 && (len(blocks) >= a.blocks || rows*a.each > mostAhead) {
			break
		}
		blocks = append(blocks, b.First)
	}
	return blocks
}

// Hold returns the records that have something on a list, the newest first. Blocks answer for the records in them.
func (s *Store) Hold(ctx context.Context, q history.Holding) (out history.Held, err error) {
	ctx, cancel := context.WithTimeout(ctx, holdTime)
	defer cancel()
	err = s.look(ctx, mostRecords, func(v *view) error {
		k := find.NewHolding(q, v.oldest)
		if err := v.open(ctx); err != nil {
			return err
		}
		for _, b := range v.spans {
			read := func(p find.Part, use func([]byte) error) error { return v.part(ctx, b.First, p, use) }
			all := func() error { return v.each(ctx, k, b.First, b.Last) }
			if err := k.Block(ctx, b, read, all); err != nil {
				return err
			}
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
