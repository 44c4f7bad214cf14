package quarantine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// appealed is the event by which the sender of a refused message asks for it.
const appealed = "appeal"

// ErrNoAppeal says that no sender can ask for a message: it was not kept for that.
var ErrNoAppeal = errors.New("this message is not kept for its sender to ask for")

// Unasked reports whether a message is kept only because its sender may ask for it, and has not
// done so. It is of no interest to anybody until then, and makes room for others first.
func (e Entry) Unasked() bool {
	asked := func(ev Event) bool { return ev.What == appealed }
	kept := func(v policy.RecordVerdict) bool { return v.Kept }
	return e.Record.Appeal && !slices.ContainsFunc(e.Record.Verdicts, kept) && !slices.ContainsFunc(e.Events, asked)
}

// Asked returns the recipients that the sender may ask for the message.
func (e Entry) Asked() []string {
	var list []string
	for _, v := range e.Record.Verdicts {
		if v.Appeal {
			list = append(list, v.Recipients...)
		}
	}
	return list
}

// Appeal notes that the sender of a message has asked for it: from now on it is kept as long as
// others are, and listed with them. Where that was noted before, nothing changes.
func Appeal(ctx context.Context, s Store, id string, now time.Time) error {
	return s.Change(ctx, id, func(e *Entry) error {
		if !e.Record.Appeal {
			return ErrNoAppeal
		}
		if !slices.ContainsFunc(e.Events, func(ev Event) bool { return ev.What == appealed }) {
			e.note(Event{Time: now, What: appealed, By: "sender", To: e.Asked()})
		}
		return nil
	})
}

// UnaskedBytes returns how many bytes on the disk wait for senders to ask for them. A store that can add them up does
// so.
func UnaskedBytes(ctx context.Context, s Store) (bytes int64, err error) {
	if x, ok := s.(interface {
		UnaskedBytes(context.Context) (int64, error)
	}); ok {
		return x.UnaskedBytes(ctx)
	}
	rows, err := s.Find(ctx, Filter{})
	for _, row := range rows {
		if row.Unasked {
			bytes += row.Stored
		}
	}
	return bytes, err
}
