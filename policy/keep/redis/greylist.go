package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/milterscan/milterscan/scan/sender/greylist"
)

// Greylist is a greylist.Store that hosts share. It goes by the clock of the server.
type Greylist struct{ state *State }

// Greylist returns the greylist.
func (s *State) Greylist() *Greylist { return &Greylist{s} }

// greylisted begins the names of keys of the greylist.
const greylisted = "g:"

// Try implements greylist.Store.
func (g *Greylist) Try(ctx context.Context, t greylist.Try) (a greylist.Answer, err error) {
	s := g.state
	err = s.ask(ctx, func(ctx context.Context, c valkey.Client) error {
		got, err := s.scripts.try.Exec(ctx, c, []string{s.key(greylisted, t.Client), s.key(greylisted, t.Pair), s.key(greylisted, t.Pass)},
			[]string{seconds(t.Delay), seconds(t.Window), seconds(t.Keep), strconv.Itoa(t.AutoAllow), strconv.Itoa(greylist.Lazily)}).AsIntSlice()
		if err == nil && len(got) != 2 {
			err = fmt.Errorf("it answered %d numbers, not 2", len(got))
		}
		if err == nil {
			a = greylist.Answer{Standing: greylist.Standing(got[0]), Span: time.Duration(got[1]) * time.Second}
		}
		return err
	})
	return a, err
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// Pass implements greylist.Store.
func (g *Greylist) Pass(ctx context.Context, k greylist.Key, _ time.Time, hold time.Duration) (until time.Time, err error) {
	s := g.state
	err = s.ask(ctx, func(ctx context.Context, c valkey.Client) error {
		end, err := s.scripts.pass.Exec(ctx, c, []string{s.key(greylisted, k)}, []string{seconds(hold)}).AsInt64()
		until = time.Unix(end, 0)
		return err
	})
	return until, err
}

// Expire does nothing: the server forgets each entry when its time is over, and before that those that its
// maxmemory-policy says.
func (g *Greylist) Expire(context.Context, time.Time, int) (int, error) { return 0, nil }
