package icap

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// dialTime is how long connecting may take, TLS included.
	dialTime = 5 * time.Second
	// idleTime is how long a connection is kept for the next content.
	idleTime = 30 * time.Second
	// mostIdle is how many are kept.
	mostIdle = 16
)

// conn is a connection to the server, used by one content at a time.
type conn struct {
	net.Conn
	in     *bufio.Reader
	uses   int         // how often it was lent before
	fit    bool        // it can be lent again: all of the last answer has been read
	silent bool        // the server has not said a word while it was lent
	expiry *time.Timer // while it is kept
}

// connect takes a connection that was kept, or makes one.
func (c *Client) connect(ctx context.Context) (*conn, error) {
	if kept := c.idle.take(); kept != nil {
		return kept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{}
	if c.tls != nil {
		dialer = &tls.Dialer{Config: c.tls}
	}
	made, err := dialer.DialContext(ctx, "tcp", c.service.Host)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: made, in: bufio.NewReaderSize(made, longestLine)}, nil
}

// lend has the connection used within the time of ctx.
func (x *conn) lend(ctx context.Context, do func(*conn) error) error {
	x.fit, x.silent = false, true
	stop := context.AfterFunc(ctx, func() { x.SetDeadline(time.Unix(1, 0)) })
	err := do(x)
	x.uses++
	if !stop() {
		x.fit = false
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return ctx.Err()
		}
	}
	return err
}

// pool keeps idle connections.
type pool struct {
	mu   sync.Mutex
	kept []*conn
}

// take returns the one that was used last, nil if there is none.
func (p *pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.kept) > 0 {
		x := p.kept[len(p.kept)-1]
		p.kept = p.kept[:len(p.kept)-1]
		if x.expiry.Stop() {
			return x
		}
	}
	return nil
}

// put keeps a connection, or closes it if there are enough.
func (p *pool) put(x *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= mostIdle {
		x.Close()
		return
	}
	x.expiry = time.AfterFunc(idleTime, func() { p.expire(x) })
	p.kept = append(p.kept, x)
}

func (p *pool) expire(x *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = slices.DeleteFunc(p.kept, func(other *conn) bool { return other == x })
	x.Close()
}

func (p *pool) close() {
	for x := p.take(); x != nil; x = p.take() {
		x.Close()
	}
}
