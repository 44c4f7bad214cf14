package virus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Server is one place that can tell malicious content from other: a daemon at an
// address, a program. It is asked about many contents at once, and is all that a new
// type of engine has to supply; see the example of NewEngine. A server may also
// implement Session, Versioned and Monitored.
type Server interface {
	// String is the place as the configuration writes it.
	String() string
	// Ask returns the signature that c matches, "" for none. ErrTooBig says that the
	// server does not take so much; any other error, that it does not know. Ask
	// returns soon after ctx is done.
	Ask(ctx context.Context, c scan.Content) (signature string, err error)
}

// Session is a Server that had better be asked about all contents of a message
// together.
type Session interface {
	Server
	// AskAll answers every question that is open. The answers it gave before an error
	// count.
	AskAll(ctx context.Context, open []*Question) error
}

// Versioned is a Server that can name its signatures. As long as the name does
// not change, what was clean is clean for a moment.
type Versioned interface {
	Server
	// Database changes whenever the signatures do; "" if that cannot be told.
	Database(ctx context.Context) string
}

// Engine is a virus engine as messages see it: it chooses what of a message is
// asked about, asks the first of its servers that can answer, and makes findings
// of the answers, all within one time limit. It may be used for many messages at
// once.
type Engine struct {
	name    string
	feed    Feed
	timeout time.Duration
	limit   int64
	servers []*server
	slots   chan struct{} // one for each message that is asked about
	mild    bool          // what it finds is suspicious, and not yet infected
	hash    hasher        // of parts
}

// NewEngine returns an engine that asks the given servers, the first that works
// first. Of c it takes the name, the limits and what to feed.
func NewEngine(c Config, servers ...Server) *Engine {
	c.SetDefaults()
	e := &Engine{
		name:    word + "/" + c.Name,
		feed:    c.Feed.everything(),
		timeout: time.Duration(c.Timeout),
		limit:   int64(c.MaxStream),
		slots:   make(chan struct{}, c.Connections),
		mild:    c.Verdict == verdictSuspicious,
		hash:    ownHasher(),
	}
	for _, s := range servers {
		e.servers = append(e.servers, &server{Server: s})
	}
	return e
}

// Name returns "virus/" and the name of the entry.
func (e *Engine) Name() string { return e.name }

// Scan asks about m. Findings of one server stay if another then fails.
func (e *Engine) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	ahead, _ := m.Ahead.Take(e.name).(*begun)
	if ahead != nil {
		defer ahead.Drop()
	}
	whole, large := split(questions(m, e.feed, e.limit, ahead), e.limit)
	whole, err := e.hash.digest(ctx, m, whole)
	if err != nil {
		return nil, err
	}
	pieces := windows(large, e.limit)
	err = e.ask(ctx, slices.Concat(whole, pieces), ahead)
	return e.findings(whole, pieces, large), err
}

// ask has the questions answered by the first server that can. What went ahead has a slot.
func (e *Engine) ask(ctx context.Context, all []*Question, ahead *begun) error {
	if len(all) == 0 {
		return nil
	}
	if ahead == nil {
		select {
		case e.slots <- struct{}{}:
			defer func() { <-e.slots }()
		case <-ctx.Done():
			return fmt.Errorf("waiting while %d messages are asked about: %w", cap(e.slots), ctx.Err())
		}
	}
	var errs []error
	order := e.order(time.Now())
	for i, s := range order {
		err := s.answer(ctx, all, len(order)-i, ahead.with(s))
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("%v: %w", s, err))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// order returns the servers as they are in the configuration, those that failed of
// late after the others.
func (e *Engine) order(now time.Time) []*server {
	order := slices.Clone(e.servers)
	slices.SortStableFunc(order, func(a, b *server) int {
		switch {
		case a.rests(now) == b.rests(now):
			return 0
		case b.rests(now):
			return -1
		default:
			return 1
		}
	})
	return order
}

// found returns the finding for a signature, which is as grave as the entry says.
func (e *Engine) found(signature string, part int) scan.Finding {
	f := found(e.name, signature, part)
	if e.mild && f.Kind == scan.Infected {
		f.Kind, f.Rule = scan.Suspicious, ruleSuspicious+sanitised(signature)
	}
	return f
}

// pending returns the finding for a part about which there is no verdict yet, but a job.
func (e *Engine) pending(part int, job string) scan.Finding {
	return scan.Finding{Kind: scan.Failed, Scanner: word, Rule: scan.PendingRule(e.name), Part: part,
		Detail: e.name + ": " + ErrPending.Error(), Job: job}
}

// findings turns answers into findings, each fact once.
func (e *Engine) findings(whole, pieces, large []*Question) []scan.Finding {
	var all []scan.Finding
	add := func(f scan.Finding) {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	for _, q := range slices.Concat(whole, pieces) {
		for _, part := range q.parts {
			if q.signature != "" {
				add(e.found(q.signature, part))
			}
			if q.pending {
				add(e.pending(part, q.job))
			}
			if q.tooBig {
				add(tooBig(e.name, part, q.Content.Size()))
			}
		}
	}
	for _, q := range large {
		for _, part := range q.parts {
			add(tooBig(e.name, part, q.Content.Size()))
		}
	}
	return all
}
