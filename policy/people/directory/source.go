package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// reader is a kind of source.
type reader interface {
	// read passes on all rows, until ctx is done.
	read(ctx context.Context, take taker) error
}

// watched is a source that shows when it has changed.
type watched interface {
	// changed returns a mark, which is another one when the source has changed.
	changed() string
}

// source is a source with what it said last. A load holds busy; what it changes it changes
// with Directory.mu held as well.
type source struct {
	Source
	from  reader
	busy  sync.Mutex
	rows  []Row
	state State
	lost  int          // addresses of a load that was not believed, since it had lost too many
	saved bool         // the rows are on the disk
	known atomic.Bool  // some load was good, be it before the last start
	since atomic.Int64 // when the last good load of this process began, in nanoseconds; 0: none did
}

// State is how it is with a source.
type State struct {
	Source    string
	Type      string
	Loaded    time.Time     // the last good load; zero if there was none
	Restored  bool          // that load was before the last start
	Tried     time.Time     // the last load
	Took      time.Duration // that load
	Addresses int
	Wrong     int // rows and addresses that were left out
	Problems  []string
	Err       error // of the last load
	Unkept    error // why the last load is not kept for the next start
}

// open returns what reads the source.
func (s Source) open() reader {
	switch s.Type {
	case Database:
		return database{s}
	case LDAP:
		return tree{s}
	}
	return table{s}
}

// fresh reports whether the last load of this process is recent enough to say which addresses the source lacks.
func (s *source) fresh(now time.Time) bool {
	at := s.since.Load()
	return at != 0 && now.Sub(time.Unix(0, at)) <= s.Fresh.Go()
}

// States returns how it is with all sources.
func (d *Directory) States() []State {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []State
	for _, s := range d.sources {
		list = append(list, s.state)
	}
	return list
}

// Conflicts returns what the sources say in more than one way: how many times, and some of it.
func (d *Directory) Conflicts() (int, []string) {
	s := d.now.Load()
	if s == nil {
		return 0, nil
	}
	return s.conflicts.Count, s.conflicts.Named
}

// Size returns how many persons and addresses are known.
func (d *Directory) Size() (people, addresses int) {
	s := d.now.Load()
	if s == nil {
		return 0, 0
	}
	return len(s.people), len(s.byAddress)
}

// load loads a source, and puts in force what it says. An error leaves the last good load.
func (d *Directory) load(ctx context.Context, s *source) error {
	s.busy.Lock()
	defer s.busy.Unlock()
	begun := time.Now()
	c, rows, err := s.fetch(ctx)
	if err != nil && ctx.Err() != nil {
		return err // the daemon ends, or goes on with other sources
	}
	before := s.state
	d.mu.Lock()
	if err == nil {
		err = s.believe(addressesOf(rows))
	}
	s.state.Tried, s.state.Took, s.state.Err = begun, time.Since(begun), err
	if err == nil {
		d.take(s, c, rows, begun)
	}
	d.mu.Unlock()
	if err == nil && d.options.Keep {
		unkept := s.save(d.options.Dir)
		d.mu.Lock()
		s.state.Unkept = unkept
		d.mu.Unlock()
	}
	if (err == nil) != (before.Err == nil) || (s.state.Unkept == nil) != (before.Unkept == nil) {
		d.options.Tell(s.state)
	}
	return err
}

// take puts a good load in force.
func (d *Directory) take(s *source, c *collection, rows []Row, begun time.Time) {
	same := s.known.Load() && slices.EqualFunc(s.rows, rows, Row.equal)
	s.state.Loaded, s.state.Restored = begun, false
	s.state.Wrong, s.state.Problems = c.wrong, c.problems
	s.state.Addresses = addressesOf(rows)
	s.since.Store(begun.UnixNano())
	s.known.Store(true)
	if !same {
		s.rows, s.saved = rows, false
		d.assemble()
	}
}

// addressesOf counts the addresses of rows, which are in order.
func addressesOf(rows []Row) (n int) {
	for i, r := range rows {
		if n += len(r.Aliases); i == 0 || rows[i-1].Address != r.Address {
			n++
		}
	}
	return n
}

// fetch reads all rows of a source within its time.
func (s *source) fetch(ctx context.Context) (*collection, []Row, error) {
	limit := fmt.Errorf("not loaded within %v", s.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout.Go(), limit)
	defer cancel()
	c := new(collection)
	err := s.from.read(ctx, c.collect)
	if err != nil {
		if errors.Is(context.Cause(ctx), limit) {
			err = limit
		}
		return c, nil, err
	}
	rows, err := c.done()
	return c, rows, err
}

// mostLost is the share of its addresses that a source may have lost since the last load, and be
// believed at once.
const mostLost = 2

// believe returns an error if a load has far fewer addresses than the one before. If the next load has
// about as few, it is taken.
func (s *source) believe(addresses int) error {
	before := s.state.Addresses
	if addresses >= before/mostLost || s.lost != 0 && addresses >= s.lost/mostLost {
		s.lost = 0
		return nil
	}
	s.lost = addresses
	return fmt.Errorf("the source has %d addresses and had %d: if that is no mistake, it is taken at the next load", addresses, before)
}

// Times of following a source.
const (
	lookEvery = time.Second      // whether a file has changed
	retry     = 30 * time.Second // after a load that failed
)

// follow loads a source now, as often as it says, and when it changes, until ctx is done.
func (d *Directory) follow(ctx context.Context, s *source) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var changes watcher
	changes.of, _ = s.from.(watched)
	due := time.Unix(0, s.since.Load()).Add(s.Every.Go())
	for {
		if now := time.Now(); changes.seen() || !now.Before(due) {
			changes.loading()
			due = now.Add(s.Every.Go())
			if err := d.load(ctx, s); err != nil {
				due = now.Add(min(retry, s.Every.Go()))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// watcher notices that a source has changed.
type watcher struct {
	of           watched // nil: it never shows
	last, loaded string  // marks at the last look and before the last load
}

// seen reports whether the source is another than what was loaded, and the same as at the last look: it may be
// in the middle of being written.
func (w *watcher) seen() bool {
	if w.of == nil {
		return false
	}
	mark, last := w.of.changed(), w.last
	w.last = mark
	return mark != "" && mark == last && mark != w.loaded
}

func (w *watcher) loading() {
	if w.of != nil {
		w.loaded = w.of.changed()
	}
}
