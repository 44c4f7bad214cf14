package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// TestCountIndex adds up what is kept, by an index alone, and makes no database.
func TestCountIndex(t *testing.T) {
	x := newIndex(t)
	if _, err := CountIndex(t.Context(), x.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before there is one: %v", err)
	}
	for n := range 10 {
		r := row(n)
		r.Stored = int64(n)
		if n%2 == 0 {
			r.Class = "suspicious"
		}
		if n > 7 {
			r.State = quarantine.Released
		}
		if err := errors.Join(x.Put(t.Context(), r), x.Put(t.Context(), r)); err != nil { // as for a change
			t.Fatal(err)
		}
	}
	if err := x.Delete(t.Context(), "id1"); err != nil {
		t.Fatal(err)
	}
	if list, err := CountIndex(t.Context(), x.path); !errors.Is(err, quarantine.ErrIncomplete) || len(list) > 0 {
		t.Errorf("before it is complete: %v, %v", list, err)
	}
	if err := x.Replace(t.Context(), nil, row(0).Time); err != nil {
		t.Fatal(err)
	}
	list, err := CountIndex(t.Context(), x.path)
	if got := fmt.Sprint(list); err != nil || got != "[{infected kept 3 15} {infected released 1 9} {suspicious kept 4 12} {suspicious released 1 8}]" {
		t.Errorf("%s, %v", got, err)
	}
	err = question(t.Context(), x.path, func(db *sql.DB) error {
		var id, parent, unused int
		var plan string
		if err := db.QueryRow(`EXPLAIN QUERY PLAN `+countIndex).Scan(&id, &parent, &unused, &plan); err != nil {
			return err
		}
		if !strings.Contains(plan, "kept_size") {
			t.Errorf("it is counted by %q", plan)
		}
		_, err := db.Exec(`DELETE FROM kept`)
		return err
	})
	if err == nil {
		t.Error("a question changes the database")
	}
}

func TestCountHistory(t *testing.T) {
	h := newHistory(t)
	if n, err := CountHistory(t.Context(), h.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before there is one: %d, %v", n, err)
	}
	if n, err := Bytes(h.path); n != 0 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	var list []policy.Record
	for n := range 100 {
		list = append(list, historytest.Record(n))
	}
	if err := h.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	n, err := CountHistory(t.Context(), h.path)
	if size, bytesErr := Bytes(h.path); n != 100 || err != nil || size < 10_000 || bytesErr != nil {
		t.Errorf("%d records in %d bytes, %v, %v", n, size, err, bytesErr)
	}
}

// TestHistoryCheck names what keeps records from being written.
func TestHistoryCheck(t *testing.T) {
	h := newHistory(t)
	if err := h.Check(t.Context()); err != nil {
		t.Errorf("a sound one: %v", err)
	}
	defer lockOut(t, h.path)()
	if err := h.Check(t.Context()); err == nil || !strings.Contains(err.Error(), h.path) {
		t.Errorf("one that another process has locked: %v", err)
	}
	other := NewHistory(filepath.Join("/proc", "history.db"), func(error) {})
	if err := other.Check(t.Context()); err == nil {
		t.Error("one in a directory that takes no file is sound")
	}
}
