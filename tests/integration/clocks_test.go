package integration

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
	vault "github.com/milterscan/milterscan/policy/keep/quarantine/shared"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// meanwhile is an MTA that takes a message, while something else happens.
type meanwhile func()

// Send takes a message.
func (m meanwhile) Send(context.Context, submission.Mail) error { m(); return nil }

// TestClocksApart: two hosts whose clocks differ by ten minutes or twenty send no message again while it is under way, and may do so when
// it cannot be any more, as if their clocks were right.
func TestClocksApart(t *testing.T) {
	needServers(t)
	pg := servers.StartPostgres(t, "")
	here, there := vault.New(prepared(t, pg), "mx1"), vault.New(prepared(t, pg), "mx2")
	releaser := func(s quarantine.Store, ahead time.Duration, to quarantine.Sender) quarantine.Releaser {
		return quarantine.Releaser{Store: s, Sender: to, Key: func() ([]byte, error) { return make([]byte, 32), nil },
			Now: func() time.Time { return time.Now().Add(ahead) }}
	}
	const off = 10 * time.Minute
	for n, clock := range []struct{ first, second time.Duration }{{0, off}, {-off, 0}, {-off, off}, {off, -off}, {0, -off}} {
		quarantinetest.Keep(t, here, quarantinetest.Record(n))
		order, sent := quarantine.Order{ID: quarantinetest.ID(n), Again: true}, 0
		again := func(host quarantine.Store, ahead time.Duration) error {
			_, err := releaser(host, ahead, meanwhile(func() { sent++ })).Release(t.Context(), order)
			return err
		}
		_, err := releaser(&quarantinetest.Dying{Store: here}, clock.first, meanwhile(func() {
			sent++
			if err := again(there, clock.second); !errors.Is(err, quarantine.ErrUnsure) {
				t.Errorf("%v: while it is sent, the other host sends it: %v", clock, err)
			}
		})).Release(t.Context(), order)
		if !errors.Is(err, quarantinetest.ErrDead) {
			t.Fatal(err)
		}
		if err := again(there, clock.second); !errors.Is(err, quarantine.ErrUnsure) || sent != 1 {
			t.Errorf("%v: it may be under way, and was sent %d times: %v", clock, sent, err)
		}
		pg.SQL(t, `UPDATE quarantine SET entry = jsonb_set(entry, '{events,0,time}',
			to_jsonb((entry->'events'->0->>'time')::timestamptz - interval '8 minutes')) WHERE id = '`+order.ID+`'`)
		if err := again(there, clock.second); err != nil || sent != 2 {
			t.Errorf("%v: after eight minutes it was sent %d times: %v", clock, sent, err)
		}
	}
}
