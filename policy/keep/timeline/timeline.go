// Package timeline puts the facts about a message into one line of time: the stages of
// its SMTP dialogue, the verdict, what the MTA's log told of it afterwards, and what
// people did to the copy that was kept.
package timeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/mtalog"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Records finds the records of a message by its id, the MTA's queue id, or its
// Message-ID, newest first. A history.Reader is one.
type Records interface {
	Lookup(ctx context.Context, key string) ([]policy.Record, error)
}

// Events finds what the MTA's log told.
type Events interface {
	// Queue returns the events of a queue id, in the order of the log.
	Queue(ctx context.Context, id string) ([]mtalog.Event, error)
	// MessageID returns the queue ids of the messages with a Message-ID.
	MessageID(ctx context.Context, id string) ([]string, error)
	// Linked returns the queue ids whose events lead to one, or come from it.
	Linked(ctx context.Context, id string) ([]string, error)
}

// Kept finds messages in the quarantine. A quarantine.Store is one.
type Kept interface {
	Entry(ctx context.Context, id string) (quarantine.Entry, error)
}

// Reader makes timelines. Events and Kept may be nil.
type Reader struct {
	Records Records
	Events  Events
	Kept    Kept
}

// The sources of steps that are no MTA.
const (
	Ours  = "milterscan"
	Vault = "quarantine"
)

// Step is one thing that happened to a message.
type Step struct {
	Time   time.Time     `json:"time,omitzero"` // by our clock; zero if only the order is known
	Coarse bool          `json:"coarse,omitempty"`
	Source string        `json:"source"`          // Ours, Vault, or the MTA: postfix, sendmail, exim
	What   string        `json:"what"`            // connect, helo, mail, rcpt, message, verdict; a mtalog.Kind; what was done to the copy
	Queue  string        `json:"queue,omitempty"` // the queue id, of an MTA's
	Text   string        `json:"text"`            // in words, for people, from foreign texts among others
	Event  *mtalog.Event `json:"event,omitempty"` // what the MTA's log told, with its times

	order time.Time // by which it comes before or after others
}

// Story is the timeline of a message.
type Story struct {
	Record   *policy.Record `json:"-"` // nil for a message that only the MTA's log knows
	Steps    []Step         `json:"steps"`
	Outcomes []Outcome      `json:"outcomes,omitempty"`
	Ahead    mtalog.Millis  `json:"clock_ahead,omitempty"` // by how much the MTA's clock was before ours
	Logged   bool           `json:"logged"`                // whether the MTA's log told of it
}

// Outcome is what the MTA's log told last of a recipient.
type Outcome struct {
	Recipient string      `json:"recipient"`
	Kind      mtalog.Kind `json:"kind"` // Sent, Deferred, Bounced, Held or Unclear
	Time      time.Time   `json:"time"`
	Relay     string      `json:"relay,omitempty"`
	Text      string      `json:"text,omitempty"`
}

// Find returns the stories of the messages that a key names: our id, the beginning of
// it, a queue id of the MTA – also one under which it went on – or a Message-ID.
func (x Reader) Find(ctx context.Context, key string) ([]Story, error) {
	records, err := x.Records.Lookup(ctx, key)
	if err == nil && len(records) == 0 {
		records, err = x.origins(ctx, key)
	}
	var list []Story
	for _, r := range records {
		s, failed := x.Of(ctx, r)
		list, err = append(list, s), errors.Join(err, failed)
	}
	if len(list) > 0 || err != nil || x.Events == nil {
		return list, err
	}
	return x.unknown(ctx, key)
}

// origins returns the records of messages that went on under a queue id.
func (x Reader) origins(ctx context.Context, queue string) (records []policy.Record, err error) {
	if x.Events == nil {
		return nil, nil
	}
	events, err := x.Events.Queue(ctx, queue)
	if err != nil {
		return nil, err
	}
	keys, err := x.Events.Linked(ctx, queue)
	for _, e := range events {
		if e.Parent != "" {
			keys = append(keys, e.Parent)
		}
		if e.MessageID != "" {
			keys = append(keys, e.MessageID)
		}
	}
	seen := map[string]bool{}
	for _, key := range keys {
		found, failed := x.Records.Lookup(ctx, key)
		err = errors.Join(err, failed)
		for _, r := range found {
			if !seen[r.ID] && x.leadsTo(ctx, r, queue) {
				records = append(records, r)
			}
			seen[r.ID] = true
		}
	}
	return records, err
}

// leadsTo reports whether a message went on under a queue id.
func (x Reader) leadsTo(ctx context.Context, r policy.Record, queue string) bool {
	runs, err := x.runs(ctx, r)
	return err == nil && slices.ContainsFunc(runs, func(w run) bool { return w.queue() == queue })
}

// unknown returns the stories of messages that only the MTA's log knows.
func (x Reader) unknown(ctx context.Context, key string) (list []Story, err error) {
	queues, err := x.Events.MessageID(ctx, key)
	for _, queue := range append(queues, key) {
		events, failed := x.Events.Queue(ctx, queue)
		err = errors.Join(err, failed)
		for _, w := range split(events) {
			list = append(list, tell([]thread{{runs: []run{w}}}, nil))
		}
	}
	return list, err
}

// Of returns the story of a message. What cannot be read leaves it shorter, and is the
// error.
func (x Reader) Of(ctx context.Context, r policy.Record) (Story, error) {
	runs, err := x.runs(ctx, r)
	threads := []thread{{&r, runs}}
	var acts []quarantine.Event
	if x.Kept != nil {
		e, failed := x.Kept.Entry(ctx, r.ID)
		if failed != nil && !errors.Is(failed, quarantine.ErrUnknown) {
			err = errors.Join(err, failed)
		}
		acts = e.Events
	}
	if len(acts) > 0 || r.Kept() {
		released, failed := x.released(ctx, r, acts)
		err = errors.Join(err, failed)
		for i := range released {
			runs, failed := x.runs(ctx, released[i])
			threads, err = append(threads, thread{&released[i], runs}), errors.Join(err, failed)
		}
	}
	return tell(threads, acts), err
}

// thread is one way of a message through the MTA: the first, or that of a release.
type thread struct {
	record *policy.Record // nil if there is none
	runs   []run
}

// Known returns the story of a kept message as far as the copy itself tells it.
func Known(e quarantine.Entry) Story { return tell([]thread{{record: &e.Record}}, nil) }

// released returns the records of releases of a message, which has the same Message-ID
// and is named in the MTA's answer to the release.
func (x Reader) released(ctx context.Context, r policy.Record, acts []quarantine.Event) (list []policy.Record, err error) {
	keys := []string{r.MessageID}
	for _, a := range acts {
		keys = append(keys, mtalog.QueueIn(a.Answer))
	}
	for _, key := range keys {
		if key == "" {
			continue
		}
		found, failed := x.Records.Lookup(ctx, key)
		err = errors.Join(err, failed)
		for _, again := range found {
			if again.Release == r.ID && !slices.ContainsFunc(list, func(known policy.Record) bool { return known.ID == again.ID }) {
				list = append(list, again)
			}
		}
	}
	return list, err
}
