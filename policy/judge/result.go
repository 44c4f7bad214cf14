package judge

import (
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
)

// Result is all that is known about one message, or about one early stage, when
// the decision has fallen. It never changes. Close gives the message back.
type Result struct {
	ID         string
	Generation uint64
	Stage      scan.Stage
	Envelope   scan.Envelope
	Size       int64
	Message    *scan.Message // nil at early stages
	Reports    []scan.Report // one for each scanner, early stages first
	Found      []scan.Finding
	Decision   policy.Decision
	Took       time.Duration

	seen   *seen
	choice choice
	until  time.Time        // when it is too late to try what would have been otherwise; zero: never
	told   func() *recorder // makes the record, once
}

// late reports whether there is no time for what the answer does not need.
func (r *Result) late() bool { return !r.until.IsZero() && time.Now().After(r.until) }

// result puts together what was seen of a message and what was chosen.
func (j *Judge) result(s *seen, c choice) *Result {
	r := &Result{
		ID:         s.id,
		Generation: j.Options.Generation,
		Stage:      s.stage,
		Envelope:   s.envelope,
		Size:       s.size,
		Message:    s.message,
		Reports:    s.reports,
		Found:      append(s.found[:len(s.found):len(s.found)], c.notes...),
		Decision:   c.decision,
		Took:       s.took(),
		seen:       s,
		choice:     c,
		until:      j.spare(s),
	}
	r.told = sync.OnceValue(r.recorded)
	return r
}

// Close gives back what the message holds.
func (r *Result) Close() {
	c := r.choice
	if c.result != nil && !c.reopened() {
		c.result.Close()
	}
	switch {
	case c.second != nil:
		c.second.Close() // and its edits and the message with it
	case r.Message != nil:
		r.Message.Close()
	}
}

// Edited reports whether something else than the message goes on.
func (r *Result) Edited() bool { return r.choice.result != nil }

// Complete reports whether everything in the message was examined.
func (r *Result) Complete() bool { return !scan.Incomplete(r.Found) }

// input returns what the decision rests on, with all that editing has shown.
func (r *Result) input() policy.Input {
	in := r.seen.input(r.choice.tried)
	in.Found = r.Found
	return in
}

// copy returns the message as the quarantine keeps it.
func (r *Result) copy() policy.Copy {
	return policy.Copy{Record: r.Record(), Raw: r.Message.Raw, Jobs: policy.Jobs(r.Found)}
}
