package daemon

import (
	"cmp"
	"context"
	"fmt"
	"os/user"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/console"
	"github.com/milterscan/milterscan/cmd/milterscan/doctor"
	"github.com/milterscan/milterscan/cmd/milterscan/show"
	"github.com/milterscan/milterscan/policy/config"
)

// Times of examinations for pages: they are made while pages are looked at, not for
// each of them.
const (
	examinedFor = 5 * time.Minute // an examination is good
	examineTime = 30 * time.Second
)

// examiner has the checks of "doctor" made that a daemon can make of itself.
type examiner struct {
	examine func(context.Context) []doctor.Finding
	ctx     context.Context // of the daemon's work
	stop    context.CancelFunc
	working sync.WaitGroup

	mu      sync.Mutex
	at      time.Time
	running bool
	found   []doctor.Finding
}

func (d *Daemon) newExaminer() *examiner {
	x := &examiner{}
	x.ctx, x.stop = context.WithCancel(context.Background())
	x.examine = func(ctx context.Context) []doctor.Finding {
		name := "root"
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		p := doctor.Installation{File: d.path, Config: d.config.Load(), User: name, Now: time.Now(), Only: doctor.Running(), Gently: true}
		return slices.Concat(d.drift(), p.Examine(ctx), d.digests.dropped(ctx), d.lists())
	}
	return x
}

// lists says whether what people change in their lists is in force.
func (d *Daemon) lists() []doctor.Finding {
	err := d.book().Failure()
	if err == nil {
		return nil
	}
	n, read := d.book().Entries()
	one := doctor.Finding{Level: doctor.Fault, Check: "lists", Fix: doctor.MendLists(d.config.Load())}
	one.What = fmt.Sprintf("the lists of senders cannot be read, and no entry is in force: %v", err)
	if !read.IsZero() {
		one.What = fmt.Sprintf("the lists of senders cannot be read since %s; the %d entries that were read then stay in force: %v",
			show.Time(read), n, err)
	}
	return []doctor.Finding{one}
}

// drift says whether the file of the configuration is the one in force.
func (d *Daemon) drift() []doctor.Finding {
	next, err := config.Load(d.path)
	one := doctor.Finding{Level: doctor.Fault, Check: "configuration"}
	switch {
	case err != nil:
		one.What, one.Fix = "the next reload will be refused: "+err.Error(), "correct it; milterscan check says when it is right"
	case !console.Same(next, d.config.Load()):
		one.What, one.Fix = d.path+" was changed, and is not in force", "systemctl reload milterscan"
	default:
		return nil
	}
	return []doctor.Finding{one}
}

// last returns the last examination, and begins another one if that was long ago.
func (x *examiner) last() (at time.Time, running bool, found []doctor.Finding) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.running && time.Since(x.at) > examinedFor && x.ctx.Err() == nil {
		x.running = true
		x.working.Go(x.run)
	}
	return x.at, x.running, x.found
}

func (x *examiner) run() {
	ctx, cancel := context.WithTimeout(x.ctx, examineTime)
	defer cancel()
	found := x.examine(ctx)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at, x.found, x.running = time.Now(), found, false
}

// close ends an examination that goes on.
func (x *examiner) close() {
	x.mu.Lock()
	x.stop()
	x.mu.Unlock()
	x.working.Wait()
}

// outages lists the checks and stores that do not answer, as mail met them.
func (h *health) outages() []console.Outage {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []console.Outage
	for rule, o := range h.down {
		list = append(list, console.Outage{Name: o.where, Finding: rule, Since: o.since, Messages: o.messages})
	}
	slices.SortFunc(list, func(a, b console.Outage) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Finding, b.Finding))
	})
	return list
}

// Health says what of what the daemon asks does not answer, and what else needs a person.
func (h host) Health() console.Health {
	at, running, found := h.d.examiner.last()
	return console.Health{At: at, Running: running, Findings: found, Outages: h.d.health.outages()}
}
