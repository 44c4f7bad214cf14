package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/tests/procstat"
)

// counting is an MTA that counts what it is given.
type counting struct{ n atomic.Int64 }

func (c *counting) Send(context.Context, submission.Mail) error { c.n.Add(1); return nil }

// Two daemons on one directory, each with an index of its own making: nothing is
// lost, nothing is released twice, and both see the same.
func TestTwoQuarantinesInOneDirectory(t *testing.T) {
	const each = 20
	dir, mta := t.TempDir(), &counting{}
	var stores []*quarantine.Dir
	for range 2 {
		x := NewIndex(filepath.Join(dir, "index.db"), func(err error) { t.Error(err) })
		t.Cleanup(func() { x.Close() })
		stores = append(stores, quarantine.NewDir(dir, x, func(err error) { t.Error(err) }))
	}
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range each {
				r := policy.Record{ID: fmt.Sprintf("06h08cfwgrgb%04d", i*each+n), Time: now, Verdicts: []policy.RecordVerdict{{Recipients: []string{"a@example.com"}, Action: "quarantine", Because: -1}}}
				if err := s.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		wg.Go(func() { releaseAll(t, s, mta, 2*each) })
	}
	wg.Wait()
	if n := mta.n.Load(); n != 2*each {
		t.Errorf("%d of %d messages were released", n, 2*each)
	}
	for i, s := range stores {
		if rows, err := s.Find(t.Context(), quarantine.Filter{State: quarantine.Released}); err != nil || len(rows) != 2*each {
			t.Errorf("store %d sees %d messages, %v", i, len(rows), err)
		}
	}
}

// releaseAll releases every message that nobody else has.
func releaseAll(t *testing.T, s *quarantine.Dir, mta *counting, n int) {
	x := quarantine.Releaser{Store: s, Sender: mta, Key: func() ([]byte, error) { return make([]byte, 32), nil }, Now: time.Now, By: "test"}
	for i := range n {
		_, err := x.Release(t.Context(), quarantine.Order{ID: fmt.Sprintf("06h08cfwgrgb%04d", i)})
		if err != nil && !errors.Is(err, quarantine.ErrReleased) && !errors.Is(err, quarantine.ErrUnsure) {
			t.Error(err)
		}
	}
}

// A write-ahead log that another process has taken away is not written to any more,
// and what was written to it is not lost.
func TestLogIsTakenAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	ours := NewIndex(path, func(err error) { t.Error(err) })
	defer ours.Close()
	put := func(id string) {
		t.Helper()
		if err := ours.Put(t.Context(), quarantine.Row{ID: id, Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ours.Replace(t.Context(), nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	put("a")
	for _, companion := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + companion); err != nil {
			t.Fatal(err)
		}
	}
	put("b")
	theirs := NewIndex(path, func(err error) { t.Error(err) })
	defer theirs.Close()
	rows, err := theirs.Find(t.Context(), quarantine.Filter{})
	if err != nil || len(rows) != 2 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// TestLocksStay does everything with a quarantine that has its index in it: none of it may cost the
// process its lock on the index, without which another process takes the log away.
func TestLocksStay(t *testing.T) {
	dir, mta := t.TempDir(), &counting{}
	x := NewIndex(filepath.Join(dir, "index.db"), func(err error) { t.Error(err) })
	defer x.Close()
	d := quarantine.NewDir(dir, x, func(err error) { t.Error(err) })
	const first, second = "06h08cfwgrgb0000", "06h08cfwgrgb0001"
	keep := func(id string) error {
		r := policy.Record{ID: id, Time: now, Verdicts: []policy.RecordVerdict{{Recipients: []string{"a@example.com"}, Action: "quarantine", Because: -1}}}
		return d.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")})
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"Keep", func() error { return errors.Join(keep(first), keep(second)) }},
		{"Find, which makes the index", func() error { _, err := d.Find(t.Context(), quarantine.Filter{}); return err }},
		{"Find", func() error { _, err := d.Find(t.Context(), quarantine.Filter{}); return err }},
		{"Reindex", func() error { _, _, err := d.Reindex(t.Context(), func() {}); return err }},
		{"Check", func() error { return d.Check(t.Context()) }},
		{"CountIndex", func() error { _, err := CountIndex(t.Context(), x.path); return err }},
		{"Bytes", func() error { _, err := Bytes(x.path); return err }},
		{"Open", func() error {
			r, err := d.Open(t.Context(), first)
			if err != nil {
				return err
			}
			return r.Close()
		}},
		{"Release", func() error { releaseAll(t, d, mta, 2); return nil }},
		{"Tidy", func() error { return d.Tidy(now.Add(time.Hour)) }},
		{"Delete", func() error { return d.Delete(t.Context(), first, quarantine.Event{}) }},
		{"Expire", func() error {
			_, err := quarantine.Expire(t.Context(), d, quarantine.Retention{Keep: time.Hour}, now.Add(24*time.Hour))
			return err
		}},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if lost := procstat.Unlocked(os.Getpid()); len(lost) > 0 {
			t.Fatalf("%s: the lock on %q is lost", step.name, lost)
		}
	}
}
