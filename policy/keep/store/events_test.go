package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/mtalog"
)

func newEvents(t testing.TB, path string) *Events {
	t.Helper()
	x := NewEvents(path, func(err error) { t.Log(err) })
	t.Cleanup(func() { x.Close() })
	return x
}

func told(queue string, kind mtalog.Kind, n int) mtalog.Event {
	return mtalog.Event{Time: now.Add(time.Duration(n) * time.Second), MTA: "postfix", Queue: queue, Kind: kind}
}

// TestEventsAndPlace keeps events together with the place up to which the log was read,
// for the next process.
func TestEventsAndPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.mta.db")
	first := newEvents(t, path)
	if _, known, err := first.PlaceIn(t.Context(), "/var/log/mail.log"); known || err != nil {
		t.Errorf("known %v, %v", known, err)
	}
	named := told("A", mtalog.Named, 0)
	named.MessageID = "m1@example.org"
	sent := told("A", mtalog.Sent, 1)
	sent.Next = "B"
	bounce := told("C", mtalog.Queued, 2)
	bounce.Parent = "A"
	place := mtalog.Place{Inode: 7, Offset: 4711, Head: "abc", Bytes: 3}
	if err := first.AddEvents(t.Context(), "/var/log/mail.log", []mtalog.Event{named, sent, bounce}, mtalog.Place{}, place); err != nil {
		t.Fatal(err)
	}
	if err := first.AddEvents(t.Context(), "/var/log/mail.log", []mtalog.Event{named}, mtalog.Place{}, place); !errors.Is(err, mtalog.ErrElsewhere) {
		t.Errorf("from a place that is not the last: %v", err)
	}
	first.Close()
	second := newEvents(t, path)
	if at, known, err := second.PlaceIn(t.Context(), "/var/log/mail.log"); at != place || !known || err != nil {
		t.Errorf("%+v, %v, %v", at, known, err)
	}
	list, err := second.Queue(t.Context(), "A")
	if err != nil || !slices.Equal(list, []mtalog.Event{named, sent}) {
		t.Errorf("%+v, %v", list, err)
	}
	for _, c := range []struct {
		find func() ([]string, error)
		want []string
	}{
		{func() ([]string, error) { return second.MessageID(t.Context(), "<m1@example.org>") }, []string{"A"}},
		{func() ([]string, error) { return second.MessageID(t.Context(), "m2@example.org") }, nil},
		{func() ([]string, error) { return second.MessageID(t.Context(), "") }, nil},
		{func() ([]string, error) { return second.Linked(t.Context(), "B") }, []string{"A"}},
		{func() ([]string, error) { return second.Linked(t.Context(), "A") }, []string{"C"}},
	} {
		if got, err := c.find(); !slices.Equal(got, c.want) || err != nil {
			t.Errorf("%v, %v, not %v", got, err, c.want)
		}
	}
}

// TestEventsAreBounded keeps so many events of one message, the weightiest of those that
// come later, and a count of the others.
func TestEventsAreBounded(t *testing.T) {
	x := newEvents(t, filepath.Join(t.TempDir(), "e.db"))
	var list []mtalog.Event
	for n := range 700 {
		list = append(list, told("A", mtalog.Deferred, n))
	}
	list = append(list, told("A", mtalog.Removed, 700), told("B", mtalog.Removed, 1))
	for lot := range slices.Chunk(list, 150) {
		if err := x.AddEvents(t.Context(), "log", lot, mtalog.Place{}, mtalog.Place{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := x.Queue(t.Context(), "A")
	if err != nil || len(got) != mostEvents+2 || got[mostEvents].Kind != mtalog.Removed || got[mostEvents+1].Kind != mtalog.Omitted || got[mostEvents+1].N != 200 {
		t.Errorf("%d events, the last %+v, %v", len(got), got[len(got)-2:], err)
	}
}

// TestEventsExpire removes what is too old, and then what is too much.
func TestEventsExpire(t *testing.T) {
	x := newEvents(t, filepath.Join(t.TempDir(), "e.db"))
	var list []mtalog.Event
	for n := range 10 {
		list = append(list, told(fmt.Sprint("Q", n), mtalog.Removed, n))
	}
	if err := x.AddEvents(t.Context(), "log", list, mtalog.Place{}, mtalog.Place{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ after, most, gone int }{{0, 100, 0}, {3, 100, 3}, {3, 5, 2}, {3, 5, 0}, {100, 5, 5}} {
		if gone, err := x.Expire(t.Context(), now.Add(time.Duration(c.after)*time.Second), c.most); gone != c.gone || err != nil {
			t.Errorf("%+v: %d, %v", c, gone, err)
		}
	}
}

// TestEventsOfADamagedFile go on in a new one.
func TestEventsOfADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "e.db")
	if err := os.WriteFile(path, []byte("no database at all, and longer than a header of one would be, by some hundred bytes ..............."), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newEvents(t, path)
	if err := x.AddEvents(t.Context(), "log", []mtalog.Event{told("A", mtalog.Removed, 0)}, mtalog.Place{}, mtalog.Place{}); err != nil {
		t.Fatal(err)
	}
	if list, err := x.Queue(t.Context(), "A"); len(list) != 1 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

// TestBurstOfEvents reads a burst of 100,000 lines of a log into the store, while others
// ask it.
func TestBurstOfEvents(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	dir := t.TempDir()
	x := newEvents(t, filepath.Join(dir, "e.db"))
	var text []byte
	const messages = 14_285 // of seven lines
	for n := range messages {
		id := fmt.Sprintf("%010X", n)
		for _, line := range []string{"smtpd[1]: %s: client=x[192.0.2.1]", "cleanup[1]: %s: message-id=<%[1]s@x>", "qmgr[1]: %s: from=<a@b>, size=1, nrcpt=1 (queue active)",
			"smtp[1]: %s: to=<b@x>, relay=x[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)", "qmgr[1]: %s: removed",
			"smtpd[1]: connect from %s", "smtpd[1]: disconnect from %s"} {
			text = fmt.Appendf(text, "Nov 29 17:10:02 mx postfix/"+line+"\n", id)
		}
	}
	log := filepath.Join(dir, "mail.log")
	if err := os.WriteFile(log, text, 0o600); err != nil {
		t.Fatal(err)
	}
	state := mtalog.NewState()
	f := &mtalog.Follower{Store: x, File: log, State: state, Warn: func(err error) { t.Error(err) }}
	begun := time.Now()
	moved, had := begun, int64(0)
	var loop sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	loop.Go(func() { f.Run(ctx) })
	var slowest time.Duration
	for had < 5*messages && time.Since(moved) < time.Minute { // a busy host may take long, but not stand
		if n := state.Status("", now).Events; n > had {
			moved, had = time.Now(), n
		}
		asked := time.Now()
		if _, err := x.Queue(t.Context(), "0000000001"); err != nil {
			t.Error(err)
		}
		slowest = max(slowest, time.Since(asked))
		time.Sleep(time.Millisecond)
	}
	stop()
	loop.Wait()
	if s := state.Status("", now); s.Lines != 7*messages || s.Events != 5*messages || s.Unread != 0 {
		t.Errorf("%+v", s)
	}
	t.Logf("%d lines in %v; the slowest question took %v", 7*messages, time.Since(begun), slowest)
}
