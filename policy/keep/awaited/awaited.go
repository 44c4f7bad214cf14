// Package awaited asks engines for the verdicts that they had not come to when messages were kept, and acts on them:
// it releases a clean message if nothing else keeps it, keeps or deletes any other, and tells people. All that must
// survive is in the entries of the messages, so it may end at any moment.
package awaited

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
)

// Engine is asked about kept messages.
type Engine interface {
	// Ask asks for the verdicts on jobs. The error is ErrLost where the engine knows nothing of one of them.
	Ask(ctx context.Context, jobs []string) (Progress, error)
	// Submit has the engine look at a message from the beginning. The error is ErrClosed where it is the message
	// that keeps it from that.
	Submit(ctx context.Context, message io.Reader) (Progress, error)
}

// ErrLost says that an engine knows nothing of a job.
var ErrLost = errors.New("the engine has lost the job")

// ErrClosed says that a message cannot be submitted as a whole, which is no fault of the engine.
var ErrClosed = errors.New("the engine would not see all that is in the message")

// Progress is what an engine has come to.
type Progress struct {
	Jobs  []string      // that go on; without any, and with nothing found, the message is clean
	Found *scan.Finding // nil: nothing until now
}

// Terms are what holds for the mail that awaits an engine.
type Terms struct {
	Engine Engine        // nil: none of that name is there any more
	Within time.Duration // after a message was kept, until it is given up
	Delete bool          // what a virus was found in
}

// With is what an Asker works with.
type With struct {
	Store    quarantine.Store
	Lock     string // the file that the process has locked that asks
	Terms    func(engine string) Terms
	Releaser func(by string) quarantine.Releaser
	// Tell tells people of a message for which there is a verdict that it does not go out by, of what
	// came of it. What it could not tell is told again.
	Tell func(ctx context.Context, t Told) error
	// Heard is told every verdict that was acted on.
	Heard func(t Told)
}

// Told is what became of a message.
type Told struct {
	Entry   quarantine.Entry
	Engine  string
	Verdict quarantine.Verdict
	Found   *policy.RecordFinding // nil: nothing
	To      []string              // the recipients to which it was released
	Deleted bool
	Stays   error // why it was not let out although it is clean, or why there is no verdict
}

// Times and bounds of the rounds.
const (
	sweepEvery = 15 * time.Minute // the quarantine is looked through for messages that others have kept
	leastPause = 5 * time.Second  // between two questions about a message
	mostPause  = time.Minute
	longRest   = 5 * time.Minute  // of an engine that fails, at most
	askTime    = 20 * time.Second // an engine may take to speak about one message
	atOnce     = 4                // messages
	perRound   = 50               // messages
	mostKnown  = 100_000          // messages that are asked about
	mostGiven  = 3                // times that an engine gets a message again
	mostTries  = 10               // to let a message out
)

// Asker asks. Its methods may be called by several goroutines.
type Asker struct {
	mu    sync.Mutex
	known map[string]turn // messages by their ids
	rests map[string]rest // engines that failed, by name
	sweep time.Time       // when the quarantine is looked through next
}

// turn is when a message is next asked about.
type turn struct {
	at    time.Time
	pause time.Duration
}

// rest is until when an engine is left alone.
type rest struct {
	until time.Time
	pause time.Duration
}

// New returns an asker that knows of no messages yet.
func New() *Asker { return &Asker{known: map[string]turn{}, rests: map[string]rest{}} }

// Note says that a message was kept, at a time, that awaits a verdict. Other messages are found all the same, but later.
func (a *Asker) Note(id string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.known[id]; !ok && len(a.known) < mostKnown {
		a.known[id] = turn{now.Add(leastPause), leastPause}
	}
}

// Count returns how many messages are known to await a verdict.
func (a *Asker) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.known)
}

// Round asks about the messages whose turn it is, and acts on the verdicts. Where another process does so, it does
// nothing.
func (a *Asker) Round(ctx context.Context, w With, now time.Time) error {
	if !a.due(now) {
		return nil
	}
	unlock, err := disk.TryLock(w.Lock)
	switch {
	case errors.Is(err, disk.ErrLocked):
		return nil
	case errors.Is(err, fs.ErrNotExist): // hosts that share a quarantine may have no directory, and none of them is alone
		unlock = func() {}
	case err != nil:
		return err
	}
	defer unlock()
	if err := a.look(ctx, w.Store, now); err != nil {
		return err
	}
	var errs []error
	var mu sync.Mutex
	var asking sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, id := range a.next(now) {
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			done, err := a.attend(ctx, w, id, now)
			a.turned(id, done, now)
			if err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	return summed(errs)
}

// mostErrors is how many errors of a round are named.
const mostErrors = 3

func summed(errs []error) error { return errors.Join(errs[:min(len(errs), mostErrors)]...) }

// due reports whether there is anything to do.
func (a *Asker) due(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !now.Before(a.sweep) {
		return true
	}
	for _, t := range a.known {
		if !now.Before(t.at) {
			return true
		}
	}
	return false
}

// look looks through the quarantine for messages that await a verdict, now and then.
func (a *Asker) look(ctx context.Context, s quarantine.Store, now time.Time) error {
	a.mu.Lock()
	early := now.Before(a.sweep)
	a.mu.Unlock()
	if early {
		return nil
	}
	rows, err := s.Find(ctx, quarantine.Filter{Awaited: true, Limit: mostKnown})
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep = now.Add(sweepEvery)
	if err != nil {
		a.sweep = now.Add(mostPause)
		return err
	}
	for _, r := range rows {
		if _, ok := a.known[r.ID]; !ok && len(a.known) < mostKnown {
			a.known[r.ID] = turn{now, leastPause}
		}
	}
	return nil
}

// next returns the messages whose turn it is, those first that have waited longest.
func (a *Asker) next(now time.Time) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var ids []string
	for id, t := range a.known {
		if !now.Before(t.at) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(x, y string) int { return cmp.Or(a.known[x].at.Compare(a.known[y].at), cmp.Compare(x, y)) })
	return ids[:min(len(ids), perRound)]
}

// turned says when a message has its next turn, if it has one.
func (a *Asker) turned(id string, done bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if done {
		delete(a.known, id)
		return
	}
	pause := a.known[id].pause
	a.known[id] = turn{now.Add(pause), min(pause*3/2, mostPause)}
}

// resting reports whether an engine failed a moment ago.
func (a *Asker) resting(engine string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Before(a.rests[engine].until)
}

// judge remembers whether an engine can be relied on. It returns the error the first time an engine
// fails.
func (a *Asker) judge(engine string, err error, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, failing := a.rests[engine]
	if err == nil {
		delete(a.rests, engine)
		return nil
	}
	if now.Before(r.until) {
		return nil // it was asked at the same moment
	}
	r.pause = min(max(2*r.pause, leastPause), longRest)
	r.until = now.Add(r.pause)
	a.rests[engine] = r
	if failing {
		return nil
	}
	return err
}
