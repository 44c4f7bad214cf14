package virus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// Clamd is an engine that asks clamd. It may be used for many messages at once.
type Clamd struct {
	name    string
	feed    Feed
	timeout time.Duration
	limit   int64
	servers []*server
	slots   chan struct{} // one for each connection
}

func newClamd(c Config) *Clamd {
	c.SetDefaults()
	e := &Clamd{
		name:    word + "/" + c.Name,
		feed:    c.Feed,
		timeout: time.Duration(c.Timeout),
		limit:   int64(c.MaxStream),
		slots:   make(chan struct{}, c.Connections),
	}
	for _, a := range c.Address {
		e.servers = append(e.servers, newServer(a))
	}
	return e
}

// Name is "virus/" and the name of the entry.
func (e *Clamd) Name() string { return e.name }

// Scan asks clamd about m. What one address found stands also if another then
// fails.
func (e *Clamd) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	whole, large := split(jobs(m, e.feed, e.limit), e.limit)
	whole, err := digest(ctx, whole)
	if err != nil {
		return nil, err
	}
	pieces := windows(large, e.limit)
	err = e.ask(ctx, slices.Concat(whole, pieces))
	return e.findings(whole, pieces, large), err
}

// ask has the jobs answered by the first address that can.
func (e *Clamd) ask(ctx context.Context, all []*job) error {
	if len(all) == 0 {
		return nil
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return fmt.Errorf("waiting for one of %d connections: %w", cap(e.slots), ctx.Err())
	}
	var err error
	order := e.order(time.Now())
	for i, s := range order {
		if err = s.answer(ctx, all, len(order)-i); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// order is the servers as they stand in the configuration, those that failed of
// late behind the others.
func (e *Clamd) order(now time.Time) []*server {
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

// answer has the jobs answered by this server, within its share of the time that
// is left for it and those behind it, which are left in number with it.
func (s *server) answer(ctx context.Context, all []*job, left int) error {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/time.Duration(left))
		defer cancel()
	}
	database := s.memory.database(ctx, s)
	s.memory.recall(database, all)
	err := s.scan(ctx, all)
	s.judge(ctx, err)
	s.memory.keep(database, all)
	return err
}

// findings turns answers into findings, each fact once.
func (e *Clamd) findings(whole, pieces, large []*job) []scan.Finding {
	var all []scan.Finding
	add := func(f scan.Finding) {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	for _, j := range slices.Concat(whole, pieces) {
		for _, part := range j.parts {
			if j.signature != "" {
				add(found(e.name, j.signature, part))
			}
			if j.tooBig {
				add(tooBig(e.name, part, j.content.Size()))
			}
		}
	}
	for _, j := range large {
		for _, part := range j.parts {
			add(tooBig(e.name, part, j.content.Size()))
		}
	}
	return all
}
