package quarantine

import (
	"context"
	"time"
)

// The events by which persons tell each other that a message needs no person any more, or
// needs a person after all.
const (
	handled  = "handled"
	reopened = "reopened"
)

// Handling says who has seen to a message, and when.
type Handling struct {
	By   string    `json:"by"`
	Time time.Time `json:"time"`
}

// Handled returns who has seen to the message, nil while no person has.
func (e Entry) Handled() *Handling {
	for i := len(e.Events) - 1; i >= 0; i-- {
		switch ev := e.Events[i]; ev.What {
		case handled:
			return &Handling{ev.By, ev.Time}
		case reopened:
			return nil
		}
	}
	return nil
}

// Handle marks a message as seen to, or, if done is false, as one that needs a person
// again. Where it is so already, nothing changes.
func (x Releaser) Handle(ctx context.Context, id string, done bool) error {
	what := handled
	if !done {
		what = reopened
	}
	return x.Store.Change(ctx, id, func(e *Entry) error {
		if (e.Handled() != nil) != done {
			e.note(x.event(what, nil, ""))
		}
		return nil
	})
}
