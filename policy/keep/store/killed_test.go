package store

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// indexes names, in the environment of a child, the history that it is to index.
const indexes = "MILTERSCAN_TEST_INDEXES"

// killedSizes are those of a history that is indexed by many steps, and these in many parts.
var killedSizes = find.Sizes{Small: 16, Large: 32, Huge: 256, Piece: 256}

// TestIndexingChild is the child of TestKilledWhileIndexing.
func TestIndexingChild(t *testing.T) {
	path := os.Getenv(indexes)
	if path == "" {
		t.Skip("no child")
	}
	h := NewHistory(path, func(err error) { t.Error(err) })
	h.sizes = killedSizes
	for {
		if _, err := h.Index(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKilledWhileIndexing ends a process that indexes an old history, again and again and in
// the middle, while records are written: all are found at any time, and in the end the
// index is whole.
func TestKilledWhileIndexing(t *testing.T) {
	w := newWorld(t, killedSizes)
	r := rand.New(rand.NewPCG(7, 8))
	var records []policy.Record
	for n := range 1200 {
		records = append(records, historytest.Mixed(r, n))
	}
	w.first(t, records[:1000])
	for list := range slices.Chunk(records[1000:], 20) {
		w.Write(t, list...)
		child := exec.Command(os.Args[0], "-test.run=^TestIndexingChild$")
		child.Env = append(os.Environ(), indexes+"="+w.file.path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+r.IntN(60)) * time.Millisecond)
		child.Process.Kill()
		child.Wait()
		w.Same(t, historytest.MixedFilter(r))
	}
	w.Steps(t, 1000)
	w.Compare(t, r, 10)
}

// TestIndexKnowsNoMore looks for what is not to be remembered in the bytes of the database.
func TestIndexKnowsNoMore(t *testing.T) {
	h := newHistory(t)
	h.sizes = find.Sizes{Small: 2, Large: 4}
	private := history.Privacy{NoSubjects: true, OnlyDomains: true, NoDetails: true, NoClientAddrs: true}
	for n := range 8 {
		r := historytest.Record(n)
		r.Subject, r.Sender, r.User, r.Client, r.ClientName = "secretsubject", "secretsender@example.net", "secretuser", "203.0.113.99", "secretclient.example"
		r.Recipients = historytest.To("deliver", "secretrecipient@example.com")
		r.Findings[0].Detail = "secretdetail"
		if err := h.Append(t.Context(), []policy.Record{private.Apply(r)}); err != nil {
			t.Fatal(err)
		}
	}
	for more := true; more; {
		var err error
		if more, err = h.Index(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.Close()
	data, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"secret", "203.0.113.99"} {
		if strings.Contains(string(data), word) {
			t.Errorf("%q is in the database", word)
		}
	}
	if !strings.Contains(string(data), "*@example.net\xff") {
		t.Error("no dictionary is in the database")
	}
}

// TestExpireLetsOthersIn writes and searches while half of the records are expired: neither
// waits long.
func TestExpireLetsOthersIn(t *testing.T) {
	h := newHistory(t)
	h.sizes = find.Sizes{Small: 64, Large: 1024}
	var list []policy.Record
	for n := range 16000 {
		list = append(list, historytest.Record(n))
	}
	for part := range slices.Chunk(list, 500) {
		if err := h.Append(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() {
		_, err := h.Expire(t.Context(), historytest.Record(15000).Time)
		done <- err
	}()
	for n, rounds := 17000, 0; ; n++ {
		begun := time.Now()
		if err := h.Append(t.Context(), []policy.Record{historytest.Record(n)}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Find(t.Context(), history.Filter{Sender: "s1@*"}, history.Cursor{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("writing and searching took %v", took)
		}
		select {
		case err := <-done:
			if t.Logf("%d rounds", rounds); err != nil {
				t.Error(err)
			}
			return
		default:
			rounds++
		}
	}
}
