package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/spill"
	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/tell/notify"
)

// recordWriter writes records to the history.
type recordWriter struct {
	*history.Writer
	store history.Store
	spill *spill.Spill // where records wait while the history is away; nil for one in a file
	named config.History
}

// newRecordWriter opens the history, or returns nil if the configuration wants none, or
// its directory does not exist.
func newRecordWriter(c *config.Config, stores *Stores, lost *atomic.Int64, warn func(error)) *recordWriter {
	file := c.History.File
	if !remembers(c.History) {
		return nil
	}
	w := &recordWriter{named: c.History}
	var to history.Appender
	if stores.Fleet == nil {
		w.store = store.NewHistory(file, warn)
		to = w.store
	} else {
		w.store = stores.records(c)
		w.spill = spill.New(w.store, spill.Terms{File: c.History.SpillFile(), Bytes: int64(c.History.Spill), Warn: warn,
			Lost: func(n int) { lost.Add(int64(n)) }, Refused: postgres.Refused})
		to = w.spill
	}
	w.Writer = history.NewWriter(to, func(n int, err error) {
		lost.Add(int64(n))
		warn(fmt.Errorf("the history cannot be written, mail goes on; %d records are lost: %w", n, err))
	})
	return w
}

// remembers reports whether there is a history: one is configured, and its directory exists.
func remembers(c config.History) bool {
	_, err := os.Stat(filepath.Dir(c.File))
	return c.File != "" && !errors.Is(err, fs.ErrNotExist)
}

// lastLoad is how long a process that ends waits for records to be put into the history that waited.
const lastLoad = 5 * time.Second

// close writes the records that wait.
func (w *recordWriter) close() {
	if w == nil {
		return
	}
	w.Writer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), lastLoad)
	defer cancel()
	w.load(ctx)
	w.store.Close()
}

// load puts records into the history that waited, and returns how many.
func (w *recordWriter) load(ctx context.Context) (int, error) {
	if w.spill == nil {
		return 0, nil
	}
	return w.spill.Load(ctx)
}

// check returns why records can be kept nowhere.
func (w *recordWriter) check(ctx context.Context) error {
	if w.spill == nil {
		return w.store.Check(ctx)
	}
	return w.spill.Check(ctx, w.store.Check)
}

// wants reports whether a history is the one that a configuration names.
func (w *recordWriter) wants(c config.History) bool {
	return w != nil && w.named.File == c.File && (w.spill == nil || w.named.Spill == c.Spill)
}

// Recorder writes down messages that have been judged: a record
// of each, and notices to our own people. All generations share it.
type Recorder struct {
	stores *Stores
	warn   func(error)
	lost   atomic.Int64 // records that no history took

	expiring sync.Mutex    // held while a history in a file is expired, indexed, or replaced
	mu       sync.RWMutex  // held for reading while a ruling is entered
	records  *recordWriter // nil without a history
	terms    config.Notices
	notices  *notify.Queue
	before   map[string]*notify.Queue // queues of earlier configurations, by directory
}

// NewRecorder starts a recorder by the terms of a configuration.
func NewRecorder(c *config.Config, stores *Stores, warn func(error)) *Recorder {
	r := &Recorder{stores: stores, warn: warn, terms: c.Notices, notices: notify.NewQueue(c.Notices.Dir, c.Notices.Queue),
		before: map[string]*notify.Queue{}}
	r.records = newRecordWriter(c, stores, &r.lost, warn)
	return r
}

// Use goes on by the terms of another configuration. Earlier records are not lost:
// they are written where they belong, and notices that wait are still sent.
func (r *Recorder) Use(c *config.Config) {
	r.expiring.Lock()
	defer r.expiring.Unlock()
	if !r.records.wants(c.History) {
		next := newRecordWriter(c, r.stores, &r.lost, r.warn)
		r.mu.Lock()
		last := r.records
		r.records = next
		r.mu.Unlock()
		last.close()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.Notices.Dir == r.terms.Dir && c.Notices.Queue == r.terms.Queue {
		return
	}
	r.before[r.terms.Dir] = r.notices
	delete(r.before, c.Notices.Dir)
	r.terms, r.notices = c.Notices, notify.NewQueue(c.Notices.Dir, c.Notices.Queue)
}

// Lost returns the number of records that the history could not keep since the start.
func (r *Recorder) Lost() int64 { return r.lost.Load() }

// Check returns why the history cannot take records now, nil if it can or there is none.
func (r *Recorder) Check(ctx context.Context) error {
	w := r.writer()
	if w == nil {
		return nil
	}
	return w.check(ctx)
}

// writer returns what writes records now, nil if there is no history.
func (r *Recorder) writer() *recordWriter {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.records
}

// Load puts records into the history that had to wait for it, and returns how many.
func (r *Recorder) Load(ctx context.Context) (int, error) {
	w := r.writer()
	if w == nil {
		return 0, nil
	}
	return w.load(ctx)
}

// Waiting returns how many records wait for the history, and how many bytes they have.
func (r *Recorder) Waiting() (records, bytes int64) {
	w := r.writer()
	if w == nil || w.spill == nil {
		return 0, 0
	}
	return w.spill.Waiting()
}

// Remembers reports whether there is a history.
func (r *Recorder) Remembers() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.records != nil
}

// Queues returns the queues in which notices may wait.
func (r *Recorder) Queues() []*notify.Queue {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return append(slices.Collect(maps.Values(r.before)), r.notices)
}

// steady returns what writes records now. One that writes to a file is not replaced until the caller is done with it;
// for a database the caller need not wait.
func (r *Recorder) steady() (w *recordWriter, free func()) {
	if w := r.writer(); w == nil || w.spill != nil {
		return w, func() {}
	}
	r.expiring.Lock()
	return r.writer(), r.expiring.Unlock
}

// Expire removes records older than before from the history.
func (r *Recorder) Expire(ctx context.Context, before time.Time) (int, error) {
	w, free := r.steady()
	defer free()
	if w == nil {
		return 0, nil
	}
	return w.store.Expire(ctx, before)
}

// Index makes records easy to find, some thousand at most, and reports whether there are
// more.
func (r *Recorder) Index(ctx context.Context) (more bool, err error) {
	w, free := r.steady()
	defer free()
	if w == nil {
		return false, nil
	}
	return w.store.Index(ctx)
}

// errNoHistory says that nothing is remembered.
var errNoHistory = errors.New("there is no history")

// Hold returns the records that have something on a list. The history is not indexed meanwhile.
func (r *Recorder) Hold(ctx context.Context, q history.Holding) (history.Held, error) {
	w, free := r.steady()
	defer free()
	if w == nil {
		return history.Held{}, errNoHistory
	}
	return w.store.Hold(ctx, q)
}

// Notify has notices sent.
func (r *Recorder) Notify(ctx context.Context, items []notify.Item) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.notices.Add(ctx, items)
}

// Close writes the records that wait.
func (r *Recorder) Close() { r.records.close() }

// Tell queues notices about messages that were entered before.
func (r *Recorder) Tell(ctx context.Context, items []notify.Item) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.notices.Add(ctx, items)
}

// Enter records a ruling by the terms of its configuration. Notices are on the
// disk before the message is answered, so that none is lost with us; if that
// fails only the log has the event.
func (r *Recorder) Enter(ctx context.Context, result *judge.Result, c *config.Config) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.records == nil && len(result.Decision.Notices) == 0 {
		return
	}
	record := result.Record()
	if r.records != nil {
		r.records.Remember(c.History.Privacy().Apply(record))
	}
	if err := r.notices.Add(ctx, notify.Items(record, result.Decision, policy.Local(c.Local))); err != nil {
		r.warn(fmt.Errorf("the notices about message %s cannot be queued: %w", record.ID, err))
	}
}
