package console

import (
	"context"
	"sync"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
)

// lately is what was counted of the last days.
type lately struct {
	counts []history.Count
	hours  []history.Hour
	recent []policy.Record
	none   bool      // there is no history
	asOf   time.Time // when it was counted, if that is some time ago
}

// tally counts for pages. Counting a month of a large host takes longer than a page may:
// it goes on when the page has given up, and the next page has the result.
type tally struct {
	count func(context.Context, int) (lately, error)
	now   func() time.Time

	mu sync.Mutex
	by map[int]*counting // by days
}

// counting is one span that is counted, or was.
type counting struct {
	at    time.Time // of the result; zero: there is none that is good
	last  time.Time // of the last value, good or not; zero: there was none
	value lately
	err   error
	done  chan struct{} // closed when counting ends; nil while no goroutine counts
}

// The times of counting.
const (
	countedFor = 20 * time.Second // a result is good
	countTime  = time.Minute
)

// of returns what was counted of so many days. If it does not come in time, it is the
// result before that, or the error of ctx.
func (t *tally) of(ctx context.Context, days int) (lately, error) {
	t.mu.Lock()
	c := t.by[days]
	if c == nil {
		c = &counting{}
		t.by[days] = c
	}
	if !c.at.IsZero() && t.now().Sub(c.at) < countedFor && c.done == nil {
		defer t.mu.Unlock()
		return c.value, nil
	}
	if c.done == nil {
		c.done = make(chan struct{})
		go t.run(c, days, c.done)
	}
	done := c.done
	t.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !c.at.IsZero():
		return c.value, nil
	case c.done != nil:
		return lately{}, ctx.Err()
	}
	return lately{}, c.err
}

// run counts once. Of each span there is one that runs.
func (t *tally) run(c *counting, days int, done chan<- struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	got := guarded(ctx, func(ctx context.Context) (lately, error) { return t.count(ctx, days) })
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.err = got.err; got.err == nil {
		c.at, c.value = t.now(), got.value
		c.last = c.at
	} else {
		c.at = time.Time{}
	}
	c.done = nil
	close(done)
}

// snapshot returns what was last counted of so many days, and when; the zero time: nothing was. Nothing is asked.
func (t *tally) snapshot(days int) (lately, time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.by[days]; c != nil {
		return c.value, c.last
	}
	return lately{}, time.Time{}
}

// countLately asks the history.
func (c *Console) countLately(ctx context.Context, days int) (l lately, err error) {
	h := c.Host.History()
	if h == nil {
		return lately{none: true}, nil
	}
	since := c.since(days)
	if l.counts, err = h.Counts(ctx, since); err != nil {
		return l, err
	}
	if l.hours, err = h.Hours(ctx, history.ByAction, since); err != nil {
		return l, err
	}
	page, err := h.Find(ctx, history.Filter{Since: since, Limit: mostRecent}, history.Cursor{})
	l.recent = page.Records
	return l, err
}

// since returns when a span of days begins.
func (c *Console) since(days int) time.Time { return daysBefore(c.Now(), days) }

func daysBefore(t time.Time, days int) time.Time { return t.Add(-time.Duration(days) * 24 * time.Hour) }

// lately returns what was counted of so many days, or which part did not answer. A person who sees what this host knows by itself
// is shown what was counted last, and of when it is.
func (c *Console) lately(ctx context.Context, p login.Person, days int) (lately, error) {
	if !p.Away.IsZero() {
		l, at := c.tally.snapshot(days)
		l.asOf, l.none = at, at.IsZero()
		return l, nil
	}
	ctx, cancel := context.WithTimeout(ctx, PartHistory.patience()*9/10) // which leaves time for the page
	defer cancel()
	l, err := c.tally.of(ctx, days)
	return l, partError(PartHistory, err)
}
