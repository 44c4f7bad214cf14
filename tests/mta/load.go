package mta

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Load is many messages over many connections at once.
type Load struct {
	Network, Address string
	Mails            []*Message // sent in turn, from the first again after the last
	Messages         int        // how many in all
	Connections      int        // how many at once
	PerConnection    int        // messages before a connection is closed and opened again; 0: one
}

// Outcome is what became of a load.
type Outcome struct {
	Took    time.Duration
	Answers map[Answer]int
	Waits   []time.Duration // for the answers after the last byte, shortest first
}

// Wait returns the time that the given share of the messages, in percent, did not
// exceed.
func (o Outcome) Wait(percent int) time.Duration {
	if len(o.Waits) == 0 {
		return 0
	}
	return o.Waits[min(len(o.Waits)*percent/100, len(o.Waits)-1)]
}

// Run sends the load and waits for its last answer, or until ctx is done.
func (l Load) Run(ctx context.Context) Outcome {
	var next atomic.Int64
	parts := make([]Outcome, l.Connections)
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { parts[i] = l.worker(ctx, &next) })
	}
	wg.Wait()
	all := Outcome{Took: time.Since(begun), Answers: map[Answer]int{}}
	for _, p := range parts {
		all.Waits = append(all.Waits, p.Waits...)
		for a, n := range p.Answers {
			all.Answers[a] += n
		}
	}
	slices.Sort(all.Waits)
	return all
}

// worker takes messages until there are none left.
func (l Load) worker(ctx context.Context, next *atomic.Int64) Outcome {
	o := Outcome{Answers: map[Answer]int{}}
	var s *Session
	for sent := 0; ctx.Err() == nil; sent++ {
		i := int(next.Add(1)) - 1
		if i >= l.Messages {
			break
		}
		if s != nil && sent%max(l.PerConnection, 1) == 0 {
			s.Close()
			s = nil
		}
		s = l.deliver(s, i, &o)
	}
	if s != nil {
		s.Close()
	}
	return o
}

// deliver sends message i over s, or over a new connection if s is nil. It
// returns the session for the next message, nil if that needs a new one.
func (l Load) deliver(s *Session, i int, o *Outcome) *Session {
	if s == nil {
		var err error
		if s, err = Dial(l.Network, l.Address); err != nil {
			o.Answers[Broken]++
			return nil
		}
	}
	a, wait := s.Deliver(l.Mails[i%len(l.Mails)])
	o.Answers[a]++
	if wait > 0 {
		o.Waits = append(o.Waits, wait)
	}
	if a == Broken {
		s.Close()
		return nil
	}
	if wait == 0 { // answered before its end: the message is still open
		s.Abort()
	}
	return s
}
