package dns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// datagram is the largest UDP answer that is asked for: one that travels in one
// piece everywhere (DNS flag day 2020).
const datagram = 1232

// ask puts one question to the servers, one after the other, until one answers.
func (c *Client) ask(ctx context.Context, q question) (reading, error) {
	begun := time.Now()
	if c.pulse.dead() {
		c.knock()
		return reading{}, q.fails(ErrUnreachable, "")
	}
	query, err := q.message()
	if err != nil {
		return reading{}, q.fails(ErrNotFound, err.Error())
	}
	var last error
	for try := range c.config.Tries {
		r, err := c.try(ctx, query, c.pulse.server(try, len(c.config.Servers)))
		if err == nil {
			return r, nil
		}
		if last == nil || !errors.Is(err, ErrTimeout) {
			last = err
		}
		if errors.Is(err, ErrTimeout) && c.pulse.silent(begun) {
			c.pulse.missed()
			c.knock()
		}
	}
	if errors.Is(last, ErrTimeout) && c.pulse.silent(begun) {
		return reading{}, q.fails(ErrUnreachable, "")
	}
	return reading{}, q.because(last)
}

// message returns the question as it is sent.
func (q question) message() (*dns.Msg, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(escaped(q.name)), uint16(q.t))
	m.SetEdns0(datagram, false)
	packed, err := m.Pack() // gives the name the form in which answers will show it
	if err != nil {
		return nil, err
	}
	return m, m.Unpack(packed)
}

// escaped returns a name in the form of zone files, where a backslash is no letter.
func escaped(name string) string { return strings.ReplaceAll(name, `\`, `\\`) }

// try puts a question to one server: over UDP, and over TCP if the answer does
// not fit. What makes the library panic is no answer.
func (c *Client) try(ctx context.Context, query *dns.Msg, server int) (r reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: panic: %v", ErrFailed, p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout.Go())
	defer cancel()
	query = query.Copy()
	query.Id = dns.Id()
	address := string(c.config.Servers[server])
	m, err := exchange(ctx, "udp", address, query)
	if err == nil && m.Truncated {
		m, err = exchange(ctx, "tcp", address, query)
	}
	if err != nil {
		return reading{}, err
	}
	c.pulse.answered(server, time.Now())
	return read(m, query.Question[0])
}

// knock asks, while other questions wait, whether the servers are there at all. A
// resolver always knows the root.
func (c *Client) knock() {
	if !c.pulse.knocking(time.Now()) {
		return
	}
	go func() {
		defer c.pulse.knocked()
		ctx, cancel := context.WithTimeout(context.Background(), c.config.Budget())
		defer cancel()
		query, _ := question{"", NS}.message() // which can be packed
		for server := range c.config.Servers {
			c.try(ctx, query, server)
		}
	}()
}
