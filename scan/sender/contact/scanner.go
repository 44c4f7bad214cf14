package contact

import (
	"context"
	"fmt"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Store remembers keys. It may be used by any number of goroutines.
type Store interface {
	// Known returns those of some keys that are remembered at a time.
	Known(ctx context.Context, keys []Key, now time.Time) (map[Key]bool, error)
	// Began returns when the store began to remember.
	Began(ctx context.Context) (time.Time, error)
}

// Row is a key that a store remembers, and until when.
type Row struct {
	Key   Key
	Until time.Time
}

// With is what a scanner works with.
type With struct {
	Store     Store
	Trusted   func(scan.Envelope) bool // reports mail from our clients, of which nothing is said
	Delimiter string                   // after which the rest of an address of ours makes no difference
}

// Scanner says of each recipient whether an author is known to him.
type Scanner struct {
	config Config
	with   With
}

// New returns a scanner for a valid configuration.
func New(c Config, w With) *Scanner { return &Scanner{c, w} }

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return name }

// Scan implements scan.Scanner. The error is the store's.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	if s.with.Trusted(m.Envelope) {
		return nil, nil
	}
	v := visit{Scanner: s, m: m, from: authors(m.Header)}
	for _, to := range m.Envelope.Recipients {
		if own := fold(to, s.with.Delimiter); own != "" && !v.has(to) {
			v.to = append(v.to, recipient{to, own})
		}
	}
	if len(v.to) == 0 {
		return nil, nil
	}
	replies, err := v.replies(ctx)
	if err != nil {
		return nil, err
	}
	contacts, err := v.contacts(ctx)
	return append(replies, contacts...), err
}

// recipient is one as the envelope has it, and folded.
type recipient struct{ written, own string }

// visit is one message with its authors and recipients.
type visit struct {
	*Scanner
	m    *scan.Message
	from []string
	to   []recipient
	seen map[string]bool
}

// has reports whether a recipient was there before.
func (v *visit) has(written string) bool {
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	before := v.seen[written]
	v.seen[written] = true
	return before
}

// replies reports the recipients whose mail the message answers.
func (v *visit) replies(ctx context.Context) (list []scan.Finding, err error) {
	ids := answered(v.m.Header)
	if len(ids) == 0 {
		return nil, nil
	}
	to := v.to[:min(len(v.to), mostAnswered)]
	var keys []Key
	for _, r := range to {
		for _, id := range ids {
			keys = append(keys, sentOf(r.own, id))
		}
	}
	known, err := v.with.Store.Known(ctx, keys, v.m.Envelope.Received)
	if err != nil {
		return nil, err
	}
	for _, r := range to {
		for _, id := range ids {
			if known[sentOf(r.own, id)] {
				list = append(list, found(reply, r.written, fmt.Sprintf("it answers <%s>", id)))
				break
			}
		}
	}
	return list, nil
}

// contacts reports the recipients that do not know an author: one of several authors is enough,
// since any of them may be the one that clients show.
func (v *visit) contacts(ctx context.Context) (list []scan.Finding, err error) {
	if len(v.from) == 0 {
		return nil, nil
	}
	now := v.m.Envelope.Received
	began, err := v.with.Store.Began(ctx)
	if err != nil || now.Before(began.Add(v.config.Learn.Go())) {
		return nil, err
	}
	var keys []Key
	for _, r := range v.to {
		for _, a := range v.from {
			keys = append(keys, pairOf(r.own, a))
		}
	}
	known, err := v.with.Store.Known(ctx, keys, now)
	if err != nil {
		return nil, err
	}
	for _, r := range v.to {
		for _, a := range v.from {
			if !known[pairOf(r.own, a)] {
				list = append(list, found(first, r.written, shown(a)+" is not known to "+shown(r.written)))
				break
			}
		}
	}
	if n := len(list); n > 0 && n < len(v.to) {
		list = append(list, found(some, "", fmt.Sprintf("%d of %d recipients do not know the author", n, len(v.to))))
	}
	return list, nil
}

// shown returns how much of an address a finding quotes.
func shown(address string) string { return address[:min(len(address), 200)] }
