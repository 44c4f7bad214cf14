package dns

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// atOnce bounds the questions on the way at the same time: each has its own socket.
const atOnce = 256

// Client is the Resolver that asks real servers. Everybody who asks the same
// question while it is on its way gets the one answer.
type Client struct {
	config  Config
	cache   *cache
	pulse   pulse
	slots   chan struct{}
	sockets []*sockets // by server

	mu      sync.Mutex
	flights map[question]*flight
}

// flight is a question on its way.
type flight struct {
	landed chan struct{} // closed when answer is there
	answer answer
}

// landed is the channel of every flight whose answer was kept.
var landed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// NewClient returns a resolver that asks the servers of c. The configuration
// must be valid and name at least one.
func NewClient(c Config) *Client {
	client := &Client{
		config:  c,
		cache:   newCache(int64(c.Cache)),
		slots:   make(chan struct{}, atOnce),
		flights: map[question]*flight{},
	}
	for _, s := range c.Servers {
		client.sockets = append(client.sockets, newSockets(s))
	}
	return client
}

// Lookup asks the cache, and then the servers. A question that is on its way
// goes on when ctx is done: its answer is kept for the next who asks.
func (c *Client) Lookup(ctx context.Context, name string, t Type) ([]Record, error) {
	name, possible := canonical(name)
	q := question{name, t}
	if !possible {
		return nil, q.fails(ErrNotFound, "the name is too long or has an empty label")
	}
	f := c.flight(q)
	select {
	case <-f.landed:
		return f.answer.records, f.answer.err
	case <-ctx.Done():
		return nil, q.fails(ctx.Err(), "")
	}
}

func (q question) fails(why error, detail string) error {
	return &Error{Name: q.name, Type: q.t, Err: why, Detail: detail}
}

// flight returns one that has landed if the answer is kept, the one on its way for
// the question, or a new one.
func (c *Client) flight(q question) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.flights[q]; ok {
		return f
	}
	if a, ok := c.cache.get(q, time.Now()); ok {
		return &flight{landed: landed, answer: a}
	}
	f := &flight{landed: make(chan struct{})}
	c.flights[q] = f
	go c.fly(q, f)
	return f
}

// fly gets the answer to a question. Whatever happens, the flight lands.
func (c *Client) fly(q question, f *flight) {
	f.answer = answer{err: q.fails(ErrFailed, "the question could not be put")}
	defer func() {
		c.mu.Lock()
		delete(c.flights, q)
		c.mu.Unlock()
		close(f.landed)
	}()
	end := time.Now().Add(c.config.Budget())
	if c.enter(end) {
		defer func() { <-c.slots }()
		f.answer = c.resolve(end, q)
	} else {
		f.answer = answer{err: q.fails(ErrTimeout, "too many questions on the way")}
	}
	c.cache.put(q, f.answer, time.Now())
}

// enter takes a slot, and waits until the end for one. It reports whether there was one.
func (c *Client) enter(end time.Time) bool {
	select {
	case c.slots <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	select {
	case c.slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}

// How long an answer and a failure are kept at least, so that all who need it for one
// message, and those right after it, wait for it only once. Nobody is told of an answer
// but mail of that moment: RFC 2308, section 5, which would not have denials kept that
// name no zone, is about servers that pass them on to each other.
const (
	shortestKept = 5 * time.Second
	failureKept  = shortestKept
	silenceKept  = 3 * time.Second
)

// maxAliases bounds the aliases on the way to an answer.
const maxAliases = 8

// resolve follows a question through its aliases.
func (c *Client) resolve(end time.Time, q question) answer {
	at, hops, ttl := q, 0, longestKept
	for {
		r, err := c.ask(end, at)
		if err != nil {
			return answer{err: q.because(err), ttl: kept(err)}
		}
		ttl, hops = min(ttl, r.ttl), hops+r.hops
		if hops > maxAliases {
			return answer{err: q.fails(ErrFailed, "the aliases have no end"), ttl: failureKept}
		}
		if r.alias == "" {
			return r.answer(q, max(ttl, shortestKept))
		}
		at.name = r.alias
	}
}

// because returns the error of a question about which another failed, that of its
// alias perhaps, or the network.
func (q question) because(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return q.fails(e.Err, e.Detail)
	}
	for _, why := range [...]error{ErrTimeout, ErrFailed} {
		if errors.Is(err, why) {
			return q.fails(why, strings.TrimLeft(strings.TrimPrefix(err.Error(), why.Error()), ": "))
		}
	}
	return q.fails(ErrFailed, err.Error())
}

func kept(err error) time.Duration {
	if errors.Is(err, ErrTimeout) || errors.Is(err, ErrUnreachable) {
		return silenceKept
	}
	return failureKept
}
