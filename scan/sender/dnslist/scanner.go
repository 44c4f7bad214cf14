package dnslist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/sender/dkim"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// With holds the things the lists need from the program. Fields are required where
// they do not say what nil means.
type With struct {
	Resolver   dns.Resolver
	Questions  int                      // that may be put about one message
	Trusted    func(scan.Envelope) bool // whose mail is not looked up
	Texts      *texts.Inventory
	Signatures *dkim.Verifier
	Heard      func(Heard) // is told what becomes of every question; may be nil
}

// Scanner asks all lists. Those about the client are asked as soon as it has
// connected, and reported once MAIL has told whether it is one of ours.
type Scanner struct {
	config Config
	lists  []*list
	with   With
}

// New returns a scanner for the lists of a valid configuration.
func New(c Config, w With) *Scanner {
	s := &Scanner{config: c, with: w}
	if w.Heard == nil {
		w.Heard = func(Heard) {}
	}
	for _, l := range c.Lists {
		s.lists = append(s.lists, &list{List: l, resolver: w.Resolver, tell: w.Heard, health: health{now: time.Now}})
	}
	return s
}

// Name implements scan.Scanner.
func (c *Scanner) Name() string { return word + "/lists" }

// At implements scan.SpeaksAt: there is a list to be asked about what is new at the stage,
// or at MAIL about anything that was known by then.
func (c *Scanner) At(stage scan.Stage) bool {
	return slices.ContainsFunc(c.lists, func(l *list) bool {
		return !l.Lookup.ofMessage() && (stage == scan.StageMail || stage == scan.StageConnect && l.Lookup == Client ||
			stage == scan.StageHelo && l.Lookup == Helo)
	})
}

// ScanEnvelope implements scan.EnvelopeScanner.
func (c *Scanner) ScanEnvelope(ctx context.Context, s scan.Stage, e scan.Envelope) ([]scan.Finding, error) {
	if s > scan.StageMail || c.with.Trusted(e) {
		return nil, nil
	}
	found := c.ask(ctx, false, func(_ context.Context, l Lookup) (subjects, error) { return l.ofEnvelope(e), nil })
	if s < scan.StageMail {
		return nil, nil // the answers wait in the resolver's cache
	}
	return found, nil
}

// Scan implements scan.Scanner.
func (c *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	if c.with.Trusted(m.Envelope) {
		return nil, nil
	}
	return c.ask(ctx, true, func(ctx context.Context, l Lookup) (subjects, error) { return c.inMessage(ctx, l, m) }), nil
}

// about collects the subjects of a kind.
type about func(context.Context, Lookup) (subjects, error)

// ask asks every list about what concerns it in messages, or else in envelopes, all at
// once. An entry in an allow list takes away what other lists say.
func (c *Scanner) ask(ctx context.Context, ofMessage bool, of about) []scan.Finding {
	var asked []int
	for i, l := range c.lists {
		if l.Lookup.ofMessage() == ofMessage {
			asked = append(asked, i)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.ListTime.Go())
	defer cancel()
	r := dns.Limited(c.with.Resolver, c.with.Questions)
	words := make([][]scan.Finding, len(c.lists))
	atOnce(len(asked), func(n int) { words[asked[n]] = c.lists[asked[n]].ask(ctx, r, of) })
	return c.merge(words)
}

// atOnce calls do with all numbers below n at the same time, with the last in the goroutine
// of the caller, as most mail has one thing to ask about.
func atOnce(n int, do func(i int)) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range n - 1 {
		wg.Go(func() { do(i) })
	}
	do(n - 1)
}

// ask returns the findings of one list. It may run in a separate goroutine, where a
// panic over a strange message would end the whole program, and recovers from it.
func (l *list) ask(ctx context.Context, r dns.Resolver, of about) (found []scan.Finding) {
	defer func() {
		if p := recover(); p != nil {
			found = []scan.Finding{l.failed(fmt.Errorf("panic: %v", p))}
		}
	}()
	s, err := of(ctx, l.Lookup)
	if err != nil {
		return []scan.Finding{l.failed(err)}
	}
	if len(s.list) == 0 {
		return nil
	}
	entries := l.lookAll(ctx, r, s.list)
	if err := l.usable(ctx); err != nil {
		return []scan.Finding{l.failed(fmt.Errorf("the list is off: %w", err))}
	}
	found = l.report(entries)
	if s.full {
		found = append(found, manyNames(l))
	}
	return found
}

// lookAll looks subjects up, while the list is probed. One that is off is not
// asked.
func (l *list) lookAll(ctx context.Context, r dns.Resolver, all []subject) []entry {
	if l.isOff() {
		l.tell(Heard{List: l.Name, Result: Off})
		return nil
	}
	entries := make([]entry, len(all))
	l.health.examined(l.probe)
	atOnce(len(all), func(i int) { entries[i] = l.question(ctx, r, all[i]) })
	l.usable(ctx) // what a probe says does not hide a refusal
	l.heard(gravest(entries))
	return entries
}

// gravest returns the error that says most about the list itself: a refusal if there
// is one, nil if anything was answered.
func gravest(entries []entry) error {
	var worst error
	answered := false
	for _, e := range entries {
		var refused refusedError
		if errors.As(e.err, &refused) {
			return e.err
		}
		answered = answered || e.err == nil
		worst = e.err
	}
	if answered {
		return nil
	}
	return worst
}

// report makes findings of entries.
func (l *list) report(entries []entry) []scan.Finding {
	var listed []entry
	var failure error
	for _, e := range entries {
		if e.listed() {
			listed = append(listed, e)
		}
		if e.err != nil {
			failure = e.err
		}
	}
	var found []scan.Finding
	if len(listed) > 0 {
		found = append(found, l.found(listed))
	}
	if failure != nil {
		found = append(found, l.failed(failure))
	}
	return found
}

// merge puts together the findings of all lists. Where an allow list has an entry for
// the message, the others do not count.
func (c *Scanner) merge(words [][]scan.Finding) []scan.Finding {
	allowed := false
	for i, l := range c.lists {
		allowed = allowed || l.Allow && heard(words[i])
	}
	var all []scan.Finding
	for i, l := range c.lists {
		for _, f := range words[i] {
			if !allowed || l.Allow || f.Kind != scan.Suspicious {
				all = append(all, f)
			}
		}
	}
	return all
}

// heard reports whether an allow list has an entry.
func heard(found []scan.Finding) bool {
	return len(found) > 0 && found[0].Kind == scan.Note
}
