package console

import (
	"context"
	"io"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
	"github.com/milterscan/milterscan/policy/people"
)

// Host is the daemon, as pages see it. What it lends is for pages alone: mail has its
// own handles.
type Host interface {
	// Config returns the configuration in force.
	Config() *config.Config
	// History returns the records of messages, nil where nothing is remembered.
	History() History
	// Quarantine returns the kept messages.
	Quarantine() quarantine.Store
	// Late returns the hosts with kept messages that are in no list yet.
	Late(ctx context.Context) ([]pipeline.Late, error)
	// Story returns what happened to a message, with what the MTA's log told of it.
	Story(ctx context.Context, r policy.Record) (timeline.Story, error)
	// Open takes a kept message apart.
	Open(ctx context.Context, id string) (Opened, error)
	// Without takes the bad parts out of a kept message. The error is one of package
	// pipeline where there is nothing, or where that cannot be done.
	Without(ctx context.Context, r policy.Record) (Rest, error)
	// Health says what of what the daemon asks does not answer, and what else needs a
	// person. It does not wait for an examination.
	Health() Health
	// Rehearse judges a mail as "scan" does, and keeps nothing of it.
	Rehearse(ctx context.Context, mail io.Reader, about pipeline.Delivery) (policy.Record, error)
	// Reloads lists the configurations that were put in force, newest first.
	Reloads(ctx context.Context) ([]Reload, error)
	// Folk has what people settled for themselves, such as the senders that they have listed.
	Folk() *people.Store
	// LetThrough has a sender of envelopes not put off for a recipient any more. It returns until when the next
	// try may come.
	LetThrough(ctx context.Context, sender, recipient string) (time.Time, error)
	// Releaser lets kept messages out in the name of a person.
	Releaser(by string) quarantine.Releaser
}

// History is what pages need of the records of messages.
type History interface {
	Lookup(ctx context.Context, key string) ([]policy.Record, error)
	Find(ctx context.Context, f history.Filter, after history.Cursor) (history.Page, error)
	Counts(ctx context.Context, since time.Time) ([]history.Count, error)
	Hours(ctx context.Context, what string, since time.Time) ([]history.Hour, error)
}
