package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/tests/fakes"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// quarantineTables are those of a shared quarantine; the others go with the first.
const quarantineTables = "TRUNCATE quarantine CASCADE; TRUNCATE quarantine_audit"

// TestSharedQuarantine: what every store promises, two hosts with one database promise.
func TestSharedQuarantine(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	here, there := prepared(t, pg), prepared(t, pg)
	quarantinetest.Run(t, func(t *testing.T) (quarantine.Store, quarantine.Store) {
		pg.SQL(t, quarantineTables)
		return vault.New(here, "mx1"), vault.New(there, "mx2")
	})
}

// prepared returns the state of a host that can be used. Machines are slow at times.
func prepared(t *testing.T, pg *servers.Postgres) *fleet.State {
	t.Helper()
	s := member(t, pg, `timeout = "10s"`)
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSharedQuarantineDamaged: a body has no life without its entry, and an entry whose body is not whole gives
// nothing out, and sends nothing.
func TestSharedQuarantineDamaged(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	s := vault.New(prepared(t, pg), "mx1")
	noise := &repeated{size: 4 << 20}
	for n := range 4 {
		if err := s.Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(n), Raw: noise}); err != nil {
			t.Fatal(err)
		}
	}
	if got := pg.SQL(t, "SELECT count(*) > 4 FROM quarantine_body"); got != "t" {
		t.Fatal("the messages are in one piece each")
	}
	for n, damage := range []string{
		"DELETE FROM quarantine_body WHERE id = '%s' AND n = 1", "DELETE FROM quarantine_body WHERE id = '%s'",
		"UPDATE quarantine_body SET data = set_byte(data, 1000, (get_byte(data, 1000) + 1) %% 256) WHERE id = '%s' AND n = 1",
		"UPDATE quarantine_body SET data = data || 'x' WHERE id = '%s' AND n = 0",
	} {
		id := quarantinetest.ID(n)
		pg.SQL(t, fmt.Sprintf(damage, id))
		r, err := s.Open(t.Context(), id)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			r.Close()
		}
		if err == nil {
			t.Errorf("%s: it is read as if it were whole", damage)
		}
		x := quarantine.Releaser{Store: s, Sender: refusing{t}, Key: func() ([]byte, error) { return make([]byte, 32), nil }, Now: time.Now}
		if _, err := x.Release(t.Context(), quarantine.Order{ID: id}); err == nil {
			t.Errorf("%s: it is released", damage)
		}
		if e, err := s.Entry(t.Context(), id); err != nil || e.State != quarantine.Kept {
			t.Errorf("%s: then %s, %v", damage, e.State, err)
		}
	}
	pg.SQL(t, "DELETE FROM quarantine")
	if got := pg.SQL(t, "SELECT count(*) FROM quarantine_body"); got != "0" {
		t.Errorf("%s pieces are left without an entry", got)
	}
	if got := pg.SQL(t, `DO $$ BEGIN INSERT INTO quarantine_body VALUES ('06h08cfwgrgb0009', 0, 'x'); SET CONSTRAINTS ALL IMMEDIATE;
		RAISE NOTICE 'taken'; EXCEPTION WHEN foreign_key_violation THEN NULL; END $$`); strings.Contains(got, "taken") {
		t.Error("a piece without an entry is taken")
	}
}

// repeated is content that cannot be compressed to little.
type repeated struct{ size int64 }

// Size returns its size.
func (r *repeated) Size() int64 { return r.size }

// ReadAt makes what is read.
func (r *repeated) ReadAt(p []byte, at int64) (int, error) {
	for i := range p {
		if at+int64(i) >= r.size {
			return i, io.EOF
		}
		x := uint64(at+int64(i)) * 0x9e3779b97f4a7c15
		p[i] = byte((x ^ x>>29) * 0xbf58476d1ce4e5b9 >> 56)
	}
	return len(p), nil
}

// refusing is an MTA that must not be sent anything.
type refusing struct{ t *testing.T }

// TestSharedQuarantineAway: while the database is away nothing is kept, and nothing is released twice; what was kept is
// there when it is back.
func TestSharedQuarantineAway(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "", "fsync=on")
	state := member(t, pg, `timeout = "2s"`)
	if err := state.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := vault.New(state, "mx1")
	kept := 0
	keep := func(n int) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := s.Keep(ctx, policy.Copy{Record: quarantinetest.Record(n), Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")})
		if ctx.Err() != nil {
			t.Errorf("the time of the mail was used up: %v", err)
		}
		return err
	}
	for i, fault := range []struct {
		name        string
		begin, mend func()
	}{
		{"stopped", pg.Stop, func() { pg.Start(t) }}, {"killed", pg.Kill, func() { pg.Start(t) }}, {"hanging", pg.Pause, pg.Continue},
	} {
		if err := keep(10 * i); err != nil {
			t.Fatalf("before it was %s: %v", fault.name, err)
		}
		kept++
		fault.begin()
		for n := 1; n < 6; n++ {
			if err := keep(10*i + n); err == nil {
				t.Errorf("%s: a message was kept", fault.name)
			}
		}
		fault.mend()
		eventually(t, fault.name+": it is back", func() error { return errors.Join(state.Prepare(t.Context()), s.Check(t.Context())) })
		rows, err := s.Find(t.Context(), quarantine.Filter{})
		if err != nil || len(rows) != kept {
			t.Errorf("%s: %d messages; want %d, %v", fault.name, len(rows), kept, err)
		}
	}
}

// Send fails the test.
func (r refusing) Send(context.Context, submission.Mail) error {
	r.t.Error("a damaged message was sent")
	return nil
}

// TestThousandReleasedAtOnce: two hosts let out the same thousand messages at the same time, and each arrives once.
func TestThousandReleasedAtOnce(t *testing.T) {
	needServers(t)
	const messages = 1000
	pg, sink := servers.StartPostgres(t, ""), &fakes.SMTP{}
	s := vault.New(prepared(t, pg), "mx1")
	var ids []string
	for n := range messages {
		r := quarantinetest.Record(n, fmt.Sprintf("p%d@example.com", n))
		r.Time = time.Now().UTC().Truncate(time.Millisecond) // or the daemons remove it as they begin
		if err := s.Keep(t.Context(), policy.Copy{Record: r, Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")}); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	config := storeText(t, pg, `timeout = "10s"`) + fmt.Sprintf("[submission]\nvia = \"smtp:%s\"\n", sink.Start(t))
	var all sync.WaitGroup
	for n := range 2 {
		host := servers.StartMilterscan(t, filepath.Join(t.TempDir(), "m"), config)
		mine := slices.Clone(ids)
		if n == 1 {
			slices.Reverse(mine)
		}
		for _, list := range [][]string{mine, ids} {
			all.Go(func() { // which says of many that another command has released them
				if out, _ := host.Run(t, "quarantine release", list...); !strings.Contains(out, "released") {
					t.Errorf("a command says %s", last(out, 1000))
				}
			})
		}
	}
	all.Wait()
	times := map[string]int{}
	for _, m := range sink.Got() {
		for _, to := range m.To {
			times[to]++
		}
	}
	for to, n := range times {
		if n != 1 {
			t.Errorf("%s got it %d times", to, n)
		}
	}
	rows, err := s.Find(t.Context(), quarantine.Filter{State: quarantine.Released})
	if len(times) != messages || len(rows) != messages || err != nil {
		t.Errorf("%d arrived and %d are released; want %d of each, %v", len(times), len(rows), messages, err)
	}
}
