package timeline

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
)

// run is what happened to one message under one queue id, in the order of the log. An
// MTA uses an id again once the message is gone.
type run []mtalog.Event

func (w run) queue() string    { return w[0].Queue }
func (w run) begun() time.Time { return w[0].Time }

// messageID returns the Message-ID that the log told, and whether it told one.
func (w run) messageID() (string, bool) {
	for _, e := range w {
		if e.Kind == mtalog.Named || e.MessageID != "" {
			return e.MessageID, true
		}
	}
	return "", false
}

// whole reports whether the run has its beginning.
func (w run) whole() bool { return w[0].Kind == mtalog.Queued || w[0].Kind == mtalog.Named }

// split parts the events of one queue id into runs: on every host, one ends when the
// message is out of the queue, or when another begins.
func split(events []mtalog.Event) (runs []run) {
	open := map[string]int{} // by host, the place of the run that goes on
	for _, e := range events {
		where := e.MTA + " " + e.Host
		i, ok := open[where]
		if !ok || e.Kind == mtalog.Queued && begunAnew(runs[i]) {
			i = len(runs)
			runs = append(runs, nil)
			open[where] = i
		}
		runs[i] = append(runs[i], e)
		if e.Final() {
			delete(open, where)
		}
	}
	return runs
}

// begunAnew reports whether a run has gone so far that another one begins with a message
// that is taken.
func begunAnew(w run) bool {
	return slices.ContainsFunc(w, func(e mtalog.Event) bool { return e.Kind != mtalog.Queued && e.Kind != mtalog.Named })
}

// How far apart the clocks of the MTA and of this host may be, how long a message may
// be in a queue, and how close to each other two hosts write of the same moment.
const (
	maxSkew  = 15 * time.Minute
	maxStay  = 31 * 24 * time.Hour
	together = 3 * time.Second
)

// runs returns what the MTA's log told of a message: under the queue id of its record,
// and under those by which it went on.
func (x Reader) runs(ctx context.Context, r policy.Record) ([]run, error) {
	if x.Events == nil {
		return nil, nil
	}
	var found []run
	var err error
	if r.QueueID != "" { // a filter on a pipe knows none
		events, failed := x.Events.Queue(ctx, r.QueueID)
		err = failed
		if w := nearest(split(events), r); w != nil {
			found = append(found, w)
		}
	}
	if r.MessageID != "" && (r.Passed() || r.QueueID == "") {
		again, failed := x.requeued(ctx, r, found)
		found, err = append(found, again...), errors.Join(err, failed)
	}
	return x.onward(ctx, found, err)
}

// nearest returns the run that is a message's: of those that may be, the one that began
// closest to it.
func nearest(runs []run, r policy.Record) run {
	runs = slices.DeleteFunc(runs, func(w run) bool {
		id, known := w.messageID()
		if known && r.MessageID != "" && !sameID(id, r.MessageID) {
			return true
		}
		since := w.begun().Sub(r.Time)
		return since < -maxSkew || since > maxStay || w.whole() && since > maxSkew
	})
	if len(runs) == 0 {
		return nil
	}
	return slices.MinFunc(runs, func(a, b run) int {
		return cmp.Compare(a.begun().Sub(r.Time).Abs(), b.begun().Sub(r.Time).Abs())
	})
}

// sameID reports whether two Message-IDs are the same as far as a log shows them.
func sameID(a, b string) bool { return logged(a) == logged(b) }

func logged(id string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' {
			return '?'
		}
		return c
	}, strings.Trim(id, "<>"))
}

// requeued returns the runs of a message that came back into a queue with its
// Message-ID, as from a content filter. What another record of ours is about is not this
// message, but one with the same id.
func (x Reader) requeued(ctx context.Context, r policy.Record, found []run) (list []run, err error) {
	others, err := x.others(ctx, r)
	queues, failed := x.Events.MessageID(ctx, r.MessageID)
	err = errors.Join(err, failed)
	until := r.Time.Add(maxSkew)
	for _, w := range found {
		until = later(until, w)
	}
	for _, queue := range queues {
		if others[queue] || slices.ContainsFunc(found, func(w run) bool { return w.queue() == queue }) {
			continue
		}
		events, failed := x.Events.Queue(ctx, queue)
		err = errors.Join(err, failed)
		for _, w := range split(events) {
			id, _ := w.messageID()
			if since := w.begun().Sub(r.Time); sameID(id, r.MessageID) && since > -maxSkew && !w.begun().After(until) {
				until = later(until, w)
				list = append(list, w)
			}
		}
	}
	return list, err
}

// handing is how long a filter may take from when the MTA has handed a message to it
// until it hands it in again.
const handing = 10 * time.Minute

// later returns the later of a time and of that until which a message may come back that
// is through a run.
func later(t time.Time, w run) time.Time {
	if end := w[len(w)-1].Time.Add(handing); end.After(t) {
		return end
	}
	return t
}

// others returns the queue ids of other messages with the same Message-ID, and those
// under which they went on.
func (x Reader) others(ctx context.Context, r policy.Record) (map[string]bool, error) {
	records, err := x.Records.Lookup(ctx, r.MessageID)
	taken := map[string]bool{}
	for _, other := range records {
		if other.ID == r.ID || other.QueueID == "" || other.QueueID == r.QueueID {
			continue
		}
		taken[other.QueueID] = true
		events, failed := x.Events.Queue(ctx, other.QueueID)
		err = errors.Join(err, failed)
		for _, e := range events {
			if e.Next != "" {
				taken[e.Next] = true
			}
		}
	}
	return taken, err
}

// mostRuns is how many queue ids a story has.
const mostRuns = 50

// onward adds the runs to which others lead.
func (x Reader) onward(ctx context.Context, found []run, err error) ([]run, error) {
	for i := 0; i < len(found) && len(found) < mostRuns; i++ {
		for _, e := range found[i] {
			if e.Next == "" || has(found, e.Next) {
				continue
			}
			events, failed := x.Events.Queue(ctx, e.Next)
			err = errors.Join(err, failed)
			found = append(found, slices.DeleteFunc(split(events), func(w run) bool { return !follows(found[i], e, w) })...)
		}
		children, failed := x.children(ctx, found[i], found)
		found, err = append(found, children...), errors.Join(err, failed)
	}
	return found, err
}

// children returns the runs that say they come from one.
func (x Reader) children(ctx context.Context, w run, found []run) (list []run, err error) {
	queues, err := x.Events.Linked(ctx, w.queue())
	for _, queue := range queues {
		if has(found, queue) {
			continue
		}
		events, failed := x.Events.Queue(ctx, queue)
		err = errors.Join(err, failed)
		for _, child := range split(events) {
			if child[0].Parent == w.queue() && !child.begun().Before(w.begun()) && child.begun().Sub(w.begun()) < maxStay {
				list = append(list, child)
			}
		}
	}
	return list, err
}

func has(runs []run, queue string) bool {
	return slices.ContainsFunc(runs, func(w run) bool { return w.queue() == queue })
}

// follows reports whether a run is where an event of another one leads to. What the MTA
// says of its queue is believed. What another host answered may be anything: it
// counts if the message there has the same Message-ID and came at that moment.
func follows(from run, e mtalog.Event, to run) bool {
	apart := to.begun().Sub(e.Time)
	if e.Kind == mtalog.Notified {
		return apart.Abs() < time.Minute
	}
	if apart > together || apart < -maxSkew {
		return false
	}
	a, named := from.messageID()
	b, also := to.messageID()
	if a != "" && b != "" {
		return sameID(a, b)
	}
	return named == also && a == b && strings.Contains(e.Relay, "[127.")
}
