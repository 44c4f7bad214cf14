package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// TestHoldAfterUpgrade: blocks of earlier versions know nothing of contents, and that is said; a damaged block is
// read past. The others go on.
func TestHoldAfterUpgrade(t *testing.T) {
	h := newHistory(t)
	h.sizes = find.Sizes{Small: 8, Large: 32}
	for n := range 24 {
		r := historytest.With(historytest.Natural(n, now.Add(time.Duration(n)*time.Minute)), fmt.Sprint("file ", n), "h.example")
		if n < 8 {
			r.Contents = nil
		}
		if err := h.Append(t.Context(), []policy.Record{r}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Index(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Clean(h.path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// Field 12 is the first that earlier versions have none of; part 0 is the rows.
	r, err := db.Exec(`DELETE FROM part WHERE part >= 65536 * 13 AND block = (SELECT min(first) FROM block)`)
	if n, _ := r.RowsAffected(); err != nil || n < 2 {
		t.Fatal(n, err)
	}
	if _, err := db.Exec(`UPDATE part SET data = x'00' WHERE part = 0 AND block = (SELECT max(first) FROM block)`); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{3, 12, 20} {
		got, err := h.Hold(t.Context(), history.Holding{Sort: history.Parts, Has: historytest.On(historytest.SumOf(fmt.Sprint("file ", n))), Most: 10})
		want := 1
		if n < 8 {
			want = 0
		}
		if err != nil || len(got.Records) != want || got.Coverage != (history.Coverage{Asked: 24, Unrecorded: 8}) {
			t.Errorf("%d: %v %v %+v", n, err, historytest.IDs(got.Records), got.Coverage)
		}
	}
}

// BenchmarkHold holds 100,000 hashes, and as many hosts, against -records=1000000 records, of which one has a
// planted part.
func BenchmarkHold(b *testing.B) {
	at := *many / 3
	h := filledWith(b, func(n int, when time.Time) policy.Record {
		if n == at {
			return historytest.With(historytest.Holds(n, when), "evil", "evil.example")
		}
		return historytest.Holds(n, when)
	})
	for more := true; more; {
		var err error
		if more, err = h.Index(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	list := map[string]bool{historytest.SumOf("evil"): true, "evil.example": true}
	for n := range 100_000 {
		list[historytest.SumOf(fmt.Sprint("listed ", n))], list[fmt.Sprintf("listed%d.example", n)] = true, true
	}
	for _, sort := range []history.Sort{history.Parts, history.Hosts} {
		b.Run(string(sort), func(b *testing.B) {
			used := processorTime()
			for b.Loop() {
				got, err := h.Hold(b.Context(), history.Holding{Sort: sort, Has: func(v string) bool { return list[v] }, Most: 10})
				if err != nil || len(got.Records) != 1 || got.Records[0].ID != fmt.Sprintf("%016x", at) {
					b.Fatal(got, err)
				}
			}
			b.ReportMetric(float64((processorTime()-used).Milliseconds())/float64(b.N), "ms-cpu")
		})
	}
}
