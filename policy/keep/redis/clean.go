package redis

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/breaker"
)

// Clean is a virus.Clean that hosts share. Who may write into the server could let a virus through, so each value is signed, by a
// key that the server does not have.
type Clean struct {
	state *State
	key   []byte
}

// Clean returns what hosts with the same key found clean.
func (s *State) Clean(key []byte) *Clean { return &Clean{s, key} }

// Lengths, times and numbers.
const (
	cleaned   = "v:"                  // begins the names of keys of verdicts
	cleanTime = time.Minute           // that a verdict is remembered
	haste     = 10 * time.Millisecond // that a mail waits for an answer at most
	mostAsked = 64                    // contents of one mail; of the others it is not asked
	busy      = 64                    // mails that are answered, or told of, at once; others go without
	unlucky   = 3                     // answers in a row that may come too late before none is waited for
	stamped   = 8                     // bytes of the time in a value
)

// asking is what all generations have in common that ask for verdicts.
type asking struct {
	haste  time.Duration
	calls  breaker.Breaker
	slots  chan struct{}
	counts [foreign + 1]atomic.Int64
}

func newAsking() *asking {
	return &asking{haste: haste, calls: breaker.Breaker{Patience: unlucky}, slots: make(chan struct{}, busy)}
}

// Outcome is what became of the question whether a content was found clean.
type Outcome int

// What may become of one. Foreign is a value that none of those has signed who have the same key.
const (
	known Outcome = iota
	unknown
	missed
	foreign
)

// String returns the word of the metric.
func (o Outcome) String() string { return [...]string{"known", "unknown", "missed", "foreign"}[o] }

// Outcomes returns how many questions had which outcome.
func (s *State) Outcomes() map[string]int64 {
	list := map[string]int64{}
	for o := range s.clean.counts {
		list[Outcome(o).String()] = s.clean.counts[o].Load()
	}
	return list
}

// Foreign returns how many values there were that were signed by another key, or forged.
func (s *State) Foreign() int64 { return s.clean.counts[foreign].Load() }

// Recall implements virus.Clean.
func (c *Clean) Recall(ctx context.Context, keys []scan.Sum) []bool {
	clean := make([]bool, len(keys))
	keys = keys[:min(len(keys), mostAsked)]
	if len(keys) == 0 {
		return clean
	}
	a := c.state.clean
	values, err := c.hurried(ctx, keys)
	if err != nil {
		a.counts[missed].Add(int64(len(keys)))
		return clean
	}
	for i, v := range values {
		o := c.read(keys[i], v, time.Now())
		a.counts[o].Add(1)
		clean[i] = o == known
	}
	return clean
}

// errHaste is reported where there is no answer within the time for it, or nobody to wait for it.
var errHaste = errors.New("there is no time for an answer")

// hurried returns the values of keys, if there is an answer in time. What is asked goes on when nobody waits any more: it has a
// deadline of its own.
func (c *Clean) hurried(ctx context.Context, keys []scan.Sum) ([]string, error) {
	a := c.state.clean
	if !a.calls.MayTry(time.Now()) {
		return nil, breaker.ErrRests
	}
	type answer struct {
		values []string
		err    error
	}
	answers := make(chan answer, 1)
	begun := a.begin(func() {
		values, err := c.get(context.WithoutCancel(ctx), keys)
		answers <- answer{values, err}
	})
	if !begun {
		a.calls.Note(time.Now(), true)
		return nil, errHaste
	}
	late := time.NewTimer(a.haste)
	defer late.Stop()
	select {
	case got := <-answers:
		a.calls.Note(time.Now(), got.err != nil)
		return got.values, got.err
	case <-late.C:
		a.calls.Note(time.Now(), true)
	case <-ctx.Done(): // which says nothing of the server
	}
	return nil, errHaste
}

// begin runs do beside its caller, unless there is too much of it already.
func (a *asking) begin(do func()) bool {
	select {
	case a.slots <- struct{}{}:
		go func() {
			defer func() { <-a.slots }()
			do()
		}()
		return true
	default:
		return false
	}
}

// get returns the values of keys, "" of those that are not there.
func (c *Clean) get(ctx context.Context, keys []scan.Sum) (values []string, err error) {
	err = c.state.ask(ctx, func(ctx context.Context, to valkey.Client) error {
		commands := make([]valkey.Completed, len(keys))
		for i, k := range keys {
			commands[i] = to.B().Get().Key(c.name(k)).Build()
		}
		values = make([]string, len(keys))
		for i, r := range to.DoMulti(ctx, commands...) {
			v, err := r.ToString()
			if err != nil && !valkey.IsValkeyNil(err) {
				return err
			}
			values[i] = v
		}
		return nil
	})
	return values, err
}

// Keep implements virus.Clean.
func (c *Clean) Keep(keys []scan.Sum) {
	if keys = keys[:min(len(keys), mostAsked)]; len(keys) == 0 {
		return
	}
	c.state.clean.begin(func() {
		c.state.ask(context.Background(), func(ctx context.Context, to valkey.Client) error {
			commands, now := make([]valkey.Completed, len(keys)), time.Now()
			for i, k := range keys {
				commands[i] = to.B().Set().Key(c.name(k)).Value(c.sign(k, now)).Ex(cleanTime).Build()
			}
			var errs []error
			for _, r := range to.DoMulti(ctx, commands...) {
				errs = append(errs, r.Error())
			}
			return errors.Join(errs...) // which spares the next ones; what the server has not got is asked of engines
		})
	})
}

// name returns the name of a key in the server.
func (c *Clean) name(k scan.Sum) string { return c.state.key(cleaned, [16]byte(k[:16])) }

// sign returns the value of a key: a time, and what only those can make of it and the key who have the same key file.
func (c *Clean) sign(k scan.Sum, at time.Time) string {
	value := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	return string(c.mac(value, k))
}

// mac appends to a time what proves it.
func (c *Clean) mac(value []byte, k scan.Sum) []byte {
	h := hmac.New(sha256.New, c.key)
	fmt.Fprintf(h, "milterscan clean %x %x", k, value)
	return h.Sum(value)
}

// read says what a value is worth at a time. One that is older, as of a server that was restored, or of a host with another time,
// is worth nothing.
func (c *Clean) read(k scan.Sum, value string, now time.Time) Outcome {
	if value == "" {
		return unknown
	}
	if len(value) < stamped || !hmac.Equal([]byte(value), c.mac([]byte(value[:stamped]), k)) {
		return foreign
	}
	at := time.Unix(int64(binary.BigEndian.Uint64([]byte(value))), 0)
	if now.Sub(at).Abs() > cleanTime {
		return unknown
	}
	return known
}

// Which key hosts have shows in a key of its own, of which each has the fingerprint of its key there while it runs.
const (
	whichKey  = cleaned + "key"
	whichTime = 3 * time.Minute
)

// ErrOtherKey is reported where another host has another key.
var ErrOtherKey = errors.New("a host that shares verdicts has another key in store.redis.verdict_key_file, so neither trusts the other")

// Agrees returns ErrOtherKey if another host has another key.
func (c *Clean) Agrees(ctx context.Context) error {
	var theirs string
	err := c.state.try(ctx, func(ctx context.Context, to valkey.Client) (err error) {
		theirs, err = to.Do(ctx, to.B().Get().Key(c.state.options.Prefix+whichKey).Build()).ToString()
		if valkey.IsValkeyNil(err) {
			return nil
		}
		return err
	})
	if err == nil && theirs != "" && theirs != c.fingerprint() {
		err = ErrOtherKey
	}
	return c.state.named(err)
}

// Announce says which key this host has, unless another has another one.
func (c *Clean) Announce(ctx context.Context) error {
	if err := c.Agrees(ctx); err != nil {
		return err
	}
	return c.state.named(c.state.try(ctx, func(ctx context.Context, to valkey.Client) error {
		return to.Do(ctx, to.B().Set().Key(c.state.options.Prefix+whichKey).Value(c.fingerprint()).Ex(whichTime).Build()).Error()
	}))
}

// fingerprint returns what tells keys apart, and none of which can be found by it.
func (c *Clean) fingerprint() string {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte("milterscan which key"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}
