package store

import (
	"bytes"
	"context"
	"database/sql"
	"sync"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
)

// mostKept is how long the text of a record may be that is kept for the index: senders decide how much there is
// to record.
const mostKept = 16 << 10

// kept reports whether a record is kept for the index that has this text. Bytes that are no UTF-8
// are written as other characters, so that such a record is to be read to be indexed.
func kept(text []byte) bool { return len(text) <= mostKept && !bytes.Contains(text, []byte(`\ufffd`)) }

// run is records whose keys follow each other.
type run struct {
	first   int64 // key
	records []policy.Record
}

// next returns the key after the last.
func (r *run) next() int64 { return r.first + int64(len(r.records)) }

// add adds a record by its text. One that is not kept begins another run after it.
func (r *run) add(key int64, record policy.Record, text []byte) {
	switch {
	case !kept(text):
		*r = run{first: key + 1}
		return
	case key != r.next():
		*r = run{first: key}
	}
	r.records = append(r.records, record)
}

// recent keeps the records that this process has written last, until they are indexed: to read
// each of them for that takes about as long as to write it.
type recent struct {
	mu sync.Mutex
	run
}

// join adds a run that was written, and keeps so many records at most.
func (r *recent) join(w run, most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.first != r.next() || len(r.records)+len(w.records) > most {
		r.run = w
		return
	}
	r.records = append(r.records, w.records...)
}

// start returns the key of the first.
func (r *recent) start() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

// indexed forgets the records below a key.
func (r *recent) indexed(below int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(max(below-r.first, 0), int64(len(r.records)))
	r.first, r.records = r.first+n, append([]policy.Record(nil), r.records[n:]...)
}

// from returns the first of the records with some keys, as many as that; nil if they are not all here, or the history is
// another one by now: a person may have put another file in its place.
func (r *recent) from(ctx context.Context, tx *sql.Tx, k find.Keys, most int) ([]policy.Record, error) {
	n := min(int64(most), k.Last-k.First+1)
	list := r.some(k.First, n)
	if list == nil {
		return nil, nil
	}
	var ids int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM message WHERE rowid = ? AND id = ? OR rowid = ? AND id = ?`,
		k.First, list[0].ID, k.First+n-1, list[n-1].ID).Scan(&ids)
	if err != nil || int64(ids) != min(n, 2) {
		return nil, err
	}
	return list, nil
}

// some returns n records from a key on, nil if they are not all here.
func (r *recent) some(first, n int64) []policy.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n < 1 || first < r.first || first+n > r.next() {
		return nil
	}
	return r.records[first-r.first:][:n:n]
}
