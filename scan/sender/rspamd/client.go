package rspamd

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// The faults of an answer. Each means that there is no opinion.
var (
	ErrNoReply = errors.New("rspamd gave no complete answer")
	ErrGarbage = errors.New("rspamd's answer makes no sense")
	ErrServer  = errors.New("rspamd reports an error")
)

const (
	// dialTime is how long connecting may take, TLS included.
	dialTime = 5 * time.Second
	// longestAnswer is more than rspamd has to say about any message.
	longestAnswer = 1 << 20
	// longestHead is more than the header fields of any answer.
	longestHead = 64 << 10
)

// client asks servers of rspamd by HTTP. Each question has a separate connection: one that is kept
// may be closed from the other side while a message is on its way.
type client struct {
	roots    *x509.CertPool
	password func() (string, error) // nil for none
}

// question is one request.
type question struct {
	path   string // "checkv2"
	fields http.Header
	mail   scan.Content // nil for none
}

// reply is what a server has answered.
type reply struct {
	code int
	line string // "200 OK"
	body []byte
}

// ask puts one question to one server and reads the answer within the time of ctx.
func (c client) ask(ctx context.Context, where string, q question) (reply, error) {
	a, err := parseAddress(where)
	if err != nil {
		return reply{}, err
	}
	request, err := q.request(ctx, a)
	if err != nil {
		return reply{}, err
	}
	if c.password != nil {
		word, err := c.password()
		if err != nil {
			return reply{}, err
		}
		if word != "" {
			request.Header.Set("Password", word)
		}
	}
	if body, ok := request.Body.(*body); ok {
		defer body.Close() // nothing reads the message any more after this
	}
	transport := c.transport(a)
	defer transport.CloseIdleConnections()
	// Client errors name the whole address again, which the caller does.
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return reply{}, timely(ctx, fmt.Errorf("%w: %w", ErrNoReply, err))
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer+1))
	switch {
	case err != nil:
		return reply{}, timely(ctx, fmt.Errorf("%w: %w", ErrNoReply, err))
	case len(text) > longestAnswer:
		return reply{}, fmt.Errorf("%w: it has more than %d bytes", ErrGarbage, longestAnswer)
	}
	return reply{answer.StatusCode, answer.Status, text}, nil
}

// timely returns the error of ctx where that is why an answer did not come.
func timely(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// request returns a question as HTTP has it.
func (q question) request(ctx context.Context, a address) (*http.Request, error) {
	method, content := http.MethodGet, io.Reader(nil)
	if q.mail != nil {
		method, content = http.MethodPost, &body{from: scan.Reader(q.mail)}
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base.JoinPath(q.path).String(), content)
	if err != nil {
		return nil, err
	}
	for name, values := range q.fields {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "milterscan")
	if q.mail != nil {
		r.ContentLength = q.mail.Size()
	}
	return r, nil
}

// transport returns what one question goes over.
func (c client) transport(a address) *http.Transport {
	dialer := net.Dialer{Timeout: dialTime}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, where string) (net.Conn, error) {
			if a.socket != "" {
				network, where = "unix", a.socket
			}
			return dialer.DialContext(ctx, network, where)
		},
		TLSClientConfig:        &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    dialTime,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: longestHead,
	}
}

// body is a message on its way. HTTP may read a request still after the answer is there;
// once it is closed, it is not read any more.
type body struct {
	mu     sync.Mutex
	from   io.Reader
	closed bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, io.ErrClosedPipe
	}
	return b.from.Read(p)
}

// Close waits for a Read that is under way.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// ping asks whether a server is there.
func (c client) ping(ctx context.Context, where string) error {
	r, err := c.ask(ctx, where, question{path: "ping"})
	switch {
	case err != nil:
		return err
	case r.code != http.StatusOK:
		return r.refusal()
	case string(bytes.TrimSpace(r.body)) != "pong":
		return fmt.Errorf("%w: %.80q to a ping", ErrGarbage, r.body)
	}
	return nil
}

// refusal returns the error for a status that is no answer.
func (r reply) refusal() error {
	return fmt.Errorf("%w: %.200q", ErrServer, strings.ToValidUTF8(r.line, "?"))
}
