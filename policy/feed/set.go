package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/scan/format/listing"
)

// Options are what a set works with.
type Options struct {
	Dir  string      // where the last good lists are kept
	Tell func(State) // is told when a feed cannot be taken, and when it is again; nil: no function is
}

// Set is all feeds. It may be used by any number of goroutines.
type Set struct {
	options Options
	client  *http.Client
	mu      sync.Mutex // for what follows
	feeds   []*feed
	changed chan struct{}
}

// feed is one feed with its last good list. busy is held while it is fetched or read from the disk; what
// that changes is changed with Set.mu held as well.
type feed struct {
	Config
	busy  sync.Mutex
	state State
	last  version
	table atomic.Pointer[listing.Table] // nil: it was never taken
	file  os.FileInfo                   // that the list was read from, or written to
}

// State is how it is with a feed.
type State struct {
	Feed    string
	Kind    listing.Kind
	Entries int
	Memory  int       // bytes that the entries take
	Bytes   int       // of the list as it was fetched
	Wrong   int       // lines without an entry
	Sample  []string  // some of them, if the list was fetched since the start
	Seen    time.Time // when the list was last fetched, or was the same; zero if it never was
	Tried   time.Time // the last attempt
	Signed  time.Time // as the signature says
	Err     error     // of the last attempt
}

// New returns a set without feeds.
func New(o Options) *Set {
	if o.Tell == nil {
		o.Tell = func(State) {}
	}
	return &Set{options: o, client: newClient(), changed: make(chan struct{}, 1)}
}

// Use goes on with other feeds. Those that stay the same keep their entries; others use the files
// on the disk until they are fetched.
func (s *Set) Use(list []Config, dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := dir != s.options.Dir
	s.options.Dir = dir
	var next []*feed
	for _, c := range list {
		i := slices.IndexFunc(s.feeds, func(f *feed) bool { return !moved && f.Config == c })
		if i >= 0 {
			next = append(next, s.feeds[i])
			continue
		}
		f := &feed{Config: c, state: State{Feed: c.Name, Kind: c.Kind}}
		f.read(dir)
		next = append(next, f)
	}
	if slices.Equal(next, s.feeds) {
		return
	}
	s.feeds = next
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// read takes the list that is on the disk, if it is another than the one in force. The caller holds
// busy, or is the only one to know f.
func (f *feed) read(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, f.fileName()))
	if err != nil || f.file != nil && os.SameFile(info, f.file) && info.Size() == f.file.Size() {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.state.Err = err
		}
		if err == nil && info.ModTime().After(f.state.Seen) {
			f.state.Seen = info.ModTime()
		}
		return false
	}
	f.file = info
	l, at, err := f.restore(dir)
	if err != nil {
		f.state.Err = fmt.Errorf("what was kept of it cannot be used: %w", err)
		return false
	}
	f.take(l, at)
	return true
}

// take puts a list in force.
func (f *feed) take(l *list, at time.Time) {
	f.table.Store(l.table)
	f.last = l.version
	f.state = State{Feed: f.Name, Kind: f.Kind, Entries: l.table.Len(), Memory: l.table.Bytes(), Bytes: l.bytes, Wrong: l.counts.Wrong,
		Sample: l.counts.Sample, Seen: at, Tried: f.state.Tried, Signed: l.Signed}
}

// Table returns the list of a feed that is in force, nil if there is none.
func (s *Set) Table(name string) *listing.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		if f.Name == name {
			return f.table.Load()
		}
	}
	return nil
}

// States returns how it is with all feeds.
func (s *Set) States() (list []State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		list = append(list, f.state)
	}
	return list
}

// Errors of Update.
var (
	ErrUnknown = errors.New("there is no such feed")
	ErrBusy    = errors.New("it is being fetched by another process")
)

// How says whether a list is taken that goes back in time or has lost nearly all of its entries.
type How int

// The ways to update.
const (
	Carefully How = iota
	Forced
)

// Update fetches a feed now.
func (s *Set) Update(ctx context.Context, name string, how How) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.feeds, func(f *feed) bool { return f.Name == name })
	var f *feed
	if i >= 0 {
		f = s.feeds[i]
	}
	s.mu.Unlock()
	if f == nil {
		return ErrUnknown
	}
	return s.update(ctx, f, how)
}

// update fetches a feed, and tells if it fails for the first time, or no longer does.
func (s *Set) update(ctx context.Context, f *feed, how How) error {
	f.busy.Lock()
	defer f.busy.Unlock()
	failing := f.state.Err != nil
	err := s.renew(ctx, f, how)
	if err != nil && ctx.Err() != nil {
		return err // the daemon ends, or goes on with other feeds
	}
	s.mu.Lock()
	f.state.Tried, f.state.Err = time.Now(), err
	state := f.state
	s.mu.Unlock()
	if (err != nil) != failing {
		s.options.Tell(state)
	}
	return err
}

// renew fetches a feed and keeps it, while no other process does.
func (s *Set) renew(ctx context.Context, f *feed, how How) error {
	s.mu.Lock()
	dir := s.options.Dir
	s.mu.Unlock()
	if err := disk.MakeDir(dir); err != nil {
		return err
	}
	unlock, err := disk.TryLock(filepath.Join(dir, f.fileName()+".lock"))
	if errors.Is(err, disk.ErrLocked) {
		return ErrBusy
	}
	if err != nil {
		return err
	}
	defer unlock()
	known, entries := f.last, f.entries()
	if f.table.Load() == nil || how == Forced {
		known, entries = version{}, 0
	}
	limit := fmt.Errorf("not fetched within %v", f.Timeout)
	within, cancel := context.WithTimeoutCause(ctx, f.Timeout.Go(), limit)
	defer cancel()
	now := time.Now()
	ask := known
	if _, err := os.Stat(filepath.Join(dir, f.fileName())); err != nil {
		ask = version{} // all of it is needed, since the next start has none
	}
	l, err := f.fetch(within, s.client, ask)
	switch {
	case errors.Is(err, errSame):
		return s.seen(f, dir, now)
	case err != nil && errors.Is(context.Cause(within), limit):
		return limit
	case err != nil:
		return err
	}
	if how != Forced {
		if err := l.follows(known, entries); err != nil {
			return err
		}
	}
	return s.keep(f, dir, l, now)
}

func (f *feed) entries() int {
	if t := f.table.Load(); t != nil {
		return t.Len()
	}
	return 0
}

// seen notes that the list is still the one at the publisher's.
func (s *Set) seen(f *feed, dir string, at time.Time) error {
	s.mu.Lock()
	f.state.Seen = at
	s.mu.Unlock()
	return os.Chtimes(filepath.Join(dir, f.fileName()), at, at)
}

// keep puts a list in force, and on the disk. One that cannot be kept is in force until the next
// start.
func (s *Set) keep(f *feed, dir string, l *list, at time.Time) error {
	err := f.save(dir, l, at)
	if err != nil {
		err = fmt.Errorf("the list is in force, and cannot be kept for the next start: %w", err)
	}
	info, _ := os.Stat(filepath.Join(dir, f.fileName()))
	s.mu.Lock()
	defer s.mu.Unlock()
	f.file = info
	f.take(l, at)
	return err
}

// Times of following feeds.
const (
	lookEvery = 5 * time.Second // whether another process has fetched one
	retry     = 5 * time.Minute // after a failure
)

// Run keeps the feeds up to date until ctx is done.
func (s *Set) Run(ctx context.Context) {
	for ctx.Err() == nil {
		s.mu.Lock()
		list := slices.Clone(s.feeds)
		s.mu.Unlock()
		running, stop := context.WithCancel(ctx)
		var loops sync.WaitGroup
		for _, f := range list {
			loops.Go(func() { s.follow(running, f) })
		}
		select {
		case <-ctx.Done():
		case <-s.changed:
		}
		stop()
		loops.Wait()
	}
}

// follow fetches a feed when it is due, and takes what another process has fetched.
func (s *Set) follow(ctx context.Context, f *feed) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	due := s.due(f)
	for {
		if !time.Now().Before(due) {
			s.update(ctx, f, Carefully)
			due = time.Now().Add(min(retry, f.Interval.Go()))
			if s.well(f) {
				due = time.Now().Add(f.Interval.Go())
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			s.reread(f)
		}
	}
}

// due returns when a feed is to be fetched next, by when that was done before the start.
func (s *Set) due(f *feed) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.table.Load() == nil || f.state.Err != nil {
		return time.Time{}
	}
	return f.state.Seen.Add(f.Interval.Go())
}

func (s *Set) well(f *feed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.state.Err == nil
}

// reread takes the list on the disk if another process has put it there.
func (s *Set) reread(f *feed) {
	f.busy.Lock()
	defer f.busy.Unlock()
	s.mu.Lock()
	dir := s.options.Dir
	failing := f.state.Err != nil
	taken := f.read(dir)
	state := f.state
	s.mu.Unlock()
	if taken && failing {
		s.options.Tell(state)
	}
}

// Old reports whether a feed was last seen so long ago that it may lack new entries.
func (c Config) Old(seen, now time.Time) bool { return now.Sub(seen) > 3*c.Interval.Go() }

// Kept returns the state of a feed by the files on the disk.
func Kept(c Config, dir string) State {
	f := &feed{Config: c, state: State{Feed: c.Name, Kind: c.Kind}}
	f.read(dir)
	return f.state
}
