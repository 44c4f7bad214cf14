package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// spareDir returns a directory for what a database does not take.
func spareDir(t *testing.T) *quarantine.Dir {
	return quarantine.NewDir(filepath.Join(t.TempDir(), "fallback"), quarantine.Unindexed{}, func(err error) { t.Log(err) })
}

// TestSharedQuarantineWithFallback: with a fallback, too, two hosts promise what every store promises.
func TestSharedQuarantineWithFallback(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	here, there := prepared(t, pg), prepared(t, pg)
	quarantinetest.Run(t, func(t *testing.T) (quarantine.Store, quarantine.Store) {
		pg.SQL(t, quarantineTables)
		return vault.NewFallback(vault.New(here, "mx1"), spareDir(t)), vault.NewFallback(vault.New(there, "mx2"), spareDir(t))
	})
}

// TestMovedOnce has two processes move the same messages while the database is killed in the middle: each message is
// in it once at the end, and no file is left. What another host has deleted meanwhile does not come back.
func TestMovedOnce(t *testing.T) {
	needServers(t)
	const messages = 120
	pg := servers.StartPostgres(t, "", "fsync=on")
	state := prepared(t, pg)
	s, spare := vault.New(state, "mx1"), spareDir(t)
	keep := func(n int) policy.Copy {
		return policy.Copy{Record: quarantinetest.Record(n), Raw: &repeated{size: 100_000}}
	}
	for n := range messages {
		if err := spare.Keep(t.Context(), keep(n)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2 { // commits whose answers were lost
		if err := s.Keep(t.Context(), keep(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(t.Context(), quarantinetest.ID(1), quarantine.Event{Time: time.Now(), What: "delete", By: "ann"}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	sum := make([]vault.Moves, 2)
	for i := range sum {
		all.Go(func() {
			for ctx.Err() == nil {
				m, _ := s.MoveFrom(ctx, spare, "", func(id string, err error) { t.Logf("%s stays: %v", id, err) })
				sum[i].Taken, sum[i].Known, sum[i].Gone = sum[i].Taken+m.Taken, sum[i].Known+m.Known, sum[i].Gone+m.Gone
				if list, err := spare.IDs(); err == nil && len(list) == 0 {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	awaitLong(t, "some to be moved", func() bool { list, err := spare.IDs(); return err == nil && len(list) < messages-10 })
	pg.Kill()
	pg.Start(t)
	eventually(t, "the database is back", func() error { return state.Prepare(t.Context()) })
	awaitLong(t, "all to be moved", func() bool { list, err := spare.IDs(); return err == nil && len(list) == 0 })
	stop()
	all.Wait()
	rows, err := s.Find(t.Context(), quarantine.Filter{})
	if err != nil || len(rows) != messages-1 {
		t.Errorf("%d messages are in the database; want %d, %v", len(rows), messages-1, err)
	}
	if got := sum[0].Done() + sum[1].Done(); got != messages || sum[0].Gone+sum[1].Gone != 1 || sum[0].Known+sum[1].Known < 1 {
		t.Errorf("they were moved %d times: %+v", got, sum)
	}
	for n := range messages {
		if n == 1 {
			continue
		}
		if r, err := s.Open(t.Context(), quarantinetest.ID(n)); err != nil {
			t.Errorf("message %d: %v", n, err)
		} else if _, err := io.Copy(io.Discard, r); errors.Join(err, r.Close()) != nil {
			t.Errorf("message %d: %v", n, err)
		}
	}
}

// TestKeptMeanwhile has the database hang, stop and be killed under two hosts that keep by themselves meanwhile, and
// a host killed while it moves: every message that was accepted is delivered or kept, once.
func TestKeptMeanwhile(t *testing.T) {
	f := newFleetWith(t, 2, `timeout = "1s"`, `fallback = "dir"`, keepPrograms)
	count := ledger{}
	send := func(n int) {
		for i, h := range f.houses {
			for range n {
				count.keep(t, h)
				count.pass(t, h, fmt.Sprint(i))
			}
		}
	}
	send(1)
	for _, fault := range []struct {
		name        string
		begin, mend func()
	}{
		{"hanging", f.pg.Pause, f.pg.Continue}, {"stopped", f.pg.Stop, func() { f.pg.Start(t) }}, {"killed", f.pg.Kill, func() { f.pg.Start(t) }},
	} {
		fault.begin()
		send(4)
		out, status := f.houses[0].milter.Run(t, "quarantine list")
		if status == 0 || !strings.Contains(out, "shared database") || !strings.Contains(out, "kept messages to itself") {
			t.Errorf("%s: list says %d, %s", fault.name, status, out)
		}
		if out, _ := f.houses[0].milter.Run(t, "doctor"); !strings.Contains(out, "to be moved into the database; until then no list names them") {
			t.Errorf("%s: doctor says %s", fault.name, out)
		}
		id := waitingID(t, f.kept[0])
		if out, status := f.houses[0].milter.Run(t, "quarantine release", id); status == 0 || !strings.Contains(out, "nothing can be done with it") {
			t.Errorf("%s: release says %d, %s", fault.name, status, out)
		}
		fault.mend()
		if fault.name == "killed" { // the first host ends as it begins to move
			awaitLong(t, "the database to have more", func() bool { return f.stored(t) > count.kept-8 })
			f.houses[0].milter.Kill()
			f.houses[0].milter.Start(t)
		}
		awaitLong(t, "all to be in the database", func() bool { return f.stored(t) == count.kept })
		for i, dir := range f.kept {
			awaitLong(t, fmt.Sprintf("host %d to have nothing to itself", i+1), func() bool { return len(spared(dir)) == 0 })
		}
	}
	awaitLong(t, "all hosts to say that nothing waits", func() bool {
		return f.pg.SQL(t, "SELECT count(*) FROM host WHERE behind <> '{}'") == "0"
	})
	for _, h := range f.houses {
		if rows := h.list(t); len(rows) != count.kept {
			t.Errorf("a host lists %d messages; want %d", len(rows), count.kept)
		}
		h.mta.(*servers.Postfix).Settle(t)
	}
	awaitLong(t, "all mail to be delivered", func() bool { return f.delivered() >= count.passed })
	if got := f.delivered(); got != count.passed || count.deferred > 0 {
		t.Errorf("%d arrived; want %d; %d were put off", got, count.passed, count.deferred)
	}
	t.Logf("accepted %d = delivered %d + kept %d", count.kept+count.passed, f.delivered(), f.stored(t))
}

// ledger counts what senders were told.
type ledger struct{ kept, passed, deferred int }

// keep sends a message that is to be kept.
func (l *ledger) keep(t *testing.T, h *house) {
	t.Helper()
	l.note(t, h.send(program()))
}

// note counts the answer to a message that is to be kept.
func (l *ledger) note(t *testing.T, r servers.Reply) {
	t.Helper()
	switch {
	case r.Accepted():
		l.kept++
	case r.Deferred():
		l.deferred++
	default:
		t.Errorf("a program: %v", r)
	}
}

// pass sends a message that no rule objects to.
func (l *ledger) pass(t *testing.T, h *house, mark string) {
	t.Helper()
	r := h.send(clean(fmt.Sprintf("%s %d", mark, l.passed)))
	wantReply(t, "harmless mail", r, 250)
	if r.Accepted() {
		l.passed++
	}
}

// stored returns how many messages the database has.
func (f *sharing) stored(t *testing.T) (n int) {
	t.Helper()
	fmt.Sscan(f.pg.SQL(t, "SELECT count(*) FROM quarantine"), &n)
	return n
}

// delivered returns how many messages are in the mailboxes of all hosts.
func (f *sharing) delivered() (n int) {
	for _, h := range f.houses {
		n += h.mta.Mailbox().Count()
	}
	return n
}

// spared returns the ids of what a host has to itself in its quarantine.
func spared(dir string) (ids []string) {
	files, _ := filepath.Glob(filepath.Join(dir, "fallback", "*", "*.eml.gz"))
	for _, f := range files {
		ids = append(ids, strings.TrimSuffix(filepath.Base(f), ".eml.gz"))
	}
	return ids
}

// waitingID returns the id of a message that a host has to itself.
func waitingID(t *testing.T, dir string) (id string) {
	t.Helper()
	awaitLong(t, "a message to be kept on the host", func() bool {
		if list := spared(dir); len(list) > 0 {
			id = list[0]
		}
		return id != ""
	})
	return id
}

// TestNowhereToKeep: where neither the database nor the disk of the host has room, a message is put off; and all else
// goes on.
func TestNowhereToKeep(t *testing.T) {
	f := newFleetWith(t, 1, `timeout = "1s"`, `fallback = "dir"`, keepPrograms)
	h, place := f.houses[0], filepath.Join(f.kept[0], "fallback")
	f.pg.Stop()
	wantReply(t, "a program", h.send(program()), 250)
	if err := errors.Join(os.RemoveAll(place), os.WriteFile(place, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	wantReply(t, "a program, and nowhere to keep it", h.send(program()), 451, "4.3.0")
	wantReply(t, "harmless mail", h.send(clean("lunch")), 250)
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	wantReply(t, "a program, when there is room", h.send(program()), 250)
}

// awaitLong waits for what takes several rounds of a daemon.
func awaitLong(t *testing.T, what string, done func() bool) {
	t.Helper()
	eventually(t, what, func() error {
		if !done() {
			return errors.New("not yet")
		}
		return nil
	})
}
