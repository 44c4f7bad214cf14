package console

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/pace"
	"github.com/milterscan/milterscan/scan/sender/scorer"
)

// mostLessons is how often a day a person may teach the scorers who sees the mail of some domains or addresses
// only: what they learn, they learn for everybody.
const mostLessons = 50

// lessons counts how often persons teach the scorers.
type lessons struct {
	mu     sync.Mutex
	seed   pace.Seed
	counts pace.Counts
}

// Teaches reports whether a person may teach the scorers, as the host has it.
func (c *Console) Teaches(p login.Person) bool {
	host := c.Host.Config()
	return p.May(login.Teach) && host.Spam.Learns() && (p.Role != login.Recipient || host.People.Pages.Learn)
}

// teaching returns what tells the scorers what a message is.
func teaching(as scorer.Lesson) func(*Console, context.Context, login.Person, *found, form) error {
	return func(c *Console, ctx context.Context, p login.Person, f *found, _ form) error {
		switch {
		case !c.Host.Config().Spam.Learns():
			return quarantine.ErrNoTeacher
		case !c.Teaches(p):
			return ErrForbidden
		}
		if !c.lessons.take(c, p) {
			return errManyLessons
		}
		err := c.Host.Releaser(p.Name).Teach(ctx, f.Record.ID, as)
		if err != nil && !errors.Is(err, quarantine.ErrNotTaught) {
			c.lessons.giveBack(c, p) // no scorer was asked
		}
		return err
	}
}

// take takes one of the lessons that a person has today, if there is one left.
func (l *lessons) take(c *Console, p login.Person) bool {
	if !p.Bound() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key, limit := l.seed.Key(p.Name), pace.Daily(mostLessons)
	if l.counts.Full(key, limit, c.Now()) {
		return false
	}
	l.counts.Add(key, limit, c.Now(), 1)
	return true
}

// giveBack gives one back that was not used.
func (l *lessons) giveBack(c *Console, p login.Person) {
	if !p.Bound() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Add(l.seed.Key(p.Name), pace.Daily(mostLessons), c.Now(), -1)
}

var errManyLessons = &Problem{http.StatusTooManyRequests, "act-many-lessons"}

// problemOfLesson returns the problem that a lesson met, nil if it is none that its person can do something
// about.
func problemOfLesson(err error) *Problem {
	for _, one := range []struct {
		err    error
		status int
		key    string
	}{
		{quarantine.ErrTaught, http.StatusConflict, "act-taught"},
		{quarantine.ErrTaughtBoth, http.StatusConflict, "act-taught-both"},
		{quarantine.ErrBeingTaught, http.StatusConflict, "act-being-taught"},
		{quarantine.ErrNoLesson, http.StatusConflict, "act-no-lesson"},
		{quarantine.ErrLessonTooBig, http.StatusConflict, "act-large-lesson"},
		{quarantine.ErrNoTeacher, http.StatusConflict, "act-no-teacher"},
		{quarantine.ErrNotTaught, http.StatusServiceUnavailable, "act-not-taught"},
	} {
		if errors.Is(err, one.err) {
			return &Problem{one.status, one.key}
		}
	}
	return nil
}
