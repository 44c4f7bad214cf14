package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/sender/contact"
)

// TestHistoryPages reads all records in the order in which they were written, each once. One that is damaged has its
// key and an error, and does not end it.
func TestHistoryPages(t *testing.T) {
	h := NewHistory(filepath.Join(t.TempDir(), "history.db"), func(err error) { t.Error(err) })
	defer h.Close()
	var records []policy.Record
	for n := range 25 {
		records = append(records, policy.Record{Version: policy.RecordVersion, ID: fmt.Sprintf("m%02d", n), Time: time.Now().Add(-time.Duration(n) * time.Hour)})
	}
	if err := h.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	err := h.use(t.Context(), func(db *sql.DB) error {
		_, err := db.ExecContext(t.Context(), `UPDATE message SET record = '{' WHERE id = 'm13'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for after := int64(0); ; {
		page, err := h.Page(t.Context(), after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, w := range page {
			if w.Key <= after || (n == 13) != (w.Err != nil) || n != 13 && w.Record.ID != records[n].ID {
				t.Errorf("row %d after %d is %+v", n, after, w)
			}
			after, n = w.Key, n+1
		}
	}
	if n != len(records) {
		t.Errorf("%d records", n)
	}
}

// TestContactPages reads all keys, each once, also those whose time is over.
func TestContactPages(t *testing.T) {
	c := NewContact(filepath.Join(t.TempDir(), "contacts.db"), func(err error) { t.Error(err) })
	defer c.Close()
	until := map[contact.Key]time.Time{}
	for n := range 25 {
		until[contact.Key{byte(n), 1}] = time.Unix(int64(1000+n), 0)
	}
	if err := c.Remember(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	var after []byte
	for n := 0; ; {
		page, err := c.Page(t.Context(), after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			if n != len(until) {
				t.Errorf("%d keys", n)
			}
			break
		}
		for _, r := range page {
			if r.Key[0] != byte(n) || !r.Until.Equal(until[r.Key]) {
				t.Errorf("row %d is %+v", n, r)
			}
			n++
		}
		after = page[len(page)-1].Key[:]
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Page(ctx, nil, 10); err == nil {
		t.Error("a page that is given up says nothing")
	}
}
