// Package config is the configuration file: one documented struct, its
// defaults, and the reader that says everything that is wrong with a file at
// once, each error with its line and what would be right.
package config

import (
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/archive"
	"github.com/milterscan/milterscan/scan/entity"
	"github.com/milterscan/milterscan/scan/units"
)

// Config is the file. An empty file is valid and equals Default.
type Config struct {
	// The version of this file's format. It changes only when an old file would
	// mean something else.
	Version int `toml:"version"`
	// The rules that stand behind your own: "default" delivers, or refuses with a
	// reason; "hosting" is for many domains; "tag-only" delivers everything but
	// infected mail, marked; "strict" refuses where "default" marks.
	Profile string `toml:"profile"`

	Milter Milter `toml:"milter"`
	Spool  Spool  `toml:"spool"`
	Limits Limits `toml:"limits"`
	Local  Local  `toml:"local"`
	Log    Log    `toml:"log"`
	Rules  []Rule `toml:"rule"`

	origins origins
}

// Milter is the MTA's side.
type Milter struct {
	// Where the MTA connects to: "unix:/path" or "tcp:host:port", as many as you
	// like. Neither Postfix nor Sendmail can encrypt this connection.
	Listen []Address `toml:"listen"`
	// The access rights of unix sockets, in octal.
	SocketMode FileMode `toml:"socket_mode"`
	// Who owns unix sockets: "user", "user:group" or ":group"; "" for the user
	// the daemon runs as.
	SocketOwner string `toml:"socket_owner"`
	// MTA connections at the same time; further ones wait.
	MaxConnections int `toml:"max_connections"`
	// Recipients of one message; further ones are refused, so that the client
	// sends them in a message of their own.
	MaxRecipients int `toml:"max_recipients"`
	// How long a connection may stay idle. It must be longer than the MTA keeps
	// one open between messages: libmilter's own limit is 7,210 seconds.
	IdleTimeout units.Duration `toml:"idle_timeout"`
	// How long the MTA may take to accept an answer.
	WriteTimeout units.Duration `toml:"write_timeout"`
	// How often the MTA is told that a message is still being looked at. Sendmail
	// gives up after 10 seconds without a word.
	Progress units.Duration `toml:"progress"`
	// How long messages in flight have to finish when the daemon is stopped.
	Drain units.Duration `toml:"drain"`
}

// Spool is where messages are while they are looked at.
type Spool struct {
	// The directory for what does not fit into memory; "" for the system's
	// temporary directory. Files in it have no name and vanish with the daemon.
	Dir string `toml:"dir"`
	// Memory for the messages in flight and their decoded parts, all together.
	Memory units.Size `toml:"memory"`
	// Disk space for the same. A message that finds no room is answered with a
	// temporary failure.
	Disk units.Size `toml:"disk"`
}

// Limits bound what one message may cost. Reaching one is a finding.
type Limits struct {
	// The largest message that is accepted. Keep it at or above the MTA's own
	// limit, or its users get two different answers.
	Message units.Size `toml:"message"`
	// The time for one message, from its last byte to the answer. The client
	// waits 10 minutes (RFC 5321), Postfix and Sendmail 5 for a milter; the rest
	// is theirs.
	Time units.Duration `toml:"time"`
	// The parts of one message, members of archives included.
	Parts int `toml:"parts"`
	// Messages inside each other.
	Nesting int `toml:"nesting"`
	// The structure of the message itself.
	MIME entity.Limits `toml:"mime"`
	// The archives of one message together.
	Archive archive.Limits `toml:"archive"`
}

// Local says which mail is yours. While it is empty, mail counts as inbound
// unless its client has authenticated.
type Local struct {
	// The domains you receive mail for; ".example.com" for all subdomains.
	Domains []policy.Domain `toml:"domains"`
	// The networks whose mail is yours, without authentication.
	Networks []policy.Network `toml:"networks"`
}

// Log is the log: one line for each message.
type Log struct {
	// The least level that is written: "debug", "info", "warn" or "error".
	Level string `toml:"level"`
	// "json", or "console" for people.
	Format string `toml:"format"`
	// "stderr", "stdout" or the path of a file.
	Output string `toml:"output"`
}

// Default returns the shipped configuration.
func Default() *Config {
	return &Config{
		Version: 1,
		Profile: policy.ProfileDefault,
		Milter: Milter{
			Listen:         []Address{"unix:/run/milterscan/milter.sock"},
			SocketMode:     0o660,
			MaxConnections: 512,
			MaxRecipients:  1000,
			IdleTimeout:    units.Duration(2*time.Hour + 10*time.Minute),
			WriteTimeout:   units.Duration(10 * time.Second),
			Progress:       units.Duration(5 * time.Second),
			Drain:          units.Duration(30 * time.Second),
		},
		Spool: Spool{Memory: 64 * units.MB, Disk: 4 * units.GB},
		Limits: Limits{
			Message: 64 * units.MB,
			Time:    units.Duration(time.Minute),
			Parts:   10_000,
			Nesting: 20,
			MIME:    entity.Limits{Parts: 2000, Depth: 60},
			Archive: archive.Limits{
				Expanded: 256 * units.MB,
				Member:   128 * units.MB,
				Ratio:    200,
				Entries:  10_000,
				Depth:    8,
			},
		},
		Log:     Log{Level: "info", Format: "json", Output: "stderr"},
		origins: origins{},
	}
}

// Policy returns the rules in their order: the file's own, those of policy.d,
// and those of the profile.
func (c *Config) Policy() (*policy.Policy, error) {
	return policy.New(c.AllRules(), policy.Local(c.Local))
}

// AllRules are all rules in their order. The configuration must be valid.
func (c *Config) AllRules() []policy.Rule {
	var rules []policy.Rule
	for _, r := range c.Rules {
		rules = append(rules, r.compiled)
	}
	shipped, err := policy.Profile(c.Profile)
	if err != nil {
		return rules
	}
	return append(rules, shipped...)
}
