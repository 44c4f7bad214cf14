package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// waysToAsk are all waysToAsk in which hosts run statements of which others may be in the way.
var waysToAsk = map[string]func(ctx context.Context, s *fleet.State, query string) error{
	"a question of mail": func(ctx context.Context, s *fleet.State, query string) error {
		return s.Ask(ctx, func(ctx context.Context, db *sql.DB) error { _, err := db.ExecContext(ctx, query); return err })
	},
	"a kept message": func(ctx context.Context, s *fleet.State, query string) error {
		return s.Commit(ctx, func(step func(string, ...any) error) error { return step(query) })
	},
	"a change": func(ctx context.Context, s *fleet.State, query string) error {
		return s.Change(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, query); return err })
	},
	"records": func(ctx context.Context, s *fleet.State, query string) error {
		return s.Record(ctx, func(tx *sql.Tx) error { _, err := tx.ExecContext(ctx, query); return err })
	},
}

// crossing counts in two rows, one after the other, so that two who begin with different ones are in each other's way; begun counts
// the tries. refusing takes one try in so many.
const crossing = `CREATE TABLE counted (id int PRIMARY KEY, n bigint NOT NULL DEFAULT 0); INSERT INTO counted VALUES (1), (2);
	CREATE SEQUENCE tried; CREATE SEQUENCE begun;
	CREATE FUNCTION crossing(a int, b int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('begun');
		UPDATE counted SET n = n + 1 WHERE id = a; PERFORM pg_sleep(0.05); UPDATE counted SET n = n + 1 WHERE id = b; END $$;
	CREATE FUNCTION refusing(every int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('tried') % every <> 0 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END IF; END $$`

// TestConflicts: two hosts that lock the same rows in opposite order both get what they want, and so does who is refused some
// times since another transaction was first. Who is always refused is told, after five tries, and nobody is spared for it.
func TestConflicts(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "", "deadlock_timeout=20ms")
	hosts := []*fleet.State{prepared(t, pg), prepared(t, pg)}
	pg.SQL(t, crossing)
	for name, run := range waysToAsk {
		pg.SQL(t, "UPDATE counted SET n = 0; ALTER SEQUENCE begun RESTART")
		pairs, begun := 0, 0
		eventually(t, name+": a deadlock", func() error {
			cross(t, hosts, run)
			pairs++
			if fmt.Sscan(pg.SQL(t, "SELECT last_value FROM begun"), &begun); begun <= 2*pairs {
				return errors.New("none yet")
			}
			return nil
		})
		if got := pg.SQL(t, "SELECT string_agg(n::text, ' ') FROM counted"); got != fmt.Sprint(2*pairs, " ", 2*pairs) {
			t.Errorf("%s: counted %s of %d", name, got, 2*pairs)
		}
		t.Logf("%s: %d pairs were in each other's way %d times, and each counted once", name, pairs, begun-2*pairs)
		for _, refused := range []struct{ every, tries int }{{4, 4}, {1000, 5}} {
			pg.SQL(t, "ALTER SEQUENCE tried RESTART")
			err := run(t.Context(), hosts[0], fmt.Sprintf("SELECT refusing(%d)", refused.every))
			if got := pg.SQL(t, "SELECT last_value FROM tried"); got != fmt.Sprint(refused.tries) || postgres.Again(err) != (refused.every > 4) {
				t.Errorf("%s: after %s tries, not %d: %v", name, got, refused.tries, err)
			}
		}
		if err := ping(t.Context(), hosts[0]); err != nil {
			t.Errorf("%s: mail is spared: %v", name, err)
		}
	}
}

// cross has two hosts count at the same time, in opposite order.
func cross(t *testing.T, hosts []*fleet.State, run func(context.Context, *fleet.State, string) error) {
	t.Helper()
	var both sync.WaitGroup
	for i, s := range hosts {
		both.Go(func() {
			if err := run(t.Context(), s, fmt.Sprintf("SELECT crossing(%d, %d)", i+1, 2-i)); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
}

// TestSerializable: in a database where transactions that are in each other's way fail, two hosts release each message once, and
// what they promise of each is so.
func TestSerializable(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	prepared(t, pg)
	pg.SQL(t, "ALTER ROLE postgres SET default_transaction_isolation = 'serializable'")
	stores := []*vault.Store{vault.New(prepared(t, pg), "mx1"), vault.New(prepared(t, pg), "mx2")}
	const messages = 20
	var kept, released, refused atomic.Int64
	var all sync.WaitGroup
	for n := range messages {
		all.Go(func() {
			if err := stores[n%2].Keep(t.Context(), policy.Copy{Record: quarantinetest.Record(n), Raw: strings.NewReader("Subject: x\r\n\r\nbody\r\n")}); err != nil {
				t.Error(err)
				return
			}
			kept.Add(1)
			for i := range 4 {
				all.Go(func() {
					err := stores[i%2].Change(t.Context(), quarantinetest.ID(n), func(e *quarantine.Entry) error {
						if e.State != quarantine.Kept {
							return quarantine.ErrReleased
						}
						e.State = quarantine.Released
						return nil
					})
					switch {
					case err == nil:
						released.Add(1)
					case strings.Contains(err.Error(), quarantine.ErrReleased.Error()) || postgres.Again(err):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
		})
	}
	all.Wait()
	there := pg.SQL(t, "SELECT count(*) || ' ' || count(*) FILTER (WHERE state = 'released') FROM quarantine")
	if want := fmt.Sprint(messages, " ", messages); there != want || kept.Load() != messages || released.Load() != messages || refused.Load() != 3*messages {
		t.Errorf("kept and released %s; of %d kept %d were released and %d tries refused", there, kept.Load(), released.Load(), refused.Load())
	}
	t.Logf("kept %d, released %d, refused %d of %d", kept.Load(), released.Load(), refused.Load(), 4*messages)
}
