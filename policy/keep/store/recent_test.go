package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// blocks returns everything that the blocks of a history have.
func (h *History) blocks(t *testing.T) (list []string) {
	t.Helper()
	err := h.look(t.Context(), func(tx *sql.Tx) (err error) {
		list, err = Rows(t.Context(), tx, func(rows *sql.Rows) (string, error) {
			var block, part int64
			var data []byte
			err := rows.Scan(&block, &part, &data)
			return fmt.Sprintf("%d %d %x", block, part, data), err
		}, `SELECT block, part, data FROM part ORDER BY block, part`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestRecentAsRead: what is indexed of the records as they were written is what is indexed of them as they are read,
// whatever of them the process still has.
func TestRecentAsRead(t *testing.T) {
	long := strings.Repeat("long ", mostKept/5)
	for name, between := range map[string]func(*History, int){
		"all kept":  func(*History, int) {},
		"one long":  func(*History, int) {},
		"not UTF-8": func(*History, int) {},
		"lost once": func(h *History, n int) {
			if n == 9 {
				h.recent.run = run{}
			}
		},
		"lost again and again": func(h *History, n int) {
			if n%5 == 0 {
				h.recent.run = run{}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			kept, read := newHistory(t), newHistory(t)
			kept.sizes, read.sizes = find.Sizes{Small: 16, Large: 1000}, find.Sizes{Small: 16, Large: 1000}
			r := rand.New(rand.NewPCG(1, 2))
			for n := range 20 {
				var batch []policy.Record
				for i := range 10 {
					record := historytest.Mixed(r, 10*n+i)
					if name != "not UTF-8" {
						record.Subject = strings.ToValidUTF8(record.Subject, "?")
					}
					batch = append(batch, record)
				}
				if name == "one long" && n == 7 {
					batch[3].Subject = long
				}
				for _, h := range []*History{kept, read} {
					if err := h.Append(t.Context(), batch); err != nil {
						t.Fatal(err)
					}
				}
				between(kept, n)
				read.recent.run = run{}
			}
			for _, h := range []*History{kept, read} {
				indexAll(t, h)
			}
			if a, b := kept.blocks(t), read.blocks(t); len(a) == 0 || !slices.Equal(a, b) {
				t.Errorf("%d parts of blocks, and %d as they are read, are not the same", len(a), len(b))
			}
		})
	}
}

func indexAll(t *testing.T, h *History) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = h.Index(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecentOfAnotherFile: where a person puts another history in the place of the file, the
// records of the first are not taken for those that have their keys there.
func TestRecentOfAnotherFile(t *testing.T) {
	h, other := newHistory(t), newHistory(t)
	h.sizes, other.sizes = find.Sizes{Small: 8, Large: 64}, find.Sizes{Small: 100, Large: 200}
	for n := range 7 {
		mine, theirs := policy.Record{ID: fmt.Sprint("mine", n), Time: now, Sender: "a@mine.example"}, policy.Record{
			ID: fmt.Sprint("theirs", n), Time: now, Sender: "a@theirs.example"}
		if err := h.Append(t.Context(), []policy.Record{mine}); err != nil {
			t.Fatal(err)
		}
		if err := other.Append(t.Context(), []policy.Record{theirs}); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other.path, h.path); err != nil {
		t.Fatal(err)
	}
	if err := h.Append(t.Context(), []policy.Record{{ID: "last", Time: now, Sender: "a@last.example"}}); err != nil {
		t.Fatal(err)
	}
	indexAll(t, h)
	all := strings.Join(h.blocks(t), "\n")
	if has := func(s string) bool { return bytes.Contains([]byte(all), fmt.Appendf(nil, "%x", s)) }; has("mine.example") || !has("theirs.example") || !has("last.example") {
		t.Error("the index is not that of the records in the file")
	}
}

// TestRecentIsBounded: without an index that takes them, records are not kept for ever.
func TestRecentIsBounded(t *testing.T) {
	var r recent
	for key := int64(1); key < 1000; key += 4 {
		var w run
		for i := range int64(4) {
			w.add(key+i, policy.Record{}, nil)
		}
		r.join(w, 64)
		if len(r.records) > 64 || r.next() != key+4 {
			t.Fatalf("after key %d there are %d, up to %d", key+3, len(r.records), r.next())
		}
	}
	r.indexed(r.next())
	if len(r.records) > 0 {
		t.Errorf("%d are left", len(r.records))
	}
}

// TestRecentIsNotRead: as long as the process has the records it does not read them to index them.
func TestRecentIsNotRead(t *testing.T) {
	h := newHistory(t)
	h.sizes = find.Sizes{Small: 8, Large: 64}
	for n := range 8 {
		if n == 7 {
			if err := h.use(t.Context(), func(db *sql.DB) error {
				_, err := db.Exec(`UPDATE message SET record = '{}'`)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Append(t.Context(), []policy.Record{{ID: fmt.Sprint(n), Time: now, Sender: fmt.Sprintf("n%d@kept.example", n)}}); err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	for n := range 8 {
		all = append(all, fmt.Sprintf("%x", fmt.Sprintf("n%d@kept.example", n)))
	}
	if list := strings.Join(h.blocks(t), "\n"); slices.ContainsFunc(all, func(a string) bool { return !strings.Contains(list, a) }) {
		t.Error("the index does not have what was written, but what was put in its place")
	}
}
