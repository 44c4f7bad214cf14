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
	Took       time.Duration
	Answers    map[Answer]int
	Recipients Waits // for the answers to RCPT
	Ends       Waits // for the answers after the last byte
}

// Waits are times that were waited, shortest first.
type Waits []time.Duration

// Within returns the time that the given share of them, in percent, does not exceed.
func (w Waits) Within(percent int) time.Duration {
	if len(w) == 0 {
		return 0
	}
	return w[min(len(w)*percent/100, len(w)-1)]
}

// Add counts another load in, which was sent at the same time.
func (o *Outcome) Add(other Outcome) {
	if o.Answers == nil {
		o.Answers = map[Answer]int{}
	}
	o.Took = max(o.Took, other.Took)
	o.Recipients = append(o.Recipients, other.Recipients...)
	o.Ends = append(o.Ends, other.Ends...)
	for a, n := range other.Answers {
		o.Answers[a] += n
	}
	slices.Sort(o.Recipients)
	slices.Sort(o.Ends)
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
	all := Outcome{Took: time.Since(begun)}
	for _, p := range parts {
		all.Add(p)
	}
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
	d := s.Deliver(l.Mails[i%len(l.Mails)])
	o.Answers[d.Answer]++
	o.Recipients = append(o.Recipients, d.Recipient)
	if d.End > 0 {
		o.Ends = append(o.Ends, d.End)
	}
	if d.Answer == Broken {
		s.Close()
		return nil
	}
	if d.End == 0 { // answered before its end: the message is still open
		s.Abort()
	}
	return s
}
