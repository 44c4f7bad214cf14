package config

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/policy/keep/redis"
	"github.com/milterscan/milterscan/scan/units"
)

// Store is where several hosts keep what they share.
type Store struct {
	// The database of PostgreSQL, 13 or later, in which hosts share what docs/hosts.md
	// lists; "" if this host shares nothing. Several hosts stand with commas between them:
	// "postgres://milterscan@db1.example.com,db2.example.com/milterscan?sslmode=verify-full".
	URL string `toml:"url"`
	// The authorities of its certificate, in PEM; "" for those of the system.
	CAFile string `toml:"ca_file"`
	// A bucket for the kept messages, whose entries stay in the database: see docs/hosts.md.
	// Without it the database has both.
	S3 S3 `toml:"s3"`
	// The file with the password, or "env:NAME" for a variable of the environment; ""
	// for none. It is read for each connection, so that it may be changed.
	PasswordFile SecretFile `toml:"password_file"`
	// Connections for mail; half as many and three more are for all else.
	Connections int `toml:"connections"`
	// How long one mail waits for the database, and for the server of [store.redis].
	// After that mail does without for ten seconds: see docs/hosts.md for what that means.
	Timeout units.Duration `toml:"timeout"`
	// How many hosts share. While what they share is away, each lets this part of a
	// limit of [rate] through.
	Hosts int `toml:"hosts"`
	// What this host is called among them; "" for its name.
	Name string `toml:"name"`

	// What hosts share and may lose: the greylist and the counts of [rate]. With or
	// without a database.
	Redis Redis `toml:"redis"`
}

// Redis is where several hosts keep what they share and may lose.
type Redis struct {
	// The server of Valkey, or of Redis 6 or later:
	// "rediss://milterscan@redis.example.com:6379/0", "redis://127.0.0.1:6379", or a
	// socket, "unix:///run/redis/redis.sock?db=0"; "" for none.
	URL string `toml:"url"`
	// The authorities of its certificate, in PEM; "" for those of the system.
	CAFile string `toml:"ca_file"`
	// The file with the password, or "env:NAME" for a variable of the environment; ""
	// for none. It is read for each connection, so that it may be changed.
	PasswordFile SecretFile `toml:"password_file"`
	// How the names of all keys there begin.
	Prefix string `toml:"prefix"`
	// The file with a secret that all hosts have, such as "openssl rand -hex 32" makes, or
	// "env:NAME" for a variable of the environment. With it hosts tell each other for a
	// minute which contents their virus engines found clean: see docs/engines.md. "": each
	// host asks its engines by itself.
	VerdictKeyFile SecretFile `toml:"verdict_key_file"`
}

func defaultStore() Store {
	return Store{Connections: 8, Timeout: units.Duration(2 * time.Second), Hosts: 2, Redis: Redis{Prefix: "milterscan:"}}
}

// mostOfConnections is how many connections one host may have: servers take some hundred of all.
const mostOfConnections = 1000

// mostOfTimeout is how long a mail may wait for the database.
const mostOfTimeout = 10 * time.Second

// Check returns the errors of the section [store].
func (s Store) Check() error {
	var check units.Check
	if s.URL != "" {
		check.Add(s.server().Check())
	}
	check.If(s.URL == "" && s.CAFile != "", "ca_file", "it is of no use without a url")
	check.If(s.URL == "" && s.PasswordFile != "", "password_file", "it is of no use without a url")
	check.AtLeast("connections", s.Connections, 1)
	check.If(s.Connections > mostOfConnections, "connections", "%d are more than a server takes; write at most %d",
		s.Connections, mostOfConnections)
	check.If(s.Timeout == 0 || s.Timeout.Go() > mostOfTimeout, "timeout",
		"%v is not possible: clients wait for it at RCPT; write at most %v, such as \"2s\"",
		s.Timeout, units.Duration(mostOfTimeout))
	check.AtLeast("hosts", s.Hosts, 1)
	check.If(s.URL == "" && s.S3.Endpoint != "", "s3.endpoint", "it is of no use without store.url: entries of kept messages are in the database")
	return check.Err()
}

// mostOfPrefix is how long the beginning of a key may be: each takes memory of the server.
const mostOfPrefix = 64

// Check returns the errors of the section [store.redis].
func (r Redis) Check() error {
	var check units.Check
	if r.URL != "" {
		check.Add(r.server().Check())
	}
	check.If(r.URL == "" && r.CAFile != "", "ca_file", "it is of no use without a url")
	check.If(r.URL == "" && r.PasswordFile != "", "password_file", "it is of no use without a url")
	check.If(r.URL == "" && r.VerdictKeyFile != "", "verdict_key_file", "it is of no use without a url")
	odd := func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`*?[]\^`, c) }
	check.If(r.Prefix == "" || len(r.Prefix) > mostOfPrefix || strings.ContainsFunc(r.Prefix, odd), "prefix",
		"%q is no beginning of a key; write at most %d letters, digits and colons, such as \"milterscan:\"", r.Prefix, mostOfPrefix)
	return check.Err()
}

// shortestKey is how long a key must be at least.
const shortestKey = 32

// VerdictKey returns the key with which hosts sign verdicts; nil if they do not.
func (r Redis) VerdictKey() ([]byte, error) {
	if r.VerdictKeyFile == "" {
		return nil, nil
	}
	key, err := r.VerdictKeyFile.Read()
	if err == nil && len(key) < shortestKey {
		err = fmt.Errorf("a key of %d characters can be guessed; write at least %d, as \"openssl rand -hex 32\" makes them", len(key), shortestKey)
	}
	if err != nil {
		return nil, fmt.Errorf("store.redis.verdict_key_file: %w", err)
	}
	return []byte(key), nil
}

func (r Redis) server() redis.Server { return redis.Server{URL: r.URL, CAFile: r.CAFile} }

// Volatile returns where the hosts share what they may lose; nil if that is where they share all else.
func (s Store) Volatile() *redis.State {
	if s.Redis.URL == "" {
		return nil
	}
	return redis.New(redis.Options{Server: s.Redis.server(), Password: s.Redis.PasswordFile.Read, Prefix: s.Redis.Prefix,
		Patience: s.Timeout.Go()})
}

func (s Store) server() postgres.Server { return postgres.Server{URL: s.URL, CAFile: s.CAFile} }

// seenServers ends the name of the file that has which servers of the database were seen last. It is where the lists of
// this host are if it shares none.
const seenServers = ".shared-servers"

// Fleet returns where the hosts share what they share; nil if they share nothing.
func (c *Config) Fleet() *fleet.State { return c.Store.Fleet(c.People.File + seenServers) }

// Fleet returns the same. seen is the file with what is remembered of servers; "" if nothing is.
func (s Store) Fleet(seen string) *fleet.State {
	if s.URL == "" {
		return nil
	}
	return fleet.New(fleet.Options{Server: s.server(), Password: s.PasswordFile.Read, Connections: s.Connections,
		Patience: s.Timeout.Go(), Seen: seen})
}

// Host returns what this host is called among those that share.
func (s Store) Host() string {
	if s.Name != "" {
		return s.Name
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "unnamed"
	}
	return name
}
