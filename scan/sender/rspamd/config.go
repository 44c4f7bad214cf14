package rspamd

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [spam.rspamd] of the configuration, but for its secrets.
type Config struct {
	// Where rspamd's normal worker or its proxy listens: "http://host:11333",
	// "https://host" or "unix:/path"; of several the first that answers is used. While
	// there is none, rspamd is not asked.
	Addresses []string `toml:"address" example:"[\"http://127.0.0.1:11333\"]"`
	// The authorities of an https server's certificate, in PEM; "" for those of the
	// system.
	CAFile string `toml:"ca_file"`
	// How long it may take for one message, more than rspamd's own task_timeout. A
	// late answer does not count.
	Timeout units.Duration `toml:"timeout"`
	// The largest message it is asked about, no more than rspamd's max_message.
	MaxSize units.Size `toml:"max_size"`
	// Messages it is asked about at once.
	Connections int `toml:"connections"`
	// Whether mail from your own networks and users is asked about, too.
	Outbound bool `toml:"outbound"`
}

// DefaultConfig returns the shipped configuration, which names no rspamd.
func DefaultConfig() Config {
	return Config{Timeout: units.Duration(10 * time.Second), MaxSize: 20 * units.MB, Connections: 20, Outbound: true}
}

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	for i, a := range c.Addresses {
		if _, err := parseAddress(a); err != nil {
			check.Wrong(fmt.Sprintf("address[%d]", i), "%v", err)
		}
	}
	if _, err := units.Authorities(c.CAFile); err != nil {
		check.Wrong("ca_file", "%v", err)
	}
	check.If(c.Timeout <= 0, "timeout", "there must be some time; write a duration such as \"10s\"")
	check.If(c.MaxSize <= 0, "max_size", "no message would be small enough; write a size such as \"20MB\"")
	check.AtLeast("connections", c.Connections, 1)
	return check.Err()
}

// CheckPassword returns an error if a password would go over a network for all to read.
func (c Config) CheckPassword() error { return checkPassword(c.Addresses) }

func checkPassword(addresses []string) error {
	for _, text := range addresses {
		a, err := parseAddress(text)
		if err == nil && a.socket == "" && a.base.Scheme == "http" && !units.Loopback(a.base.Hostname()) {
			return fmt.Errorf("it would go to %s in the clear; use https://", a.base.Host)
		}
	}
	return nil
}

// address is where an HTTP server of rspamd listens.
type address struct {
	base   *url.URL
	socket string // path of a unix socket; "" for none
}

// parseAddress reads "http://host:port", "https://host" or "unix:/path".
func parseAddress(text string) (address, error) {
	if strings.HasPrefix(text, "unix:") {
		_, path, err := units.ParseAddress(text)
		return address{&url.URL{Scheme: "http", Host: "localhost"}, path}, err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return address{}, fmt.Errorf("address is %q; write \"http://host:port\", \"https://host:port\" or \"unix:/path\"", text)
	}
	if _, err := http.NewRequest(http.MethodGet, u.String(), nil); err != nil {
		return address{}, fmt.Errorf("address is %q: %w", text, err)
	}
	return address{base: u}, nil
}
