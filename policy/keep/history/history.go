// Package history remembers what became of every message, for as long as the
// administrator wants, and never holds mail up for it.
package history

import (
	"context"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Appender is what the Writer needs of a store.
type Appender interface {
	// Append adds records, all or none. A record that is there already, by its id and
	// time, is there once, and counted as often as it was written or once.
	Append(ctx context.Context, records []policy.Record) error
}

// Reader is what the commands need of a store.
type Reader interface {
	// Lookup finds the records of a message by its id, the MTA's queue id, or its
	// Message-ID with or without angle brackets, newest first.
	Lookup(ctx context.Context, key string) ([]policy.Record, error)
	// Find finds records by other properties, newest first, a page at a time.
	Find(ctx context.Context, f Filter, after Cursor) (Page, error)
	// Counts adds up the counts, see Counted, from the beginning of since's
	// hour.
	Counts(ctx context.Context, since time.Time) ([]Count, error)
}

// Expirer deletes records older than a time, and returns how many it deleted.
type Expirer interface {
	Expire(ctx context.Context, before time.Time) (int, error)
}

// Store is a history: one in a file, or one that several hosts share.
type Store interface {
	Appender
	Reader
	Expirer
	// Hours returns one kind of counts hour by hour, from the beginning of since's hour.
	Hours(ctx context.Context, what string, since time.Time) ([]Hour, error)
	// Hold returns the records that have something on a list, the newest first.
	Hold(ctx context.Context, q Holding) (Held, error)
	// Index makes some records easy to find, and reports whether there may be more to do.
	Index(ctx context.Context) (more bool, err error)
	// Check returns why no records can be taken now.
	Check(ctx context.Context) error
	Close() error
}

// Count is how often a value turned up.
type Count struct {
	What  string `json:"what"` // one of Counted
	Value string `json:"value"`
	N     int64  `json:"n"`
}

// The values that are counted.
const (
	ByAction       = "action"           // messages, and stages that refused
	ByVerdict      = "verdict"          // recipients, by what became of the message for them
	ByRule         = "rule"             // recipients, once for each rule that decided about a finding or added something
	ByWatched      = "watched"          // recipients, once for each rule that only watches and would have applied
	BySender       = "sender_domain"    // messages
	ByRecipient    = "recipient_domain" // messages, once for each domain
	ByFinding      = "finding"          // messages, once for each rule that found something
	ByEngine       = "engine"           // messages an engine or scanner looked at
	ByEngineFound  = "engine_found"     // messages it objected to
	ByEngineFailed = "engine_failed"    // messages it gave no answer for
	Bytes          = "bytes"            // received, under the value ""
)

// Counted lists everything that is counted, in the order of reports.
func Counted() []string {
	return []string{ByAction, ByVerdict, ByRule, ByWatched, ByFinding, BySender, ByRecipient, ByEngine, ByEngineFound, ByEngineFailed, Bytes}
}

// CountsOf returns the counts of one record.
func CountsOf(r policy.Record) []Count {
	list := append([]Count{{ByAction, r.Action, 1}, {BySender, domain(r.Sender), 1}, {Bytes, "", r.Size}}, verdictCounts(r)...)
	seen := map[Count]bool{}
	once := func(what, value string) {
		c := Count{what, value, 1}
		if !seen[c] {
			seen[c] = true
			list = append(list, c)
		}
	}
	for _, to := range r.Recipients {
		once(ByRecipient, domain(to.Recipient))
	}
	for _, f := range r.Findings {
		once(ByFinding, f.Rule)
	}
	for _, s := range r.Scanners {
		once(ByEngine, s.Scanner)
		if s.Found > 0 {
			once(ByEngineFound, s.Scanner)
		}
		if s.Error != "" {
			once(ByEngineFailed, s.Scanner)
		}
	}
	return list
}

// verdictCounts counts recipients.
func verdictCounts(r policy.Record) []Count {
	var list []Count
	place := map[Count]int{}
	add := func(what, value string, n int) {
		c := Count{What: what, Value: value}
		if _, ok := place[c]; !ok {
			place[c] = len(list)
			list = append(list, c)
		}
		list[place[c]].N += int64(n)
	}
	for _, v := range r.Verdicts {
		add(ByVerdict, v.Action, len(v.Recipients))
		for _, name := range v.Applied {
			add(ByRule, name, len(v.Recipients))
		}
		for _, name := range v.Watched {
			add(ByWatched, name, len(v.Recipients))
		}
	}
	return list
}

// domain returns what follows the last "@", or "<>" for the null sender.
func domain(address string) string {
	if address == "" {
		return "<>"
	}
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// Privacy says what of a message is remembered.
type Privacy struct {
	NoSubjects    bool // subjects and the names of files are left out
	OnlyDomains   bool // of senders, recipients and logins no local part is kept
	NoDetails     bool // what scanners quote from the message is left out
	NoClientAddrs bool // addresses and names of clients are left out
}

// Apply takes out of a record the values that are not to be remembered. It changes the
// record, and nothing that the record refers to.
func (p Privacy) Apply(r policy.Record) policy.Record {
	if p.NoSubjects {
		r.Subject = ""
	}
	if p.NoClientAddrs {
		r.Client, r.ClientName, r.Helo = "", "", ""
		r.Country, r.ASN, r.ASName = "", 0, ""
	}
	if p.OnlyDomains {
		r = onlyDomains(r)
	}
	r.Findings = mapped(r.Findings, p.finding)
	r.Recipients = mapped(r.Recipients, func(to policy.RecordRecipient) policy.RecordRecipient {
		if to.Because != nil {
			f := p.finding(*to.Because)
			to.Because = &f
		}
		return to
	})
	r.Edits = mapped(r.Edits, p.edit)
	if p.NoDetails {
		r.Changes = nil // which quote header fields
	}
	r.Contents = p.contents(r.Contents)
	return r
}

// contents leaves out the names of files and the hosts of links.
func (p Privacy) contents(c *policy.RecordContents) *policy.RecordContents {
	if c == nil || !p.NoSubjects && !p.NoDetails {
		return c
	}
	left := *c
	if p.NoSubjects {
		left.Parts = mapped(c.Parts, func(part policy.RecordPart) policy.RecordPart {
			part.Name = ""
			return part
		})
	}
	if p.NoDetails {
		left.Hosts, left.MoreHosts = nil, 0
	}
	return &left
}

func (p Privacy) finding(f policy.RecordFinding) policy.RecordFinding {
	if p.NoSubjects {
		f.Part, f.Name = "", ""
	}
	if p.NoDetails {
		f.Detail = ""
	}
	if p.OnlyDomains {
		f.Recipient = onlyDomain(f.Recipient)
	}
	return f
}

func (p Privacy) edit(e policy.RecordEdit) policy.RecordEdit {
	if p.NoSubjects {
		e.Part = ""
	}
	if p.NoDetails && e.Kind == "header" {
		e.Value = ""
	}
	if p.OnlyDomains && strings.HasSuffix(e.Kind, "-recipient") {
		e.Value = onlyDomain(e.Value)
	}
	return e
}

func onlyDomains(r policy.Record) policy.Record {
	r.Sender, r.From = onlyDomain(r.Sender), ""
	r.Recipients = mapped(r.Recipients, func(to policy.RecordRecipient) policy.RecordRecipient {
		to.Recipient, to.Listed = onlyDomain(to.Recipient), nil
		return to
	})
	if r.User != "" {
		r.User = "*"
	}
	r.Changes = nil // which name recipients
	r.Verdicts = mapped(r.Verdicts, func(v policy.RecordVerdict) policy.RecordVerdict {
		v.Recipients = mapped(v.Recipients, onlyDomain)
		return v
	})
	return r
}

// mapped returns a new list with every value changed.
func mapped[T any](list []T, change func(T) T) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = change(v)
	}
	return out
}

func onlyDomain(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return "*" + address[i:]
	}
	return address
}
