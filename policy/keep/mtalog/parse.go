package mtalog

import (
	"strings"
	"time"
)

// Verdict is what a Parser made of a line.
type Verdict int

// The verdicts.
const (
	Foreign Verdict = iota // a line of another program, or one of the MTA that tells nothing of a message
	Told                   // an event
	Unread                 // no line of a log in any form that is known
)

// Parser reads lines. It keeps the time of the last one, since logs have times without
// a year, and is used by one goroutine.
type Parser struct {
	clock clock
	again clock // of times that Exim repeats
}

// NewParser returns a parser for lines whose times, where they name no zone, are of the
// given one, and that were written until near.
func NewParser(zone *time.Location, near time.Time) *Parser {
	p := &Parser{clock: clock{zone: zone}, again: clock{zone: zone}}
	p.Near(near)
	return p
}

// Near says until when the lines that follow were written.
func (p *Parser) Near(near time.Time) { p.clock.near, p.again.near = near, near }

// Line reads one line without its end. The event keeps nothing of it.
func (p *Parser) Line(text string) (Event, Verdict) {
	l, ok := p.header(strings.TrimSuffix(strings.TrimLeft(text, "\x00"), "\r")) // a host that went down leaves zeros
	if !ok {
		return Event{}, Unread
	}
	e, ok := p.event(l)
	if !ok {
		return Event{}, Foreign
	}
	if e.Time.IsZero() {
		e.Time, e.Coarse = l.time, l.coarse
	}
	e.Time = e.Time.UTC()
	e.Host, e.Queue, e.Next, e.Parent = cut(l.host, maxID), strings.Clone(e.Queue), strings.Clone(e.Next), strings.Clone(e.Parent)
	return e, Told
}

// event asks the reader of each MTA. They go by the name of the program first.
func (p *Parser) event(l line) (e Event, ok bool) {
	if e, ok = postfix(l); ok {
		return e, true
	}
	if e, ok = sendmail(l); ok {
		return e, true
	}
	return p.exim(l)
}
