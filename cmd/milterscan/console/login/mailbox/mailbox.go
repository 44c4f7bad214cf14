// Package mailbox asks the organisation's own mail server whether a name and a password are those
// of a mailbox: by IMAP, or by SMTP AUTH.
package mailbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Server is one that is asked. It may be used by several goroutines at once; each log-in has its
// own connection, which is encrypted before the password goes over it.
type Server struct {
	Where   string // "imaps:host:993", "imap:host:143", "smtp:host:587", "smtps:host:465"
	CAFile  string // the authorities of its certificate, in PEM; "" for those of the system
	Timeout time.Duration
}

// ErrWrong is reported where the server does not take the name and the password.
var ErrWrong = errors.New("the server does not take the name and the password")

// Check asks the server whether it takes a name and a password. The error is ErrWrong if it does not,
// and another one where it does not say.
func (s Server) Check(ctx context.Context, name, password string) error {
	if !plain(name) || !plain(password) {
		return ErrWrong
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	scheme, where, _ := strings.Cut(s.Where, ":")
	c, err := s.dial(ctx, where, strings.HasSuffix(scheme, "s"))
	if err != nil {
		return fmt.Errorf("%s: %w", s.Where, err)
	}
	defer c.Close()
	ask := c.imap
	if strings.HasPrefix(scheme, "smtp") {
		ask = c.smtp
	}
	if err := ask(name, password); err != nil {
		return fmt.Errorf("%s: %w", s.Where, err)
	}
	return nil
}

// longest is how long a name and a password may be.
const longest = 1000

// plain reports whether a text can be a name or a password: an empty one opens mailboxes of servers
// that take anybody.
func plain(s string) bool { return s != "" && len(s) <= longest && !strings.ContainsAny(s, "\r\n\x00") }

// conn is a connection to a server.
type conn struct {
	net.Conn
	in    *bufio.Reader
	trust *tls.Config
	tls   bool
}

// mostOfAnswers is how many bytes a server may send for one log-in, and mostOfLine those of a line.
const (
	mostOfAnswers = 64 << 10
	mostOfLine    = 8 << 10
)

// dial opens a connection that ends with ctx.
func (s Server) dial(ctx context.Context, where string, encrypted bool) (*conn, error) {
	host, _, err := net.SplitHostPort(where)
	if err != nil {
		return nil, err
	}
	trust, err := s.trust(host)
	if err != nil {
		return nil, err
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", where)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		raw.SetDeadline(deadline)
	}
	context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	c := &conn{Conn: raw, trust: trust}
	c.in = bufio.NewReaderSize(io.LimitReader(raw, mostOfAnswers), mostOfLine)
	if encrypted {
		return c, c.encrypt()
	}
	return c, nil
}

// trust returns what the certificate of the server is checked by.
func (s Server) trust(host string) (*tls.Config, error) {
	roots, err := units.Authorities(s.CAFile)
	if err != nil {
		return nil, err
	}
	return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}

// errEarly is reported for a server that has said something before it is encrypted that is meant to be taken
// for what it says after that (CVE-2011-0411).
var errEarly = errors.New("the server, or somebody on the way to it, says more than it was asked before the connection is encrypted")

// encrypt encrypts the connection, and checks the server's certificate. Where it fails the
// connection is closed.
func (c *conn) encrypt() error {
	if c.in.Buffered() > 0 {
		c.Close()
		return errEarly
	}
	secured := tls.Client(c.Conn, c.trust)
	if err := secured.Handshake(); err != nil {
		c.Close()
		return err
	}
	c.Conn, c.tls = secured, true
	c.in = bufio.NewReaderSize(io.LimitReader(secured, mostOfAnswers), mostOfLine)
	return nil
}

// line reads one line.
func (c *conn) line() (string, error) {
	text, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errors.New("the server sends too long a line")
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// say writes one line.
func (c *conn) say(text string) error {
	_, err := io.WriteString(c.Conn, text+"\r\n")
	return err
}
