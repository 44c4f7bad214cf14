package greylist

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Entry is the record of a key.
type Entry struct {
	First  time.Time // when it was met; to the second
	Until  time.Time // when it is to be forgotten; to the second
	Passed int       // times that the client came back in time
}

// Try is one attempt to send to one recipient.
type Try struct {
	Client Key // the network of the client
	Pair   Key // the same with the sender and the recipient
	Pass   Key // the sender and the recipient, a pair that a person may let through
	Now    time.Time
	Terms
}

// Terms are the times of the configuration, and how often a client must have come back.
type Terms struct {
	Delay, Window, Keep time.Duration
	AutoAllow           int
}

// Records are the entries of the three keys of a try; those without a first time are not there.
type Records struct{ Client, Pair, Pass Entry }

// Standing says how far a client has come.
type Standing int

// The standings.
const (
	Known Standing = iota // to be let through, without a word
	First                 // not seen before, or not for long
	Early                 // too early
	Back                  // back in time
)

// Answer has the standing of a client, and how many seconds it is too early, or has been away.
type Answer struct {
	Standing
	Span time.Duration
}

// try returns what a store is asked about a recipient.
func (c Config) try(client netip.Prefix, sender, rcpt string, now time.Time) Try {
	return Try{
		Client: keyOf(client.String()), Pair: keyOf(client.String(), strings.ToLower(sender), strings.ToLower(rcpt)), Pass: passKey(sender, rcpt),
		Now: now, Terms: Terms{Delay: c.Delay.Go(), Window: c.Window.Go(), Keep: c.Keep.Go(), AutoAllow: c.AutoAllow},
	}
}

// Judge returns the standing of a client by the records, and the records to write: those with a first time. Records
// whose time is over do not count.
func (t Try) Judge(is Records) (a Answer, write Records) {
	is = Records{t.valid(is.Client), t.valid(is.Pair), t.valid(is.Pass)}
	later := t.Now.Add(t.Keep)
	switch {
	case t.AutoAllow > 0 && is.Client.Passed >= t.AutoAllow:
		return a, Records{Client: t.prolong(is.Client)}
	case is.Pair.Passed > 0:
		return a, Records{Pair: t.prolong(is.Pair)}
	case !is.Pass.First.IsZero():
		return a, Records{Pair: Entry{First: is.Pass.First, Until: later, Passed: 1}}
	case is.Pair.First.IsZero() || t.Now.Before(is.Pair.First): // the clock was wrong then, or is now
		return Answer{Standing: First}, Records{Pair: Entry{First: t.Now, Until: t.Now.Add(t.Window)}}
	}
	if due := is.Pair.First.Add(t.Delay); t.Now.Before(due) {
		return Answer{Early, due.Sub(t.Now)}, write
	}
	write.Pair = Entry{First: is.Pair.First, Until: later, Passed: 1}
	if t.AutoAllow > 0 {
		write.Client = Entry{First: is.Client.First, Until: later, Passed: is.Client.Passed + 1}
		if write.Client.First.IsZero() {
			write.Client.First = t.Now
		}
	}
	return Answer{Back, t.Now.Sub(is.Pair.First)}, write
}

// valid returns an entry, unless its time is over.
func (t Try) valid(e Entry) Entry {
	if t.Now.After(e.Until) {
		return Entry{}
	}
	return e
}

// Lazily is the part of a time to be remembered that must have gone by before it is written again: most mail comes from
// those who wrote a moment ago.
const Lazily = 50

// prolong returns an entry that is remembered for longer, or none where that need not be written.
func (t Try) prolong(e Entry) Entry {
	until := t.Now.Add(t.Keep)
	if until.Sub(e.Until) < t.Keep/Lazily {
		return Entry{}
	}
	e.Until = until
	return e
}

// found returns the finding about a recipient, if there is one.
func (a Answer) found(rcpt, who string) []scan.Finding {
	switch a.Standing {
	case First:
		return found(FirstSeen, rcpt, who)
	case Early:
		return found(TooEarly, rcpt, fmt.Sprintf("%s, %v too early", who, a.Span.Round(time.Second)))
	case Back:
		return found(CameBack, rcpt, fmt.Sprintf("%s, after %v", who, a.Span.Round(time.Second)))
	}
	return nil
}
