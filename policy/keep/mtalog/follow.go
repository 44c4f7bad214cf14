package mtalog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Store keeps events.
type Store interface {
	// AddEvents adds events and remembers up to where a source has been read, all or
	// nothing. The error wraps ErrElsewhere unless the source has been read up to was:
	// another process reads it too.
	AddEvents(ctx context.Context, source string, events []Event, was, at Place) error
	// PlaceIn returns up to where a source has been read; known is false if it never was.
	PlaceIn(ctx context.Context, source string) (at Place, known bool, err error)
}

// ErrElsewhere says that a source has been read up to another place.
var ErrElsewhere = errors.New("another process reads the log as well")

// Follower reads the log of an MTA as it is written, and has a store keep what it tells.
// All fields but Store and one of File and Journal may be zero.
type Follower struct {
	Store   Store
	File    string            // the path of the log
	Journal string            // or the program that reads the journal
	Zone    *time.Location    // of times that name none
	Change  func(Event) Event // what of an event is kept
	Warn    func(error)       // told of everything that keeps the log from being read
	State   *State            // told of everything read
	Poll    time.Duration     // how often a file is looked at
	Pause   time.Duration     // after a failure

	said    string // the last error, which is not said again until something was read
	strange bool   // it was said that the form of the log is not known
}

// patient is how long the store may take.
const patient = 20 * time.Second

// Source names the log: "journal", or the path of its file.
func (f *Follower) Source() string {
	if f.Journal != "" {
		return "journal"
	}
	return f.File
}

// Run follows the log until ctx is done. Whatever fails is said once and tried again.
func (f *Follower) Run(ctx context.Context) {
	f.defaults()
	for ctx.Err() == nil {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, ErrElsewhere) { // it goes on where the other process is
			f.State.failed(err)
			f.once(err)
		}
		wait(ctx, f.Pause)
	}
}

func (f *Follower) defaults() {
	if f.Zone == nil {
		f.Zone = time.Local
	}
	if f.Change == nil {
		f.Change = func(e Event) Event { return e }
	}
	if f.Warn == nil {
		f.Warn = func(error) {}
	}
	if f.State == nil {
		f.State = NewState()
	}
	if f.Poll == 0 {
		f.Poll = pollTime
	}
	if f.Pause == 0 {
		f.Pause = 10 * pollTime
	}
}

// once warns of an error unless the last one was the same.
func (f *Follower) once(err error) {
	if text := err.Error(); text != f.said {
		f.said = text
		f.warn(err)
	}
}

func (f *Follower) warn(err error) { f.Warn(fmt.Errorf("the MTA's log %s: %w", f.Source(), err)) }

// follow reads the log from where it was left until something fails.
func (f *Follower) follow(ctx context.Context) error {
	at, known, err := f.Store.PlaceIn(ctx, f.Source())
	if err != nil {
		return err
	}
	in, err := f.open(at, known)
	if err != nil {
		return err
	}
	defer in.close()
	parser := NewParser(f.Zone, time.Now())
	for {
		l, err := in.next(ctx)
		if err != nil {
			return err
		}
		begun := time.Now()
		if err := f.take(ctx, parser, l, at); err != nil {
			return err
		}
		at = l.at
		f.rest(ctx, len(l.lines), time.Since(begun))
	}
}

func (f *Follower) open(at Place, known bool) (source, error) {
	if f.Journal != "" {
		return newJournal(f.Journal, at, time.Now())
	}
	return newTail(f.File, at, known, f.Poll, f.warn)
}

// rest leaves the processor to mail after many lines, for as long as they took.
func (f *Follower) rest(ctx context.Context, lines int, took time.Duration) {
	const few = 100
	if lines > few {
		wait(ctx, min(took, time.Second))
	}
}

// take has the events in some lines kept, and the place after them instead of that before.
func (f *Follower) take(ctx context.Context, parser *Parser, l lot, was Place) error {
	parser.Near(l.near)
	var events []Event
	for _, line := range l.lines {
		e, verdict := parser.Line(string(line))
		f.State.line(verdict)
		if verdict == Told {
			events = append(events, f.Change(e))
		}
	}
	if f.State.strange() && !f.strange {
		f.strange = true
		f.warn(errStrange)
	}
	for {
		err := f.add(ctx, events, was, l.at)
		if err == nil {
			f.said = ""
			f.State.kept(events)
		}
		if err == nil || errors.Is(err, ErrElsewhere) {
			return err
		}
		f.once(err)
		if wait(ctx, f.Pause); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

var errStrange = errors.New("most lines are in no form that is known, which are those of syslog, with times of either kind, " +
	"of Exim's own log, and of the journal as JSON")

func (f *Follower) add(ctx context.Context, events []Event, was, at Place) error {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	return f.Store.AddEvents(ctx, f.Source(), events, was, at)
}
