// Package quarantine keeps copies of messages that are not delivered, and gives
// them back: list, show, release, expire.
package quarantine

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Store is where copies are. Dir is one in the file system of one host; one that
// several hosts share is to promise the same, which quarantinetest tests:
//
//   - When Keep has returned nil, the copy survives the end of the process and of
//     the host. When it has returned an error, the copy may be there or not.
//   - A copy that can be seen is complete.
//   - Changes of one entry happen one after the other, also those of several processes: change
//     sees what the one before it has written. When Change has returned nil, what
//     was changed survives like a copy.
//   - Find may lag after by what was kept or changed in the last moments, Entry
//     never does.
//   - All methods may be called by any number of goroutines, processes and hosts
//     at once.
type Store interface {
	Keep(ctx context.Context, c policy.Copy) error
	// Entry and Open return ErrUnknown for a message that is not there.
	Entry(ctx context.Context, id string) (Entry, error)
	// Open returns the message as it was received, byte for byte. Reading it to
	// the end fails if it is not what was kept.
	Open(ctx context.Context, id string) (io.ReadCloser, error)
	// Find lists what a filter lets through, newest first.
	Find(ctx context.Context, f Filter) ([]Row, error)
	// Change has change alter the entry, or not, if change returns an error.
	Change(ctx context.Context, id string, change func(*Entry) error) error
	// Delete removes a message and its entry; why goes into the audit log.
	Delete(ctx context.Context, id string, why Event) error
	// Check returns why no message can be kept now.
	Check(ctx context.Context) error
}

// ErrUnknown says that there is no message of an id.
var ErrUnknown = errors.New("no such message in the quarantine")

// State is how far a message is on its way out.
type State string

// The states. A message is Releasing from before it is sent until it is known
// what became of that. If the process ends in between that is never known, so the
// message stays in that state until a person has looked.
const (
	Kept      State = "kept"
	Releasing State = "releasing"
	Released  State = "released"
)

// Entry is all that is known about a kept message. It is written as JSON; fields
// may be added, none renamed.
type Entry struct {
	Record policy.Record `json:"record"`
	Class  string        `json:"class"` // see Class
	SHA256 string        `json:"sha256"`
	Stored int64         `json:"stored"` // bytes on the disk
	State  State         `json:"state"`
	KeptAt time.Time     `json:"kept_at,omitzero"` // when the copy was made; zero for old ones
	Host   string        `json:"host,omitempty"`   // that kept it, where several hosts share a quarantine
	Events []Event       `json:"events,omitempty"`
	Awaits []Await       `json:"awaits,omitempty"` // verdicts that had not come when it was kept
	// Now is the time at which the entry was read to be changed, by a clock that all hosts have in common; zero if the store is of one
	// host, whose clock will do. It is not kept.
	Now time.Time `json:"-"`
}

// Event is something that a person did to a kept message.
type Event struct {
	Time time.Time `json:"time"`
	// release, released, passed, failed, unsure, forward, handled, reopened, dismiss, appeal,
	// learn, learned, not-learned, pronounce, delete, expire
	What string   `json:"what"`
	By   string   `json:"by"` // a login name, "milterscan", or "engine" and a name
	To   []string `json:"to,omitempty"`
	Note string   `json:"note,omitempty"`
	// What the MTA answered to what was sent, with its queue id.
	Answer string `json:"answer,omitempty"`
}

// Row is what lists show of a kept message.
type Row struct {
	ID         string    `json:"id"`
	Time       time.Time `json:"time"`
	Class      string    `json:"class"`
	State      State     `json:"state"`
	Action     string    `json:"action"`
	Sender     string    `json:"sender"`
	From       string    `json:"from"` // the author as the message names it
	Recipients []string  `json:"recipients"`
	Subject    string    `json:"subject"`
	Client     string    `json:"client"`
	QueueID    string    `json:"queue_id"`
	MessageID  string    `json:"message_id"`       // without angle brackets
	Reason     string    `json:"reason"`           // the finding or rule it was kept for
	Size       int64     `json:"size"`             // bytes of the message
	Stored     int64     `json:"stored"`           // bytes on the disk
	KeptAt     time.Time `json:"kept_at,omitzero"` // when the copy was made; zero where that is not known
	Handled    *Handling `json:"handled,omitempty"`
	Waiting    []string  `json:"waiting,omitempty"` // those it is kept back from, see Entry.Waiting
	Grave      []string  `json:"grave,omitempty"`   // see Entry.Grave
	Unasked    bool      `json:"unasked,omitempty"` // see Entry.Unasked
	Awaits     []string  `json:"awaits,omitempty"`  // the engines of which it awaits something, see Entry.Awaited
}

// Row returns the columns that lists show of the entry.
func (e Entry) Row() Row {
	r, waiting := e.Record, e.Waiting()
	if e.Unasked() { // no person is to see to it
		waiting = nil
	}
	return Row{
		ID: r.ID, Time: r.Time, Class: e.Class, State: e.State, Action: r.Action, Sender: r.Sender, From: r.From, Recipients: r.Addresses(),
		Subject: r.Subject, Client: r.Client, QueueID: r.QueueID, MessageID: r.MessageID, Reason: reason(r), Size: r.Size, Stored: e.Stored,
		KeptAt: e.KeptAt, Handled: e.Handled(), Unasked: e.Unasked(), Waiting: waiting, Grave: e.Grave(), Awaits: e.Awaited(),
	}
}

// Came returns when the copy was made, as far as that is known.
func (r Row) Came() time.Time {
	if r.KeptAt.IsZero() {
		return r.Time
	}
	return r.KeptAt
}

// Filter says which messages to list. Zero fields let everything through.
type Filter struct {
	Sender    string    // a pattern, see policy.LikeAddress, for the envelope or the author that the message names
	Recipient string    // likewise, for any of the recipients
	Waiting   []string  // addresses, as address.Fold writes them: it is kept back from one of them
	Client    string    // a pattern, see policy.LikeClient
	QueueID   string    // the MTA's, whole
	Subject   string    // a pattern, see policy.LikeText
	Reason    string    // likewise
	Class     string    // one of Classes
	State     State     // one of the states
	Since     time.Time // received then or later
	Before    time.Time // received before then
	Below     string    // of those received in the millisecond of Before, those whose id comes before this one; "" for none
	Open      bool      // only those that no person has seen to
	Asked     bool      // not those that wait for their sender to ask for them, see Entry.Unasked
	Awaited   bool      // only those that await the verdict of an engine
	Name      string    // what a person calls the message by, see Resolve
	Limit     int       // at most so many, the newest; 0 for all
}

// Matches reports whether the filter lets a row through. Limit plays no part.
func (f Filter) Matches(r Row) bool {
	return (f.Sender == "" || slices.ContainsFunc(policy.SendersOf(r.Sender, r.From), policy.AddressesLike(f.Sender))) &&
		policy.LikeText(f.Subject, r.Subject) && policy.LikeText(f.Reason, r.Reason) &&
		(f.Recipient == "" || slices.ContainsFunc(r.Recipients, func(to string) bool { return policy.LikeAddress(f.Recipient, to) })) &&
		(f.Waiting == nil || r.waitsFor(f.Waiting)) &&
		(f.Class == "" || f.Class == r.Class) && (f.State == "" || f.State == r.State) &&
		(f.Client == "" || policy.LikeClient(f.Client, r.Client, "")) && (f.QueueID == "" || f.QueueID == r.QueueID) &&
		!r.Time.Before(f.Since) && f.comes(r) && (!f.Open || r.Handled == nil) && (!f.Asked || !r.Unasked) &&
		(f.Name == "" || r.named(f.Name)) && (!f.Awaited || len(r.Awaits) > 0)
}

// comes reports whether a row is from before the place at which a list goes on.
func (f Filter) comes(r Row) bool {
	switch {
	case f.Before.IsZero():
		return true
	case f.Below == "":
		return r.Time.Before(f.Before)
	}
	at, row := f.Before.UnixMilli(), r.Time.UnixMilli()
	return row < at || row == at && r.ID < f.Below
}

// After returns the filter for what a list of its results goes on with after a row.
func (f Filter) After(r Row) Filter {
	f.Before, f.Below = r.Time, r.ID
	return f
}

// Index finds kept messages without reading them one by one. It can be made
// again from the store at any time, so it may be lost. Its methods may be called
// by any number of goroutines and processes at once.
type Index interface {
	Put(ctx context.Context, r Row) error
	Delete(ctx context.Context, id string) error
	// Find lists what a filter lets through, newest first. The error wraps
	// ErrIncomplete until Replace has been called once.
	Find(ctx context.Context, f Filter) ([]Row, error)
	// Replace makes rows the only content, in one step; but what was put since
	// they were begun to be read stays.
	Replace(ctx context.Context, rows []Row, begun time.Time) error
}

// ErrIncomplete says that an index is new, or was lost, and does not know what
// the store holds.
var ErrIncomplete = errors.New("the index of the quarantine is incomplete")
