// Package icap is a client of virus scanners that speak ICAP (RFC 3507): the
// protocol in which HTTP proxies hand over the answers they fetched. A content is sent
// as the answer to a made-up request (RESPMOD, section 4.9); the service returns
// "unmodified", or something else in its place, which means that it objects.
//
// The client does not trust an answer: a verdict that is not clear and complete is an
// error.
package icap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan/scratch"
)

// The faults of an answer. All of them mean "I do not know".
var (
	ErrNoReply = errors.New("the ICAP server closed the connection without a complete answer")
	ErrGarbage = errors.New("the ICAP server's answer makes no sense")
	ErrService = errors.New("the ICAP server refuses")
)

// Content is the content that a question is about.
type Content = scratch.Content

// Verdict is the answer of the service about a content.
type Verdict struct {
	Infected bool
	Threat   string // as the service calls it; may be empty
}

// Client asks one service. Any number of goroutines may use it at once; each
// content has a connection to itself, which is kept for the next one.
type Client struct {
	service url.URL
	tls     *tls.Config // nil for no encryption
	idle    pool

	mu      sync.Mutex
	options Options
	until   time.Time // when options are to be asked for again
}

// The ports of the two schemes: the first by RFC 3507, section 7.1, the other by
// custom.
const (
	plainPort  = "1344"
	securePort = "11344"
)

// New returns a client for "icap://host/service", or "icaps://" for TLS, in which
// the port may be left out. With roots the server's certificate must come from
// one of them instead of the system's authorities. Nothing is asked yet.
func New(address string, roots *x509.CertPool) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Path == "" || u.Path == "/" || u.User != nil || u.Fragment != "" ||
		u.Scheme != "icap" && u.Scheme != "icaps" {
		return nil, fmt.Errorf("address is %q; write \"icap://host:1344/service\", or \"icaps://host:11344/service\" for TLS", address)
	}
	c := &Client{service: *u}
	port := plainPort
	if u.Scheme == "icaps" {
		port = securePort
		c.tls = &tls.Config{ServerName: u.Hostname(), RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	if u.Port() == "" {
		c.service.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return c, nil
}

// String returns the address of the service.
func (c *Client) String() string { return c.service.String() }

// Close closes the idle connections. The client stays usable.
func (c *Client) Close() { c.idle.close() }

// Scan asks about a content. An error in reading the content is in the error that
// Scan returns.
func (c *Client) Scan(ctx context.Context, content Content) (Verdict, error) {
	o, err := c.known(ctx)
	if err != nil {
		return Verdict{}, fmt.Errorf("OPTIONS: %w", err)
	}
	var v Verdict
	err = c.with(ctx, func(conn *conn) error {
		v, err = conn.modify(ctx, c.request(o, content.Size()), content)
		return err
	})
	if errors.Is(err, ErrService) {
		c.forget() // it may have changed
	}
	return v, err
}

// with lends a connection. One that was kept may have been closed by the server
// meanwhile; then another is taken.
func (c *Client) with(ctx context.Context, do func(*conn) error) error {
	for {
		conn, err := c.connect(ctx)
		if err != nil {
			return err
		}
		kept := conn.uses > 0
		err = conn.lend(ctx, do)
		if err == nil && conn.fit {
			c.idle.put(conn)
			return nil
		}
		conn.Close()
		if kept && conn.silent && ctx.Err() == nil {
			continue
		}
		return err
	}
}
