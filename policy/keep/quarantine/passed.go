package quarantine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/tell/submission"
)

// passed is the event by which a host says that a message which was released came past it, on its way into the MTA. It makes
// known what became of a release whose process or host ended before it could say so.
const passed = "passed"

// leaseTime is how long a release may be under way at most: what was begun longer ago, and has not been said to have ended,
// will not be said to any more.
const leaseTime = submission.Patience + time.Minute

// Passage is a released message that came past a host.
type Passage struct {
	ID      string    // of the kept message
	To      []string  // its recipients now
	Time    time.Time // when it came
	Host    string    // which it came past
	QueueID string    // that the MTA there gave it
}

// errNothingNew says that an entry stays as it is.
var errNothingNew = errors.New("nothing is to be noted")

// Pass notes a passage in the entry of the message, for the recipients of which it was not known whether they would
// have it.
func Pass(ctx context.Context, s Store, p Passage) error {
	err := s.Change(ctx, p.ID, func(e *Entry) error {
		to := e.under(p.To)
		if len(to) == 0 {
			return errNothingNew
		}
		e.note(Event{Time: p.Time, What: passed, By: "milterscan", To: to, Note: p.Host, Answer: submission.OneLine(p.QueueID, maxAnswer)})
		if e.State == Releasing {
			e.State = e.settled()
		}
		return nil
	})
	if errors.Is(err, errNothingNew) {
		return nil
	}
	return err
}

// under returns those of some recipients whose copies were sent, without that it is known whether they arrived, as the
// entry calls them.
func (e Entry) under(to []string) (list []string) {
	for _, ev := range e.Events {
		for _, a := range ev.To {
			same := func(other string) bool { return strings.EqualFold(a, other) }
			if e.progressOf(a) == begun && slices.ContainsFunc(to, same) && !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	return list
}

// leased returns an error while the copy of one of some recipients, all if there are none, may be under way at this moment.
func (e Entry) leased(to []string, now time.Time) error {
	if len(to) == 0 {
		to = e.Back()
	}
	for _, a := range to {
		for _, ev := range slices.Backward(e.Events) {
			if !slices.Contains(ev.To, a) || ev.What == "forward" {
				continue
			}
			if end := ev.Time.Add(leaseTime); ev.What == "release" && now.Before(end) {
				return fmt.Errorf("%w (it may still be under way until %s; it is not sent again before that)",
					ErrUnsure, end.UTC().Format(time.RFC3339))
			}
			break
		}
	}
	return nil
}
