package quarantinetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// testChange: none of many changes at once is lost, and one that is given up changes nothing.
func testChange(t *testing.T, p pair) {
	const many, each = 8, 10
	Keep(t, p.here, Record(1))
	var wg sync.WaitGroup
	for n := range many {
		s := p.both()[n%2]
		wg.Go(func() {
			for i := range each {
				err := s.Change(t.Context(), ID(1), func(e *quarantine.Entry) error {
					e.Events = append(e.Events, quarantine.Event{Time: now, What: "forward", By: fmt.Sprint(n, ".", i), Note: fmt.Sprint(len(e.Events))})
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	e := entry(t, p.there, 1)
	if len(e.Events) != many*each {
		t.Errorf("%d of %d changes", len(e.Events), many*each)
	}
	for i, ev := range e.Events {
		if ev.Note != fmt.Sprint(i) {
			t.Fatalf("the change after %d others saw %s", i, ev.Note)
		}
	}
	no := errors.New("no")
	err := p.here.Change(t.Context(), ID(1), func(e *quarantine.Entry) error { e.State, e.Events = quarantine.Released, nil; return no })
	if !errors.Is(err, no) {
		t.Error(err)
	}
	same(t, "given up", entry(t, p.there, 1), e)
}

// aged keeps messages of several classes, states and ages, all before now.
func aged(t *testing.T, s quarantine.Store) {
	t.Helper()
	for n := range 8 {
		r := Record(n)
		r.Time = now.Add(time.Duration(n-8) * 24 * time.Hour)
		switch n {
		case 1, 5:
			r.Findings[0] = policy.RecordFinding{Kind: scan.Infected, Scanner: "virus", Rule: "virus/x"}
		case 2, 6:
			r.Appeal = true
			r.Verdicts[0].Kept, r.Verdicts[0].Appeal = false, true
		}
		Keep(t, s, r)
	}
	for _, n := range []int{0, 4} {
		if err := s.Change(t.Context(), ID(n), func(e *quarantine.Entry) error { e.State = quarantine.Releasing; return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// testExpire: messages too old for their class go, then the oldest, and first those that no person has asked for; a
// message on its way out stays.
func testExpire(t *testing.T, p pair) {
	aged(t, p.here)
	size := entry(t, p.here, 3).Stored
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		r     quarantine.Retention
		gone  int
		after string
	}{
		{"for ever", quarantine.Retention{}, 0, "7 6 5 4 3 2 1 "},
		{"long", quarantine.Retention{Keep: 100 * day, Classes: map[string]time.Duration{"infected": 0}, Size: 1 << 40}, 0, "7 6 5 4 3 2 1 "},
		{"a class", quarantine.Retention{Keep: 100 * day, Classes: map[string]time.Duration{"infected": 5 * day}}, 1, "7 6 5 4 3 2 "},
		{"unasked", quarantine.Retention{Unasked: quarantine.Unasked{Keep: 3 * day}}, 1, "7 6 5 4 3 "},
		{"no longer than others", quarantine.Retention{Keep: 4*day + time.Hour,
			Classes: map[string]time.Duration{"infected": 0},
			Unasked: quarantine.Unasked{Keep: 99 * day}}, 1, "7 6 5 4 "},
		{"room for unasked", quarantine.Retention{Unasked: quarantine.Unasked{Size: 1}}, 1, "7 5 4 "},
		{"room", quarantine.Retention{Size: 3*size + size/2}, 1, "7 4 "},
		{"no room", quarantine.Retention{Size: 1}, 1, "4 "},
	} {
		n, err := quarantine.Round(t.Context(), p.there, c.r, now)
		if got := found(t, p.here, quarantine.Filter{}); n != c.gone || err != nil || got != c.after {
			t.Errorf("%s: %d went, %v; left %q, want %q", c.name, n, err, got, c.after)
		}
	}
}

// testExpireAtOnce: of several that expire at once each counts what it removed, and no one stumbles.
func testExpireAtOnce(t *testing.T, p pair) {
	const all = 60
	for n := range all {
		Keep(t, p.here, Record(n))
	}
	var removed atomic.Int64
	var wg sync.WaitGroup
	for n := range 4 {
		s := p.both()[n%2]
		wg.Go(func() {
			n, err := quarantine.Round(t.Context(), s, quarantine.Retention{Keep: time.Hour}, now.Add(all*2*time.Hour))
			if err != nil {
				t.Error(err)
			}
			removed.Add(int64(n))
		})
	}
	wg.Wait()
	if got := found(t, p.there, quarantine.Filter{}); got != "" || removed.Load() < all {
		t.Errorf("%d went, left %q", removed.Load(), got)
	}
}

// testDeeds: what persons do to a message is seen on the other side.
func testDeeds(t *testing.T, p pair) {
	r := Record(1, "ann@example.com", "ben@example.com")
	r.Appeal = true
	r.Verdicts[0].Kept, r.Verdicts[0].Appeal = false, true
	Keep(t, p.here, r)
	bytes, err := quarantine.UnaskedBytes(t.Context(), p.there)
	if e := entry(t, p.there, 1); !e.Unasked() || err != nil || bytes != e.Stored || e.Row().Waiting != nil {
		t.Errorf("not asked for: %+v, %d, %v", e, bytes, err)
	}
	for range 2 {
		if err := quarantine.Appeal(t.Context(), p.here, ID(1), now); err != nil {
			t.Fatal(err)
		}
	}
	if bytes, err := quarantine.UnaskedBytes(t.Context(), p.there); err != nil || bytes != 0 || len(entry(t, p.there, 1).Events) != 1 {
		t.Errorf("asked for twice: %d, %v", bytes, err)
	}
	Keep(t, p.here, Record(2))
	if err := quarantine.Appeal(t.Context(), p.there, ID(2), now); !errors.Is(err, quarantine.ErrNoAppeal) {
		t.Error(err)
	}
	x := releaser(p.here, &sink{})
	if err := x.Handle(t.Context(), ID(1), true); err != nil ||
		found(t, p.there, quarantine.Filter{Open: true}) != "2" || entry(t, p.there, 1).Handled().By != "test" {
		t.Error("handled:", err)
	}
	if err := x.Handle(t.Context(), ID(1), false); err != nil || found(t, p.there, quarantine.Filter{Open: true}) != "2 1" {
		t.Error("reopened:", err)
	}
	if err := x.Dismiss(t.Context(), ID(1), []string{"ann@example.com"}); err != nil ||
		strings.Join(entry(t, p.there, 1).Waiting(), " ") != "ben@example.com" {
		t.Error("dismissed:", err)
	}
	if err := releaser(p.there, &sink{}).Dismiss(t.Context(), ID(1), []string{"ben@example.com"}); err != nil {
		t.Error(err)
	}
	gone(t, p.here, ID(1))
}
