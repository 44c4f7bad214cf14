// Package postgres opens databases of PostgreSQL.
package postgres

import (
	"crypto/tls"
	"database/sql"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/milterscan/milterscan/scan/units"
)

// Server is a database, and how it is reached.
type Server struct {
	URL    string // "postgres://user@host/database?sslmode=verify-full"
	CAFile string // with the authorities of its certificate; "" for those of the system
}

// plain are the modes in which a connection may be one that is not encrypted.
var plain = []string{"", "disable", "allow", "prefer"}

// Check returns the error in the address of a database.
func (s Server) Check() error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Trim(u.Path, "/") == "" {
		return units.Wrong("url", "this is no database; write one such as \"postgres://user@db.example.com/mail?sslmode=verify-full\"")
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") {
		return units.Wrong("url", "it holds a password, which others may read here; put that into password_file")
	}
	c, err := pgx.ParseConfig(s.URL)
	if err != nil {
		return units.Wrong("url", "it cannot be read: %v", err)
	}
	if host := foreign(c); host != "" && slices.Contains(plain, u.Query().Get("sslmode")) {
		return units.Wrong("url", "passwords and data would go to and from %s in the clear; add sslmode=verify-full", host)
	}
	return nil
}

// foreign returns a host that connections may go to and that is not this one, "" if there is none.
func foreign(c *pgx.ConnConfig) string {
	hosts := []string{c.Host}
	for _, f := range c.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	i := slices.IndexFunc(hosts, func(h string) bool { return !strings.HasPrefix(h, "/") && !units.Loopback(h) })
	if i < 0 {
		return ""
	}
	return hosts[i]
}

// connectTime is how long a connection may take.
const connectTime = 30 * time.Second

// Open returns a database. Nothing is asked yet. The caller closes it.
func (s Server) Open(password string) (*sql.DB, error) {
	c, err := s.config()
	if err != nil {
		return nil, err
	}
	if password != "" {
		c.Password = password
	}
	c.ConnectTimeout = connectTime
	return stdlib.OpenDB(*c), nil
}

// config returns how connections are made.
func (s Server) config() (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(s.URL)
	if err != nil {
		return nil, err
	}
	c.DefaultQueryExecMode = pgx.QueryExecModeExec // which goes through poolers of connections, too
	c.RuntimeParams["application_name"] = "milterscan"
	if s.CAFile != "" {
		return c, trust(c, s.CAFile)
	}
	return c, nil
}

var errClear = errors.New("ca_file is set, and sslmode of url encrypts nothing; add sslmode=verify-full")

// trust has certificates checked by the authorities in a file.
func trust(c *pgx.ConnConfig, file string) error {
	roots, err := units.Authorities(file)
	if err != nil {
		return err
	}
	configs := []*tls.Config{c.TLSConfig}
	for _, f := range c.Fallbacks {
		configs = append(configs, f.TLSConfig)
	}
	for _, t := range configs {
		if t == nil {
			return errClear
		}
		t.RootCAs, t.MinVersion = roots, tls.VersionTLS12
	}
	return nil
}
