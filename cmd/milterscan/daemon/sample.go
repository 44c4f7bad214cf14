package daemon

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// Bounds of the sampler.
const (
	samplesWaiting = 4                // messages in memory until they are on the disk; more are not kept
	samplePatience = 10 * time.Second // for one to be written
	sampleRest     = time.Hour        // after one could not be
	sampleRoom     = 20               // of so many parts of the file system one is left free
)

// sampler keeps some of all messages for replays. Mail never waits for it.
type sampler struct {
	mu     sync.Mutex
	slot   time.Duration // an hour by the number of messages; 0 before the first
	end    time.Time     // of the slot
	due    time.Time     // the first message after it is kept
	rests  time.Time     // until then none is
	kept   chan sampled
	chance func() float64 // from 0 to below 1
	room   func(dir string) (free, all int64, err error)
}

// sampled is a message to be kept.
type sampled struct {
	policy.Copy
	config.Replay
}

func newSampler() *sampler {
	return &sampler{kept: make(chan sampled, samplesWaiting), chance: chance, room: disk.Room}
}

// chance returns a number from 0 to below 1 that a sender cannot foresee.
func chance() float64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return float64(binary.BigEndian.Uint64(b[:])>>11) / (1 << 53)
}

// chooses reports whether the message of a moment is kept. Each hour has as many slots as messages are kept, and each
// slot a moment that a sender cannot foresee: the first message after it is kept. So a sender can neither avoid being
// chosen nor see to it, and there are never more than were asked for.
func (s *sampler) chooses(c config.Replay, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Keep == 0 || now.Before(s.rests) {
		return false
	}
	if slot := time.Hour / time.Duration(c.Keep); s.slot != slot {
		s.slot, s.end, s.due = slot, time.Time{}, time.Time{}
	}
	if begin := now.Truncate(s.slot); !now.Before(s.end) {
		s.end = begin.Add(s.slot)
		if s.due.IsZero() { // else no message came after the last one
			s.due = begin.Add(time.Duration(s.chance() * float64(s.slot)))
		}
	}
	if s.due.IsZero() || now.Before(s.due) {
		return false
	}
	s.due = time.Time{}
	return true
}

// rest has no message chosen for a while.
func (s *sampler) rest(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rests = now.Add(sampleRest)
}

// take copies a message that is chosen into memory, unless it is too large, or others wait.
func (s *sampler) take(r *judge.Result, c config.Replay) {
	if r.Message == nil || r.Size > int64(c.Largest) || c.Keep == 0 || len(s.kept) == cap(s.kept) || !s.chooses(c, time.Now()) {
		return
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, scan.Reader(r.Message.Raw)); err != nil {
		return // the message itself is judged by others
	}
	select {
	case s.kept <- sampled{policy.Copy{Record: r.Record(), Raw: bytes.NewReader(b.Bytes())}, c}:
	default:
	}
}

// sampleOn keeps what was chosen until ctx is done.
func (d *Daemon) sampleOn(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-d.samples.kept:
			if err := d.keepSample(ctx, m); err != nil && ctx.Err() == nil {
				d.samples.rest(time.Now())
				d.log.Warn("no message is kept for replays for an hour; mail goes on", zap.Error(err))
			}
		}
	}
}

// keepSample writes a message, if that leaves the file system some room.
func (d *Daemon) keepSample(ctx context.Context, m sampled) error {
	ctx, cancel := context.WithTimeout(ctx, samplePatience)
	defer cancel()
	if err := disk.MakeDir(m.Dir); err != nil {
		return err
	}
	free, all, err := d.samples.room(m.Dir)
	if err == nil && free-m.Raw.Size() < all/sampleRoom {
		return fmt.Errorf("%s: less than one in %d parts of the file system is free", m.Dir, sampleRoom)
	}
	return d.Stores.Sample(m.Dir).Keep(ctx, m.Copy)
}

// expireSamples removes what was kept for replays and is too old or too much, also if no more is kept.
func (d *Daemon) expireSamples(ctx context.Context, c config.Replay, now time.Time) {
	if _, err := os.Stat(c.Dir); err != nil {
		return
	}
	n, err := quarantine.Round(ctx, d.Stores.Sample(c.Dir), quarantine.Retention{Keep: c.For.Go(), Size: int64(c.Size)}, now)
	audit := os.Remove(filepath.Join(c.Dir, "audit.log")) // which says of each that it has expired, for good
	if errors.Is(audit, os.ErrNotExist) {
		audit = nil
	}
	d.expired("sample", n, errors.Join(err, audit))
}
