package dns

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// datagram is the largest UDP answer that is asked for: one that travels in one
// piece everywhere (DNS flag day 2020).
const datagram = 1232

// ask puts one question to the servers, one after the other, until one answers. The
// one it begins with stays the first of its round, whichever has answered others since:
// so two tries of two servers are one of each.
func (c *Client) ask(end time.Time, q question) (reading, error) {
	begun := time.Now()
	if c.pulse.dead() {
		c.knock()
		return reading{}, q.fails(ErrUnreachable, "")
	}
	query, err := q.query()
	if err != nil {
		return reading{}, q.fails(ErrNotFound, err.Error())
	}
	first := c.pulse.lively()
	var last error
	for n := range c.config.Tries {
		r, err := c.try(end, query, (first+n)%len(c.config.Servers))
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

// query returns the question as it is sent.
func (q question) query() (*query, error) {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(escaped(q.name)), uint16(q.t))
	m.SetEdns0(datagram, false)
	packed, err := m.Pack()
	if err != nil {
		return nil, err
	}
	const header = 12
	asked := m.Question[0]
	asked.Name, _, err = dns.UnpackDomainName(packed, header)
	return &query{packed, asked}, err
}

// escaped returns a name in the form of zone files, where a backslash is no letter.
func escaped(name string) string { return strings.ReplaceAll(name, `\`, `\\`) }

// try puts a question to one server: over UDP, and over TCP if the answer does
// not fit. What makes the library panic is no answer.
func (c *Client) try(end time.Time, query *query, server int) (r reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: panic: %v", ErrFailed, p)
		}
	}()
	if own := time.Now().Add(c.config.Timeout.Go()); own.Before(end) {
		end = own
	}
	query.renew()
	m, err := overUDP(end, c.sockets[server], query)
	if err == nil && m.Truncated {
		m, err = overTCP(end, string(c.config.Servers[server]), query)
	}
	if err != nil {
		return reading{}, err
	}
	c.pulse.answered(server, time.Now())
	return read(m, query.asked)
}

// knock asks, while other questions wait, whether the servers are there at all. A
// resolver always knows the root.
func (c *Client) knock() {
	if !c.pulse.knocking(time.Now()) {
		return
	}
	go func() {
		defer c.pulse.knocked()
		end := time.Now().Add(c.config.Budget())
		query, _ := question{"", NS}.query() // which can be packed
		for server := range c.config.Servers {
			c.try(end, query, server)
		}
	}()
}
