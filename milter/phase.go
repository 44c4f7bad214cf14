package milter

import (
	"math"
	"time"
)

// kind says what a connection does, in the order in which one gives way to another.
type kind int

const (
	idle        kind = iota // no message has begun
	hasEnvelope             // an envelope has begun; its client may take its time
	hasContent              // content has begun, which MTAs send in one burst
	atWork                  // the MTA waits for milterscan
	gaveWay                 // it was told to end
)

// phase is what a connection does, and since when. What begins no message and ends
// none does not make it younger: an MTA that only keeps talking is idle.
type phase struct {
	kind  kind
	since time.Time
}

// grace is how long a connection may be in a phase while others wait for its slot.
type grace struct {
	fair   time.Duration // where its MTA has no more slots than the one that asks
	greedy time.Duration // where it has
}

// patienceWith is the grace of each kind. A connection at work never gives way.
var patienceWith = [...]grace{
	idle:        {10 * time.Second, 0},
	hasEnvelope: {10 * time.Minute, 10 * time.Second},
	hasContent:  {10 * time.Minute, time.Minute},
	atWork:      {math.MaxInt64, math.MaxInt64},
	gaveWay:     {math.MaxInt64, math.MaxInt64},
}

// mayStay reports whether the connection's time in the phase is not over.
func (p *phase) mayStay(now time.Time, greedy bool) bool {
	g := patienceWith[p.kind]
	if greedy {
		return now.Sub(p.since) < g.greedy
	}
	return now.Sub(p.since) < g.fair
}

// enter notes what the connection does from now on, if it has not given way.
func (c *conn) enter(k kind, since time.Time) bool {
	was := c.phase.Load()
	return was.kind != gaveWay && c.phase.CompareAndSwap(was, &phase{k, since})
}

// work notes that the MTA waits for milterscan until goOn is called. It reports
// whether the connection has not given way. Content has as long as ever after the
// work: the answer is to be sent.
func (c *conn) work() (goOn func(), ok bool) {
	was := *c.phase.Load()
	return func() {
		if was.kind == hasContent {
			was.since = time.Now()
		}
		c.enter(was.kind, was.since)
	}, c.enter(atWork, time.Now())
}

// giveWay ends the connection, unless it does something else by now.
func (c *conn) giveWay(seen *phase) bool {
	if !c.phase.CompareAndSwap(seen, &phase{kind: gaveWay}) {
		return false
	}
	c.abandon()
	return true
}
