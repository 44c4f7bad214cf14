package judge

import "time"

// Step is a part of the way of a message through the judge.
type Step int

// The steps, as docs/flow.md calls them.
const (
	Open   Step = iota // the message is taken apart
	Scan               // scanners look at it
	Ask                // what scanning did not cover of the wait for the answers about its sender
	Decide             // rules are applied
	Clean              // it is edited, and what came of that opened and scanned
	Keep               // a copy is written
	steps
)

// String returns the word for the step.
func (s Step) String() string {
	return [steps]string{"open", "scan", "ask", "decide", "clean", "keep"}[s]
}

// Steps returns all steps in their order.
func Steps() []Step {
	list := make([]Step, steps)
	for i := range list {
		list[i] = Step(i)
	}
	return list
}

// clock measures the steps of one message. A nil clock measures nothing.
type clock struct {
	took  [steps]time.Duration
	taken [steps]bool
}

// since adds the time that has passed to a step.
func (c *clock) since(s Step, begun time.Time) {
	if c != nil {
		c.took[s] += time.Since(begun)
		c.taken[s] = true
	}
}

// share moves to Clean what of the time for choosing was no deciding.
func (c *clock) share(choosing time.Duration, cleaned bool) {
	rest := max(0, choosing-c.took[Decide])
	if cleaned {
		c.took[Clean] += rest
		c.taken[Clean] = true
	} else {
		c.took[Decide] += rest
	}
}

// Step returns how long a step took, and whether the message took it.
func (r *Result) Step(s Step) (time.Duration, bool) {
	c := r.seen.clock
	if c == nil {
		return 0, false
	}
	return c.took[s], c.taken[s]
}
