// Package mtalog reads what the MTA logs of the messages that milterscan has passed on:
// lines of Postfix, Sendmail and Exim become events, in files that are rotated under the
// reader's hands and in the journal. Every event rests on a line whose process and queue
// id are the MTA's; what senders and other hosts wrote into that line is kept as text and
// decides nothing.
package mtalog

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is what an event tells.
type Kind string

// The kinds.
const (
	Queued   Kind = "queued"     // the MTA has begun to take the message: from which client or sender
	Named    Kind = "message-id" // its Message-ID became known
	Active   Kind = "active"     // it is about to be delivered
	Tried    Kind = "tried"      // one host of several did not take it
	Sent     Kind = "sent"       // delivered, or taken by the next host
	Deferred Kind = "deferred"   // not yet: it is tried again
	Bounced  Kind = "bounced"    // given up for a recipient
	Expired  Kind = "expired"    // given up for all recipients that are left
	Held     Kind = "held"       // put aside until a person lets it go on
	Freed    Kind = "freed"      // goes on after it was held
	Refused  Kind = "refused"    // turned away, or taken and dropped, while it came in
	Requeued Kind = "requeued"   // put into the queue once more
	Notified Kind = "notified"   // the sender is told: Next is the queue id of that mail
	Removed  Kind = "removed"    // out of the queue; nothing follows
	Unclear  Kind = "unclear"    // the line can be read in two ways
	Omitted  Kind = "omitted"    // N further events of the message are not kept
)

// Event is one thing that the MTA logged of one message. It is kept as JSON; fields may
// be added, none renamed.
type Event struct {
	Time      time.Time `json:"time"`
	Coarse    bool      `json:"coarse,omitempty"` // the log has whole seconds
	MTA       string    `json:"mta"`              // postfix, sendmail or exim
	Host      string    `json:"host,omitempty"`
	Instance  string    `json:"instance,omitempty"` // Postfix' syslog_name, such as "postfix-out"
	Agent     string    `json:"agent,omitempty"`    // the program or transport: smtp, lmtp, local, qmgr
	Queue     string    `json:"queue"`              // the queue id
	Kind      Kind      `json:"kind"`
	MessageID string    `json:"message_id,omitempty"` // without angle brackets
	Sender    string    `json:"sender,omitempty"`     // "<>" for the null sender
	Recipient string    `json:"recipient,omitempty"`
	Client    string    `json:"client,omitempty"` // who handed it in
	Relay     string    `json:"relay,omitempty"`  // the host that answered
	After     Millis    `json:"after,omitempty"`  // since the MTA took the message, as it counts
	DSN       string    `json:"dsn,omitempty"`    // the status code of RFC 3463
	Text      string    `json:"text,omitempty"`   // the answer, or the reason
	Next      string    `json:"next,omitempty"`   // the queue id under which it goes on, if Text is right
	Parent    string    `json:"parent,omitempty"` // the queue id of which this one comes
	N         int       `json:"n,omitempty"`      // of Omitted
}

// Millis is a number of milliseconds.
type Millis int64

// Go returns the duration.
func (m Millis) Go() time.Duration { return time.Duration(m) * time.Millisecond }

// Final reports whether an event ends what there is to tell of a queue id.
func (e Event) Final() bool { return e.Kind == Removed }

// Weighty reports whether an event is kept when a message has more than are kept.
func (e Event) Weighty() bool {
	switch e.Kind {
	case Removed, Expired, Held, Freed, Queued, Named:
		return true
	}
	return false
}

// Bounds of the data that is kept of a text in a line.
const (
	maxText    = 500
	maxAddress = 320 // RFC 5321, section 4.5.3.1: 64 and 255 bytes around "@"
	maxID      = 200 // as records have it
	maxQueue   = 32
)

// cut returns at most n bytes of s, in a separate string, valid UTF-8.
func cut(s string, n int) string {
	s = s[:min(len(s), n+utf8.UTFMax)]
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return strings.Clone(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}

// sender returns how an event has the address of a sender.
func sender(address string) string {
	if address == "" {
		return "<>"
	}
	return cut(address, maxAddress)
}

// Private returns the event without what must not be remembered: local parts of
// addresses, addresses and names of clients, what the MTA and others said.
func (e Event) Private(noAddresses, noClients, noTexts bool) Event {
	if noClients {
		e.Client = ""
	}
	if noTexts {
		e.Text = ""
	}
	if noAddresses {
		e.Sender, e.Recipient, e.Text = onlyDomain(e.Sender), onlyDomain(e.Recipient), masked(e.Text)
	}
	return e
}

func onlyDomain(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return "*" + address[i:]
	}
	if address == "" || address == "<>" {
		return address
	}
	return "*"
}

// masked returns a text with a "*" for every word before an "@".
func masked(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '@')
		if i < 0 {
			return b.String() + text
		}
		word := strings.LastIndexAny(text[:i], " \t<>()[]\"',:;=") + 1
		b.WriteString(text[:word] + "*@")
		text = text[i+1:]
	}
}
