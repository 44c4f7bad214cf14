package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/tell/metrics"
	"github.com/milterscan/milterscan/scan/contents/virus"
)

// answerReady answers whether mail can be judged: the daemon listens, the spool and the
// stores take messages, and every engine that mail waits for answers.
func (d *Daemon) answerReady(w http.ResponseWriter, r *http.Request) {
	troubles := d.ready.ask(r.Context(), d)
	if len(troubles) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, t := range troubles {
		fmt.Fprintln(w, t)
	}
}

// readiness keeps the answer to "can mail be judged" for a moment, so that asking
// often costs the engines and the disks little.
type readiness struct {
	mu       sync.Mutex
	at       time.Time
	troubles []string
	open     questions
	last     atomic.Int32 // what was answered last, for who does not wait: one of the following
}

// What was answered last.
const (
	unasked = iota
	isReady
	isNotReady
)

// sample returns what was answered last, nothing before the first time.
func (r *readiness) sample() []metrics.Sample {
	switch r.last.Load() {
	case isReady:
		return []metrics.Sample{{Value: 1}}
	case isNotReady:
		return []metrics.Sample{{Value: 0}}
	}
	return nil
}

// Times of the question whether mail can be judged.
const (
	readyFor  = 5 * time.Second // an answer holds
	readyTime = 3 * time.Second // all that is asked may take
)

// ask returns the reasons why mail is not judged, none if it is. Who asks no longer
// changes nothing for those who ask next.
func (r *readiness) ask(ctx context.Context, d *Daemon) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.at.IsZero() && time.Since(r.at) < readyFor {
		return r.troubles
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
	defer cancel()
	r.troubles = r.open.ask(ctx, d.conditions())
	r.at = time.Now()
	r.last.Store(isReady)
	if len(r.troubles) > 0 {
		r.last.Store(isNotReady)
	}
	return r.troubles
}

// condition is something that mail needs. Its question is given up when ctx is
// done, whether or not it returns: a disk may hang.
type condition struct {
	what string // comes before the reason
	ask  func(context.Context) error
}

// conditions returns what mail needs by the configuration in force.
func (d *Daemon) conditions() []condition {
	c := d.config.Load()
	list := []condition{
		{"no address is listened on", func(context.Context) error { return d.listens() }},
		{"messages cannot be spooled", func(context.Context) error { return d.Spool.Check() }},
	}
	if d.current.Load().Policy.Keeps() {
		list = append(list, condition{"messages cannot be kept in the quarantine", d.Stores.Quarantine(c).Check})
	}
	if d.recorder.Remembers() {
		list = append(list, condition{"records cannot be written to the history", d.recorder.Check})
	}
	for _, v := range c.Virus {
		if v.Asks() && v.BackupFor == "" && v.OnFailure != "deliver" {
			list = append(list, condition{v.Name, func(ctx context.Context) error { return answers(ctx, c, v) }})
		}
	}
	return list
}

var errDeaf = errors.New("milter.listen and the service manager name none that is open")

func (d *Daemon) listens() error {
	if len(d.server.Addrs()) == 0 {
		return errDeaf
	}
	return nil
}

// answers returns why an engine cannot be asked about mail: none of its servers
// answers, and none of its backups'.
func answers(ctx context.Context, c *config.Config, v virus.Config) error {
	var errs []error
	for _, one := range c.Virus {
		if one.Name != v.Name && one.BackupFor != v.Name {
			continue
		}
		e, err := virus.Open(one)
		if err == nil {
			var all []virus.Health
			if all, err = e.Health(ctx); len(all) > 0 {
				return nil
			}
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// questions are those that have had no answer yet: no condition is asked about again
// before, however long that takes.
type questions struct {
	mu   sync.Mutex
	open map[string]time.Time // when it was asked, by what it is about
}

// ask asks about all conditions at once, and returns the reasons of those that are not
// met, or are not known to be when ctx is done.
func (q *questions) ask(ctx context.Context, all []condition) (troubles []string) {
	reasons := make([]chan error, len(all))
	for i, c := range all {
		reasons[i] = make(chan error, 1)
		if since, asked := q.begin(c.what); asked {
			reasons[i] <- fmt.Errorf("no answer for %v", time.Since(since).Round(time.Second))
			continue
		}
		go func() {
			defer q.end(c.what)
			reasons[i] <- c.ask(ctx)
		}()
	}
	for i, c := range all {
		var err error
		select {
		case err = <-reasons[i]:
		case <-ctx.Done():
			select {
			case err = <-reasons[i]:
			case <-time.After(moment):
				err = fmt.Errorf("no answer within %v", readyTime)
			}
		}
		if err != nil {
			troubles = append(troubles, fmt.Sprintf("%s: %v", c.what, err))
		}
	}
	return troubles
}

// moment is how long a question may take to notice that its time is over.
const moment = 100 * time.Millisecond

// begin notes that a question is asked, or returns since when it is.
func (q *questions) begin(what string) (since time.Time, asked bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if since, asked = q.open[what]; asked {
		return since, true
	}
	if q.open == nil {
		q.open = map[string]time.Time{}
	}
	q.open[what] = time.Now()
	return time.Time{}, false
}

func (q *questions) end(what string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, what)
}
