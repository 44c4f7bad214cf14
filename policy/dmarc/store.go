package dmarc

import (
	"context"
	"errors"
	"time"
)

// Store has what was counted, and the state of reports: a File for one host, a Shared for several. It may be used by
// any number of goroutines and processes at once.
type Store interface {
	// Reports returns the reports, the latest days first, at most so many.
	Reports(ctx context.Context, most int) ([]Report, error)
	// Expire forgets days that have long been reported, and returns how many reports went.
	Expire(ctx context.Context, before time.Time) (int, error)
	Close() error

	// add writes down what was counted, and returns how many messages found no room.
	add(ctx context.Context, lot map[place]*count, terms Config) (lost int64, err error)
	// forward brings what was written down to where it is reported, and returns how many messages found no room there. Its
	// errors are ErrUnshared.
	forward(ctx context.Context, terms Config, now time.Time) (lost int64, err error)
	// begun returns the store of reports that this host had begun to send before others shared its counts; nil if there
	// is none.
	begun() Store

	waiting(ctx context.Context, before day, now time.Time) ([]Report, error)
	one(ctx context.Context, of day, domain string) (Report, error)
	rows(ctx context.Context, r Report) ([]row, []int64, error)
	claim(ctx context.Context, r Report, now time.Time) (mine bool, err error)
	note(ctx context.Context, r Report) error

	full(ctx context.Context, of day, to Destination, terms Config) (bool, error)
	take(ctx context.Context, of day, to Destination, terms Config) (taken bool, err error)
	giveBack(ctx context.Context, of day, to Destination) error
}

// State is what has become of a report.
type State string

// The states.
const (
	Waiting  State = ""         // its day is not over, or it is tried again
	Sent     State = "sent"     // the MTA has it for all who want it, or may have
	Unwanted State = "unwanted" // the domain does not ask for it any more
	Failed   State = "failed"   // it was given up
)

// Report is the state of the report of a domain and a day.
type Report struct {
	Domain string    `json:"domain"`
	Day    string    `json:"day"`
	State  State     `json:"state"`
	Again  time.Time `json:"again,omitzero"` // when it is tried again
	Tries  int       `json:"tries"`
	Why    string    `json:"why,omitempty"` // the last trouble
	// What has become of it at each address.
	Addresses map[string]State `json:"addresses,omitempty"`

	day    day
	id     string // its name; "" if that is made from ours
	policy string
	rua    string
	done   map[string]State // by address
}

// ErrNothing says that there is nothing to report.
var ErrNothing = errors.New("there is nothing to report")

// ErrUnshared says that what was counted is in the file of this host, and not yet with that of the others.
var ErrUnshared = errors.New("it waits in the file of this host")

// mostOfOne bounds the reports of a day about the domains of one owner, who could publish a policy
// for as many as he likes.
const mostOfOne = 200
