// Package ldap opens connections to LDAP servers that are encrypted, bounded and end in time, and
// reads entries from them page by page.
package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/milterscan/milterscan/scan/units"
)

// Conn is a connection.
type Conn = ldap.Conn

// Server is where a directory is, and in whose name it is asked.
type Server struct {
	URL      string                 // "ldap://host" or "ldaps://host"
	StartTLS bool                   // ldap:// is encrypted
	CAFile   string                 // with the authorities of its certificate; "" for those of the system
	BindDN   string                 // "" for none
	Password func() (string, error) // of that name
	Most     int                    // bytes that it may send on one connection
}

// Check returns the error in the address of a server.
func (s Server) Check() error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.User != nil:
		return units.Wrong("url", "%q is no LDAP server; write one such as \"ldaps://ldap.example.com\"", s.URL)
	case u.Scheme == "ldap" && !s.StartTLS && !units.Loopback(u.Hostname()):
		return units.Wrong("starttls", "passwords would go to %s in the clear; write true, or use ldaps://", u.Hostname())
	}
	return nil
}

// Connect returns a connection that is encrypted, and bound in our own name. It ends with ctx.
func (s Server) Connect(ctx context.Context) (*Conn, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.URL, err)
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	if s.BindDN == "" {
		return conn, nil
	}
	password, err := s.Password()
	if err == nil {
		err = conn.Bind(s.BindDN, password)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s, as %s: %w", s.URL, s.BindDN, err)
	}
	return conn, nil
}

// dial opens a connection, and encrypts it.
func (s Server) dial(ctx context.Context) (*Conn, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	}
	trust, err := s.trust(u.Hostname())
	if err != nil {
		return nil, err
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	raw.SetDeadline(deadline)
	var c net.Conn = &bounded{raw, s.Most}
	if u.Scheme == "ldaps" {
		encrypted := tls.Client(c, trust)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		c = encrypted
	}
	conn := ldap.NewConn(c, u.Scheme == "ldaps")
	conn.SetTimeout(time.Until(deadline))
	conn.Start()
	if u.Scheme == "ldap" && s.StartTLS {
		if err := conn.StartTLS(trust); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// trust returns what the certificate of the server is checked by.
func (s Server) trust(host string) (*tls.Config, error) {
	roots, err := units.Authorities(s.CAFile)
	if err != nil {
		return nil, err
	}
	return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: roots}, nil
}

// bounded is a connection from which no more than so much is read.
type bounded struct {
	net.Conn
	left int
}

var errTooMuch = errors.New("the server sends too much")

// Read implements net.Conn.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// FoldDN returns the name of an entry in the one form by which names are compared; in small letters, as
// it is, a text that is no name of one.
func FoldDN(name string) string {
	if dn, err := ldap.ParseDN(name); err == nil && len(dn.RDNs) > 0 {
		name = dn.String()
	}
	return strings.ToLower(strings.TrimSpace(name))
}
