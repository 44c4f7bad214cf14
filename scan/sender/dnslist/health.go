package dnslist

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan/sender/dns"
)

// How often lists are probed: while they are well, while something is wrong, and
// how long a probe may take.
const (
	probeWell = time.Hour
	probeIll  = time.Minute
	probeTime = 10 * time.Second
)

// patience is how many messages in a row a list may leave unanswered before it
// is off.
const patience = 5

// health is what probes, and the answers to other questions, say about a list.
type health struct {
	now func() time.Time

	mu      sync.Mutex
	off     error         // why the list is not asked; nil if it is
	missing bool          // the last probe missed an entry
	silent  int           // messages in a row that it said nothing about
	next    time.Time     // when to probe again
	probing chan struct{} // closed when the probe on its way is done; nil if none is
	probed  bool          // at least once
}

// usable returns an error that says why a list must not be asked, nil if it may be.
// A list is not believed before its first probe, which the caller waits for; later
// ones run in the background. A caller whose time ends before the probe may ask the
// list.
func (l *list) usable(ctx context.Context) error {
	h := &l.health
	if probing, probed := h.examined(l.probe); !probed {
		select {
		case <-probing:
		case <-ctx.Done():
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.off
}

// examined starts a probe if it is time for one. It returns the one on its way, nil if
// there is none, and whether there was one before.
func (h *health) examined(probe func(done chan struct{})) (probing <-chan struct{}, before bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.probing == nil && !h.now().Before(h.next) {
		h.probing = make(chan struct{})
		go probe(h.probing)
	}
	return h.probing, h.probed
}

// heard notes the result of a question.
func (l *list) heard(err error) {
	h := &l.health
	h.mu.Lock()
	defer h.mu.Unlock()
	var refused refusedError
	switch {
	case errors.As(err, &refused):
		h.switchOff(err)
	case err == nil:
		h.silent = 0
	case errors.Is(err, dns.ErrTimeout), errors.Is(err, dns.ErrFailed), errors.Is(err, context.DeadlineExceeded):
		if h.silent++; h.silent == patience {
			h.switchOff(fmt.Errorf("it did not answer %d times in a row: %w", patience, err))
		}
	}
}

// switchOff takes a list off until a probe finds it well.
func (h *health) switchOff(why error) {
	h.off = why
	h.next = earlier(h.next, h.now().Add(probeIll))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// probe asks a list for entries that it must and must not have (RFC 5782,
// section 5), and notes what that says.
func (l *list) probe(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	missing, err := l.examine(ctx)
	h := &l.health
	h.mu.Lock()
	defer h.mu.Unlock()
	defer close(done)
	h.probing, h.probed = nil, true
	switch {
	case err != nil && errors.Is(err, dns.ErrUnreachable): // which is not the list's fault
	case err != nil:
		h.off = err
	case missing != nil && !h.missing:
		h.missing = true // once may be a zone that is being loaded
		h.next = h.now().Add(probeIll)
		return
	default:
		h.off, h.silent = missing, 0
	}
	h.missing = missing != nil
	h.next = h.now().Add(probeWell)
	if h.off != nil || err != nil {
		h.next = h.now().Add(probeIll)
	}
}

// examine checks that a list has the entries it must have, and not those it must not
// have. missing says that an entry is not there; err means any worse fault.
func (l *list) examine(ctx context.Context) (missing, err error) {
	for _, text := range l.unlisted() {
		e := l.look(ctx, l.resolver, ofText(text))
		if e.err != nil {
			return nil, e.err
		}
		if e.listed() {
			return nil, fmt.Errorf("it lists %s, as if it listed everything", text)
		}
	}
	for _, text := range l.listed() {
		e := l.look(ctx, l.resolver, ofText(text))
		if e.err != nil {
			return nil, e.err
		}
		if !e.listed() {
			missing = fmt.Errorf("it does not list %s, as if it were no list any more", text)
		}
	}
	return missing, nil
}

// listed returns the entries a list must have.
func (l *list) listed() []string {
	if l.Listed == nil && l.Lookup.ofAddresses() {
		return []string{"127.0.0.2"}
	}
	return l.Listed
}

// unlisted returns the entries that it must not have.
func (l *list) unlisted() []string {
	if l.Unlisted != nil {
		return l.Unlisted
	}
	if l.Lookup.ofAddresses() {
		return []string{"127.0.0.1"}
	}
	return []string{"invalid"}
}

// isOff reports whether the list is not asked.
func (l *list) isOff() bool {
	l.health.mu.Lock()
	defer l.health.mu.Unlock()
	return l.health.off != nil
}
