package console

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/milterscan/milterscan/cmd/milterscan/pipeline"
	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/timeline"
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// Stores are the stores that a configuration names, through handles that only pages use:
// mail waits for none of them.
type Stores struct {
	config func() *config.Config
	warn   func(error)
	own    *pipeline.Stores

	mu      sync.Mutex
	reloads map[string]*Reloads
}

// NewStores returns the stores of the configuration that is in force when they are asked.
func NewStores(c func() *config.Config, warn func(error)) *Stores {
	own := pipeline.NewStores()
	own.Warn = warn
	return &Stores{config: c, warn: warn, own: own, reloads: map[string]*Reloads{}}
}

// Share has pages use what hosts share through the connections of others.
func (s *Stores) Share(with *pipeline.Stores) { s.own.Share(with) }

// Config returns the configuration in force.
func (s *Stores) Config() *config.Config { return s.config() }

// History returns the records of messages, nil where there are none yet.
func (s *Stores) History() History {
	c := s.config()
	file := c.History.File
	if file == "" {
		return nil
	}
	if s.own.Fleet != nil {
		return s.own.History(c)
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return s.own.History(c)
}

// Quarantine returns the kept messages.
func (s *Stores) Quarantine() quarantine.Store {
	return s.own.Quarantine(s.config())
}

// Late returns the hosts with kept messages that are in no list yet.
func (s *Stores) Late(ctx context.Context) ([]pipeline.Late, error) {
	return s.own.Late(ctx, s.config())
}

// Folk returns what people settled for themselves.
func (s *Stores) Folk() *people.Store { return s.own.People(s.config()) }

// LetThrough has a sender not put off for a recipient any more.
func (s *Stores) LetThrough(ctx context.Context, sender, recipient string) (time.Time, error) {
	c := s.config()
	return c.Greylist.Pass(ctx, s.own.Greylist(c), sender, recipient, time.Now())
}

// Releaser lets kept messages out in the name of a person.
func (s *Stores) Releaser(by string) quarantine.Releaser {
	return pipeline.Releaser(s.config(), s.Quarantine(), by)
}

// Close closes the stores.
func (s *Stores) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.reloads {
		x.Close()
	}
	s.own.Close()
}

// Room that pages have for messages they open, apart from that for mail.
const (
	ownMemory = 64 * units.MB
	ownDisk   = units.GB
)

// pipeline makes a pipeline for one message, with separate room.
func (s *Stores) pipeline() (*pipeline.Pipeline, error) {
	c := *s.config()
	c.Spool.Memory, c.Spool.Disk = min(c.Spool.Memory, ownMemory), min(c.Spool.Disk, ownDisk)
	return pipeline.New(&c)
}

// opened is a message that was taken apart for a person.
type opened struct {
	p *pipeline.Pipeline
	m *scan.Message
}

// Open takes a kept message apart.
func (s *Stores) Open(ctx context.Context, id string) (Opened, error) {
	kept, err := s.Quarantine().Open(ctx, id)
	if errors.Is(err, quarantine.ErrUnknown) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer kept.Close()
	p, err := s.pipeline()
	if err != nil {
		return nil, err
	}
	m, err := p.Open(ctx, kept)
	if err != nil {
		p.Close()
		return nil, err
	}
	return &opened{p, m}, nil
}

// Message returns the message.
func (o *opened) Message() *scan.Message { return o.m }

// Harmless returns a page of the message without what acts in it.
func (o *opened) Harmless(ctx context.Context, page scan.Content, charset string) (string, error) {
	return o.p.Judge.Editor.Harmless(ctx, page, charset)
}

// Close gives back what the message holds.
func (o *opened) Close() error {
	o.m.Close()
	o.p.Close()
	return nil
}

// Story returns what happened to a message, with what the MTA's log told of it.
func (s *Stores) Story(ctx context.Context, r policy.Record) (timeline.Story, error) {
	c := s.config()
	reader := timeline.Reader{Records: noRecords{}}
	if h := s.History(); h != nil {
		reader.Records = h
	}
	reader.Kept = s.Quarantine()
	if file := c.History.EventsFile(); c.History.File != "" {
		if _, err := os.Stat(file); err == nil {
			reader.Events = s.own.Events(file)
		}
	}
	return reader.Of(ctx, r)
}

// noRecords is a history that is not there.
type noRecords struct{}

// Lookup finds nothing.
func (noRecords) Lookup(context.Context, string) ([]policy.Record, error) { return nil, nil }

// Rehearse judges a mail as "scan" does, with engines and rules in force, and keeps
// nothing of it.
func (s *Stores) Rehearse(ctx context.Context, mail io.Reader, about pipeline.Delivery) (policy.Record, error) {
	env, err := about.Envelope()
	if err != nil {
		return policy.Record{}, err
	}
	p, err := s.pipeline()
	if err != nil {
		return policy.Record{}, err
	}
	defer p.Close()
	r, err := p.ScanReader(ctx, mail, env)
	if err != nil {
		return policy.Record{}, err
	}
	defer r.Close()
	return r.Record(), nil
}

// Reloads lists the configurations that were put in force, newest first.
func (s *Stores) Reloads(ctx context.Context) ([]Reload, error) { return s.reloadsIn().List(ctx) }

// NoteReload writes down that a configuration was put in force, or why it was not.
func (s *Stores) NoteReload(ctx context.Context, generation uint64, c *config.Config, refused error) error {
	return s.reloadsIn().Note(ctx, generation, c, refused)
}

// reloadsIn returns the stored data of reloads in the file of the console.
func (s *Stores) reloadsIn() *Reloads {
	file := s.config().Console.File
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reloads[file] == nil {
		s.reloads[file] = NewReloads(file)
	}
	return s.reloads[file]
}
