package store

import (
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// world is a history in a file, and the same records in a list.
type world struct {
	historytest.World
	file *History
}

func newWorld(t *testing.T, z find.Sizes) *world {
	h := newHistory(t)
	h.sizes = z
	return &world{historytest.World{Store: h}, h}
}

// TestFindInFormerVersion has every filter find what reading all records finds, whatever
// part of them is in blocks, where the first were written by the first version.
func TestFindInFormerVersion(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(1, seed))
	w := newWorld(t, find.Sizes{Small: 16, Large: 128})
	var records []policy.Record
	for n := range 450 {
		records = append(records, historytest.Mixed(r, n))
	}
	w.first(t, records[:200])
	w.Compare(t, r, 15)
	w.Write(t, records[200:205]...)
	w.Compare(t, r, 15)
	w.Steps(t, 1)
	w.Write(t, records[205:300]...)
	w.Compare(t, r, 20)
	w.Steps(t, 3)
	w.Compare(t, r, 20)
	w.Write(t, records[300:]...)
	w.Write(t, records[10], records[350], records[449])
	w.Steps(t, 1000)
	w.Compare(t, r, 60)
	w.Gone = now.Add(60 * time.Second)
	if _, err := w.Expire(t.Context(), w.Gone); err != nil {
		t.Fatal(err)
	}
	w.Compare(t, r, 20)
	w.tidy(t)
}

// first makes a history of the first version.
func (w *world) first(t *testing.T, records []policy.Record) {
	t.Helper()
	old := &History{file: newFile(w.file.path, creating(historySchema), nil)}
	err := old.use(t.Context(), func(db *sql.DB) error {
		for _, r := range records {
			text := policy.JSON(r)
			if _, err := db.Exec(`INSERT OR REPLACE INTO message (id, time, queue, mid, action, sender, recipients, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
				r.ID, r.Time.UnixMilli(), hashed(r.QueueID), hashed(r.MessageID), actions(r), r.Sender, "", string(text)); err != nil {
				return err
			}
			w.All = append(w.All, r)
		}
		return nil
	})
	if err := errors.Join(err, old.file.Close()); err != nil {
		t.Fatal(err)
	}
}

// tidy has no block left that is of no use, no part without a block, and all old records in
// blocks.
func (w *world) tidy(t *testing.T) {
	t.Helper()
	err := w.file.look(t.Context(), func(tx *sql.Tx) error {
		var old, orphans, small int
		err := tx.QueryRow(`SELECT (SELECT count(*) FROM block WHERE newest < ?), (SELECT count(*) FROM part WHERE block NOT IN (SELECT first FROM block)),
			(SELECT count(*) FROM block WHERE merged = 0)`, w.Gone.UnixMilli()).Scan(&old, &orphans, &small)
		e, extentErr := extentOf(t.Context(), tx)
		if old+orphans > 0 || small >= 8 || e.Low != 0 || e.Next-e.High >= 16 {
			t.Errorf("%d old blocks, %d parts without a block, %d small blocks, %+v", old, orphans, small, e)
		}
		return errors.Join(err, extentErr)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDamagedBlock has the records of a block read that cannot be.
func TestDamagedBlock(t *testing.T) {
	w := newWorld(t, find.Sizes{Small: 4, Large: 8, Huge: 32, Piece: 512})
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 64 {
		w.Write(t, historytest.Mixed(r, n))
	}
	w.Steps(t, 100)
	for _, damage := range []string{`UPDATE part SET data = substr(data, 1, length(data) / 2) WHERE part % 3 = 0`, `UPDATE part SET data = x'ffffffff00' WHERE part % 3 = 1`, `DELETE FROM part WHERE part % 3 = 2`} {
		if err := w.file.use(t.Context(), func(db *sql.DB) error { _, err := db.Exec(damage); return err }); err != nil {
			t.Fatal(err)
		}
		w.Compare(t, r, 60)
	}
}

// TestOtherVersions has a daemon of the first version fail with the reason, and this one on a
// history of a later version.
func TestOtherVersions(t *testing.T) {
	h := newHistory(t)
	if err := h.Append(t.Context(), []policy.Record{historytest.Record(1)}); err != nil {
		t.Fatal(err)
	}
	h.Close()
	old := newFile(h.path, creating(historySchema), nil)
	defer old.Close()
	err := old.use(t.Context(), func(db *sql.DB) error {
		_, err := db.Exec(`INSERT OR REPLACE INTO message (id, time, action, sender, recipients, record) VALUES ('x', 1, '', '', '', '{}')`)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "newer milterscan") || !strings.Contains(err.Error(), "update this one") {
		t.Errorf("the first version writes: %v", err)
	}
	if err := old.use(t.Context(), func(db *sql.DB) error { _, err := db.Exec(`PRAGMA user_version = 99`); return err }); err != nil {
		t.Fatal(err)
	}
	later := NewHistory(h.path, func(err error) { t.Error(err) })
	defer later.Close()
	_, findErr := later.Find(t.Context(), history.Filter{}, history.Cursor{})
	_, expireErr := later.Expire(t.Context(), now)
	for _, err := range []error{later.Append(t.Context(), []policy.Record{historytest.Record(2)}), findErr, expireErr} {
		if !errors.Is(err, ErrNewer) {
			t.Errorf("a later version: %v", err)
		}
	}
	if aside, _ := filepath.Glob(h.path + ".damaged-*"); len(aside) > 0 {
		t.Errorf("set aside: %v", aside)
	}
}

// TestReadingDoesNotUpgrade leaves a history as it is that a daemon of the first version may
// be at work on.
func TestReadingDoesNotUpgrade(t *testing.T) {
	w := newWorld(t, find.Usual)
	r := rand.New(rand.NewPCG(5, 6))
	w.first(t, []policy.Record{historytest.Mixed(r, 1), historytest.Mixed(r, 2)})
	p, err := w.Find(t.Context(), history.Filter{}, history.Cursor{})
	if err != nil || len(p.Records) != 2 || p.Unindexed != 2 {
		t.Errorf("%d records, %d in no block, %v", len(p.Records), p.Unindexed, err)
	}
	if more, err := w.Index(t.Context()); more || err != nil {
		t.Errorf("indexed: %v, %v", more, err)
	}
	err = w.file.look(t.Context(), func(tx *sql.Tx) error {
		version, err := versionOf(t.Context(), tx)
		if version != 0 {
			t.Errorf("upgraded to %d", version)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
