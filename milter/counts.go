package milter

import "slices"

// Counts are numbers of connections and messages.
type Counts struct {
	Open       int   // connections now
	Waiting    int   // connections that wait for a place
	Most       int   // connections that may be open at once
	InFlight   int   // messages now, from the first of their content until the answer
	Accepted   int64 // connections since the server began
	TurnedAway int64 // of those, the ones that never got a place
}

// Counts returns the numbers of now.
func (s *Server) Counts() Counts {
	c := Counts{Accepted: s.accepted.Load(), TurnedAway: s.unplaced.Load()}
	c.Open, c.Waiting, c.Most = s.slots.numbers()
	s.changing.Lock()
	doors := slices.Concat(s.doors, s.retired)
	s.changing.Unlock()
	for _, d := range doors {
		c.InFlight += d.flights.number()
	}
	return c
}

// numbers returns how many connections have a slot, how many wait for one, and how many
// slots there are.
func (s *slots) numbers() (taken, waiting, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken(), len(s.waiting), s.most
}

// number returns how many messages are aloft.
func (f *flights) number() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.aloft
}
