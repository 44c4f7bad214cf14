package mtalog

import (
	"sync"
	"time"
)

// Status says how the reading of a log goes on. The daemon writes it down as JSON for
// "milterscan doctor".
type Status struct {
	Source  string    `json:"source"`
	Time    time.Time `json:"time"` // when it was written down
	Lines   int64     `json:"lines"`
	Events  int64     `json:"events"`
	Unread  int64     `json:"unread"` // lines in no form that is known
	Last    time.Time `json:"last,omitzero"`
	Passed  int64     `json:"passed"`           // messages that we have passed on to the MTA
	Joined  int64     `json:"joined"`           // those of them that the log told of
	Waiting time.Time `json:"waiting,omitzero"` // since when none was told of
	Error   string    `json:"error,omitempty"`
}

// silence is how long the log may tell of no message that was passed on.
const silence = time.Hour

// Silent reports whether the log has told of no message for too long.
func (s Status) Silent(now time.Time) bool {
	return !s.Waiting.IsZero() && now.Sub(s.Waiting) > silence
}

// State counts what a follower reads. Its methods may be called by any number of
// goroutines.
type State struct {
	mu             sync.Mutex
	status         Status
	expected       map[string]time.Time // queue ids of messages that were passed on
	recent, strays int                  // of the last lines, and those of them that could not be read
}

// NewState returns a state of nothing.
func NewState() *State { return &State{expected: map[string]time.Time{}} }

// mostExpected is how many messages are waited for; what comes then is not counted.
const mostExpected = 10_000

// Expect says that a message was passed on to the MTA, which will log what becomes of it.
func (s *State) Expect(queue string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if queue == "" || len(s.expected) >= mostExpected {
		return
	}
	s.expected[queue] = now
	s.status.Passed++
	if s.status.Waiting.IsZero() {
		s.status.Waiting = now
	}
}

// Status returns the counts.
func (s *State) Status(source string, now time.Time) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	for queue, since := range s.expected {
		if now.Sub(since) > 2*silence {
			delete(s.expected, queue)
		}
	}
	status := s.status
	status.Source, status.Time = source, now
	return status
}

func (s *State) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Error = err.Error()
}

// line counts a line.
func (s *State) line(v Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Lines++
	s.recent++
	if v == Unread {
		s.status.Unread++
		s.strays++
	}
}

// enough is how many lines are looked at together.
const enough = 20

// strange reports whether most of the last lines could not be read.
func (s *State) strange() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recent < enough {
		return false
	}
	strange := 2*s.strays > s.recent
	s.recent, s.strays = 0, 0
	return strange
}

// kept counts events that are kept.
func (s *State) kept(events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Error = ""
	s.status.Events += int64(len(events))
	for _, e := range events {
		if e.Time.After(s.status.Last) {
			s.status.Last = e.Time
		}
		if _, ok := s.expected[e.Queue]; ok {
			delete(s.expected, e.Queue)
			s.status.Joined++
			s.status.Waiting = time.Time{}
		}
	}
}
