package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/milterscan/milterscan/scan/sender/rate"
)

// Rate is a rate.Store that hosts share. It goes by the clock of the server.
type Rate struct{ state *State }

// Rate returns the buckets.
func (s *State) Rate() *Rate { return &Rate{s} }

// counted begins the names of keys of buckets.
const counted = "r:"

// Take implements rate.Store. A token that takes less than a millisecond to come is free.
func (r *Rate) Take(ctx context.Context, k rate.Key, b rate.Bucket, _ time.Time) (ok bool, err error) {
	err = r.state.ask(ctx, func(ctx context.Context, c valkey.Client) error {
		ok, err = r.state.takeFrom(ctx, c, k, b)
		return err
	})
	return ok, err
}

// takeFrom takes a token.
func (s *State) takeFrom(ctx context.Context, c valkey.Client, k rate.Key, b rate.Bucket) (bool, error) {
	n, err := s.scripts.take.Exec(ctx, c, []string{s.key(counted, k)}, []string{milliseconds(b.Size), milliseconds(b.Every)}).AsInt64()
	return n > 0, err
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Expire does nothing: a bucket that is full is not there any more.
func (r *Rate) Expire(context.Context, time.Time, int) (int, error) { return 0, nil }
