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
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/tell/notify"
)

// recordWriter writes records to the history.
type recordWriter struct {
	*history.Writer
	store *store.History
	file  string
}

// newRecordWriter opens the history, or returns nil if the configuration wants none, or
// its directory does not exist.
func newRecordWriter(c config.History, lost *atomic.Int64, warn func(error)) *recordWriter {
	if _, err := os.Stat(filepath.Dir(c.File)); c.File == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s := store.NewHistory(c.File, warn)
	return &recordWriter{file: c.File, store: s, Writer: history.NewWriter(s, func(n int, err error) {
		lost.Add(int64(n))
		warn(fmt.Errorf("the history cannot be written, mail goes on; %d records are lost: %w", n, err))
	})}
}

// close writes the records that wait.
func (w *recordWriter) close() {
	if w != nil {
		w.Writer.Close()
		w.store.Close()
	}
}

// wants reports whether a history is the one that a configuration names.
func (w *recordWriter) wants(c config.History) bool { return w != nil && w.file == c.File }

// Recorder writes down messages that have been judged: a record
// of each, and notices to our own people. All generations share it.
type Recorder struct {
	warn func(error)
	lost atomic.Int64 // records that no history took

	expiring sync.Mutex    // held while the history is expired, indexed, or replaced
	mu       sync.RWMutex  // held for reading while a ruling is entered
	records  *recordWriter // nil without a history
	terms    config.Notices
	notices  *notify.Queue
	before   map[string]*notify.Queue // queues of earlier configurations, by directory
}

// NewRecorder starts a recorder by the terms of a configuration.
func NewRecorder(c *config.Config, warn func(error)) *Recorder {
	r := &Recorder{warn: warn, terms: c.Notices, notices: notify.NewQueue(c.Notices.Dir, c.Notices.Queue), before: map[string]*notify.Queue{}}
	r.records = newRecordWriter(c.History, &r.lost, warn)
	return r
}

// Use goes on by the terms of another configuration. Earlier records are not lost:
// they are written where they belong, and notices that wait are still sent.
func (r *Recorder) Use(c *config.Config) {
	r.expiring.Lock()
	defer r.expiring.Unlock()
	if !r.records.wants(c.History) {
		next := newRecordWriter(c.History, &r.lost, r.warn)
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
	r.mu.RLock()
	w := r.records
	r.mu.RUnlock()
	if w == nil {
		return nil
	}
	return w.store.Check(ctx)
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

// Expire removes records older than before from the history.
func (r *Recorder) Expire(ctx context.Context, before time.Time) (int, error) {
	r.expiring.Lock()
	defer r.expiring.Unlock()
	if r.records == nil {
		return 0, nil
	}
	return r.records.store.Expire(ctx, before)
}

// Index makes records easy to find, some thousand at most, and reports whether there are
// more.
func (r *Recorder) Index(ctx context.Context) (more bool, err error) {
	r.expiring.Lock()
	defer r.expiring.Unlock()
	if r.records == nil {
		return false, nil
	}
	return r.records.store.Index(ctx)
}

// errNoHistory says that nothing is remembered.
var errNoHistory = errors.New("there is no history")

// Hold returns the records that have something on a list. The history is not indexed meanwhile.
func (r *Recorder) Hold(ctx context.Context, q history.Holding) (history.Held, error) {
	r.expiring.Lock()
	defer r.expiring.Unlock()
	if r.records == nil {
		return history.Held{}, errNoHistory
	}
	return r.records.store.Hold(ctx, q)
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
