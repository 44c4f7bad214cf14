package store

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

var now = historytest.Now

func row(n int) quarantine.Row {
	return quarantine.Row{ID: fmt.Sprintf("id%d", n), Time: now.Add(time.Duration(n) * time.Minute), Class: "infected", State: quarantine.Kept, Sender: fmt.Sprintf("s%d@example.net", n), Recipients: []string{"a@example.com", "b@example.com"}}
}

func newIndex(t *testing.T) *Index {
	x := NewIndex(filepath.Join(t.TempDir(), "new", "a file?.db"), func(err error) { t.Log(err) })
	t.Cleanup(func() { x.Close() })
	return x
}

func ids(rows []quarantine.Row) (list []string) {
	for _, r := range rows {
		list = append(list, r.ID)
	}
	return list
}

func TestIndex(t *testing.T) {
	x := newIndex(t)
	if err := x.Put(t.Context(), row(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Find(t.Context(), quarantine.Filter{}); !errors.Is(err, quarantine.ErrIncomplete) {
		t.Errorf("a new index: %v", err)
	}
	begun := time.Now().Add(time.Second)
	if err := x.Replace(t.Context(), []quarantine.Row{row(2), row(3)}, begun); err != nil {
		t.Fatal(err)
	}
	changed := row(3)
	changed.State = quarantine.Released
	if err := errors.Join(x.Put(t.Context(), changed), x.Put(t.Context(), row(4)), x.Put(t.Context(), row(5)), x.Delete(t.Context(), "id5")); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]quarantine.Filter{
		"[id4 id3 id2]": {}, "[id4 id3]": {Limit: 2}, "[id3]": {State: quarantine.Released}, "[id2]": {Before: row(3).Time},
		"[id4]": {Since: row(4).Time}, "[id3 id2]": {Limit: 2, Before: row(4).Time}, "[]": {Sender: "nobody@*"},
	} {
		rows, err := x.Find(t.Context(), f)
		if got := fmt.Sprint(ids(rows)); got != want || err != nil {
			t.Errorf("%+v: %s, %v; want %s", f, got, err, want)
		}
	}
}

// TestIndexByAddress: rows are found by those for whom they wait, newest first, page by page, each
// once, and no longer once they do not wait.
func TestIndexByAddress(t *testing.T) {
	x := newIndex(t)
	var rows []quarantine.Row
	for n := range 6 {
		r := row(n)
		r.Waiting = [][]string{{"Ann@Example.com"}, {"ben@example.com", "ann@example.com"}, {"ben@example.com"}, {"sales@example.com"}, nil, {"no address"}}[n]
		rows = append(rows, r)
	}
	if err := x.Replace(t.Context(), rows, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	find := func(f quarantine.Filter) string {
		t.Helper()
		rows, err := x.Find(t.Context(), f)
		if err != nil {
			t.Error(err)
		}
		return fmt.Sprint(ids(rows))
	}
	ann, both := []string{"ann@example.com"}, []string{"ann@example.com", "ben@example.com"}
	for _, c := range []struct {
		f    quarantine.Filter
		want string
	}{
		{quarantine.Filter{Waiting: ann}, "[id1 id0]"},
		{quarantine.Filter{Waiting: both}, "[id2 id1 id0]"},
		{quarantine.Filter{Waiting: both, Limit: 1}, "[id2]"},
		{quarantine.Filter{Waiting: both}.After(row(1)), "[id0]"},
		{quarantine.Filter{Waiting: ann}.After(row(1)), "[id0]"},
		{quarantine.Filter{Waiting: ann, Sender: "s0@*"}, "[id0]"},
		{quarantine.Filter{Waiting: []string{}}, "[]"},
		{quarantine.Filter{Waiting: []string{"eve@example.com"}}, "[]"},
		{quarantine.Filter{}, "[id5 id4 id3 id2 id1 id0]"},
	} {
		if got := find(c.f); got != c.want {
			t.Errorf("%+v: %s; want %s", c.f, got, c.want)
		}
	}
	rows[1].Waiting = nil
	if err := errors.Join(x.Put(t.Context(), rows[1]), x.Delete(t.Context(), "id0")); err != nil {
		t.Fatal(err)
	}
	if got := find(quarantine.Filter{Waiting: both}); got != "[id2]" {
		t.Error(got)
	}
}

// TestOldIndexIsMadeAgain: rows of an older milterscan do not say who waits.
func TestOldIndexIsMadeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	old := NewDatabase(path, indexSchema+sizeSchema+`INSERT OR REPLACE INTO kept VALUES ('id1', 1, 1, '{}'); INSERT INTO complete VALUES (1);`)
	if err := errors.Join(old.Read(t.Context(), func(*sql.DB) error { return nil }), old.Close()); err != nil {
		t.Fatal(err)
	}
	x := NewIndex(path, func(err error) { t.Log(err) })
	defer x.Close()
	if _, err := x.Find(t.Context(), quarantine.Filter{}); !errors.Is(err, quarantine.ErrIncomplete) {
		t.Error(err)
	}
	if err := x.Replace(t.Context(), nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	x.Close()
	if rows, err := x.Find(t.Context(), quarantine.Filter{}); err != nil || len(rows) != 0 {
		t.Error("it is made again each time:", rows, err)
	}
}

// What is put while the index is made anew stays.
func TestReplaceKeepsWhatIsNew(t *testing.T) {
	x := newIndex(t)
	begun := time.Now().Add(-time.Hour)
	if err := errors.Join(x.Put(t.Context(), row(9)), x.Replace(t.Context(), []quarantine.Row{row(1)}, begun)); err != nil {
		t.Fatal(err)
	}
	rows, err := x.Find(t.Context(), quarantine.Filter{})
	if err != nil || len(rows) != 2 {
		t.Errorf("%v, %v", ids(rows), err)
	}
}

// A damaged file is set aside, and one that was removed is made anew.
func TestDamage(t *testing.T) {
	x := newIndex(t)
	if err := x.Replace(t.Context(), []quarantine.Row{row(1)}, now); err != nil {
		t.Fatal(err)
	}
	x.Close()
	if err := os.WriteFile(x.path, []byte("this is no database, and has never been one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), row(2)); err != nil {
		t.Errorf("the new database: %v", err)
	}
	if aside, _ := filepath.Glob(x.path + ".damaged-*"); len(aside) != 1 {
		t.Errorf("set aside: %v", aside)
	}
	if _, err := x.Find(t.Context(), quarantine.Filter{}); !errors.Is(err, quarantine.ErrIncomplete) {
		t.Errorf("a new index: %v", err)
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		os.Remove(x.path + end)
	}
	if err := x.Put(t.Context(), row(3)); err != nil {
		t.Errorf("after it was removed: %v", err)
	}
	if _, err := os.Stat(x.path); err != nil {
		t.Error(err)
	}
}

// A text that was damaged in a sound database does not keep the index from being made anew.
func TestDamagedText(t *testing.T) {
	x := newIndex(t)
	if err := x.Replace(t.Context(), []quarantine.Row{row(1), row(2)}, now); err != nil {
		t.Fatal(err)
	}
	x.Close()
	file, err := os.ReadFile(x.path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; ; at++ { // every row, wherever it is
		next := bytes.Index(file[at:], []byte(`{"`))
		if next < 0 {
			break
		}
		at += next
		file[at] = 'x'
	}
	if err := os.WriteFile(x.path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := x.Replace(t.Context(), []quarantine.Row{row(1), row(2), row(3)}, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if rows, err := x.Find(t.Context(), quarantine.Filter{}); err != nil || len(rows) != 3 {
		t.Errorf("%v, %v", ids(rows), err)
	}
	if aside, _ := filepath.Glob(x.path + ".damaged-*"); len(aside) != 1 {
		t.Errorf("set aside: %v", aside)
	}
}

func TestOnlyOwnerReads(t *testing.T) {
	x := newIndex(t)
	if err := x.Put(t.Context(), row(1)); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(x.path), "*"))
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
	if len(files) < 2 {
		t.Errorf("only %v", files)
	}
}

func newHistory(t testing.TB) *History {
	h := NewHistory(filepath.Join(t.TempDir(), "history.db"), func(err error) { t.Log(err) })
	t.Cleanup(func() { h.Close() })
	return h
}

func TestExpire(t *testing.T) {
	h := newHistory(t)
	for n := range 10 {
		if err := h.Append(t.Context(), []policy.Record{historytest.Record(n * 30)}); err != nil {
			t.Fatal(err)
		}
	}
	n, err := h.Expire(t.Context(), historytest.Record(5*30).Time)
	left, _ := h.List(t.Context(), history.Filter{})
	if err != nil || n != 5 || len(left) != 5 {
		t.Errorf("%d went, %d are left, %v", n, len(left), err)
	}
}

// TestIndexByPages goes through an index whose rows are of one millisecond.
func TestIndexByPages(t *testing.T) {
	x := newIndex(t)
	for n := range 5 {
		r := row(n)
		r.Time = row(0).Time
		if err := x.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Replace(t.Context(), nil, time.UnixMilli(0)); err != nil {
		t.Fatal(err)
	}
	var got []string
	f := quarantine.Filter{Limit: 2}
	for range 4 {
		page, err := x.Find(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, ids(page)...)
		f = f.After(page[len(page)-1])
	}
	if want := []string{row(4).ID, row(3).ID, row(2).ID, row(1).ID, row(0).ID}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
