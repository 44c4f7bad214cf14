package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

// holds is a mail of many with two texts of its own, with one of 10,000 pictures in one of three, and links
// to some of 20,000 hosts. Of every fiftieth not all is recorded, of every thirtieth nothing.
func holds(n int, at time.Time) policy.Record {
	r := natural(n, at)
	rnd := rand.New(rand.NewPCG(8, uint64(n)))
	if n%30 == 29 {
		return r
	}
	c := &policy.RecordContents{Parts: []policy.RecordPart{}, Hosts: []string{}}
	if rnd.IntN(3) == 0 {
		c.Parts = append(c.Parts, policy.RecordPart{SHA256: hex.EncodeToString([]byte(sumOf(fmt.Sprint("picture ", rnd.IntN(10_000))))), Size: 30_000, Name: "logo.png"})
	}
	for i := range 2 {
		c.Parts = append(c.Parts, policy.RecordPart{SHA256: hex.EncodeToString([]byte(sumOf(fmt.Sprint("text ", n, i)))), Size: int64(rnd.IntN(20_000))})
	}
	for range rnd.IntN(5) {
		c.Hosts = append(c.Hosts, fmt.Sprintf("www.site%d.example.net", rnd.IntN(20_000)))
	}
	if n%50 == 17 {
		c.MoreParts, c.MoreHosts = 3, 1
	}
	r.Contents = c
	return r
}

// with plants a file and a link in a record.
func with(r policy.Record, file, host string) policy.Record {
	r.Contents = &policy.RecordContents{Hosts: []string{host},
		Parts: []policy.RecordPart{{SHA256: hex.EncodeToString([]byte(sumOf(file))), Size: 7, Name: "invoice.exe"}}}
	return r
}

// on returns what reports whether one of some values is asked for.
func on(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

// TestHold compares what is found with every record by itself: in large and small blocks, and in none.
func TestHold(t *testing.T) {
	h := newHistory(t)
	h.sizes = sizes{8, 32}
	var all []policy.Record
	early := natural(500, now.Add(500*time.Minute))
	early.Stage = "rcpt"
	for n := range 119 {
		r := holds(n, now.Add(time.Duration(n)*time.Minute))
		switch n {
		case 3, 50, 110, 118:
			r = with(r, "evil", "evil.example")
		}
		all = append(all, r)
	}
	all = append(all, early)
	for part := range slices.Chunk(all, 7) {
		if err := h.Append(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		for more := true; more; {
			var err error
			if more, err = h.Index(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, q := range map[string]history.Holding{
		"file": {Sort: history.Parts, Has: on(sumOf("evil"))}, "host": {Sort: history.Hosts, Has: on("evil.example", "www.site7.example.net")},
		"client":  {Sort: history.Clients, Has: on(all[60].Client)},
		"none":    {Sort: history.Parts, Has: on("!", "?", "")},
		"since":   {Sort: history.Parts, Has: on(sumOf("evil")), Since: now.Add(30 * time.Minute), Before: now.Add(118 * time.Minute)},
		"cut":     {Sort: history.Hosts, Has: on("evil.example"), Most: 2},
		"nothing": {Sort: history.Hosts, Has: on("evil.example"), Since: now.Add(1000 * time.Hour)},
	} {
		most := q.Most
		if q.Most == 0 {
			q.Most = 100
		}
		var want history.Held
		for _, r := range slices.Backward(all) {
			want.Add(q.Covers(r))
			if q.Matches(r) && len(want.Records) < q.Most {
				want.Records = append(want.Records, r)
			} else if q.Matches(r) {
				want.More++
			}
		}
		got, err := h.Hold(t.Context(), q)
		if err != nil || got.Coverage != want.Coverage || got.More != want.More || (got.More > 0) != (most > 0) ||
			fmt.Sprint(idsOf(got.Records)) != fmt.Sprint(idsOf(want.Records)) {
			t.Errorf("%s: %v %+v and %d more of %+v; want %v and %d more of %+v", name, err, idsOf(got.Records), got.More, got.Coverage,
				idsOf(want.Records), want.More, want.Coverage)
		}
		if name == "file" && (len(got.Records) != 4 || got.Unrecorded < 3 || got.Partly < 2) {
			t.Errorf("%s: %v %+v", name, idsOf(got.Records), got.Coverage)
		}
	}
}

func idsOf(list []policy.Record) (ids []string) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

// TestHoldAfterUpgrade: blocks of earlier versions know nothing of contents, and that is said; a damaged block is
// read past. The others go on.
func TestHoldAfterUpgrade(t *testing.T) {
	h := newHistory(t)
	h.sizes = sizes{8, 32}
	for n := range 24 {
		r := with(natural(n, now.Add(time.Duration(n)*time.Minute)), fmt.Sprint("file ", n), "h.example")
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
		got, err := h.Hold(t.Context(), history.Holding{Sort: history.Parts, Has: on(sumOf(fmt.Sprint("file ", n))), Most: 10})
		want := 1
		if n < 8 {
			want = 0
		}
		if err != nil || len(got.Records) != want || got.Coverage != (history.Coverage{Asked: 24, Unrecorded: 8}) {
			t.Errorf("%d: %v %v %+v", n, err, idsOf(got.Records), got.Coverage)
		}
	}
}

// TestHoldWithoutRecords: a history that is empty has nothing, and that is no error.
func TestHoldWithoutRecords(t *testing.T) {
	got, err := newHistory(t).Hold(t.Context(), history.Holding{Sort: history.Parts, Has: on("x"), Most: 1})
	if err != nil || len(got.Records) > 0 || got.Asked > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// BenchmarkHold holds 100,000 hashes, and as many hosts, against -records=1000000 records, of which one has a
// planted part.
func BenchmarkHold(b *testing.B) {
	at := *many / 3
	h := filledWith(b, func(n int, when time.Time) policy.Record {
		if n == at {
			return with(holds(n, when), "evil", "evil.example")
		}
		return holds(n, when)
	})
	for more := true; more; {
		var err error
		if more, err = h.Index(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	list := map[string]bool{sumOf("evil"): true, "evil.example": true}
	for n := range 100_000 {
		list[sumOf(fmt.Sprint("listed ", n))], list[fmt.Sprintf("listed%d.example", n)] = true, true
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
