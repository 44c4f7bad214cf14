package dns

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [dns] of the configuration.
type Config struct {
	// The resolvers, by address and port: "127.0.0.1:53". The first is asked
	// unless it does not answer. While there is none, as by default, nothing that
	// needs DNS can be switched on. Use resolvers of your own: DNS lists refuse public ones.
	Servers []Server `toml:"servers" example:"[\"127.0.0.1:53\"]"`
	// How long one try may take.
	Timeout units.Duration `toml:"timeout"`
	// How often a question is put, all resolvers together.
	Tries int `toml:"tries"`
	// Memory for answers.
	Cache units.Size `toml:"cache"`
	// Questions that one check may put about one message.
	Questions int `toml:"questions"`
}

// Server is the address of a resolver. As text it is "address:port", or an
// address alone for port 53.
type Server string

// UnmarshalText reads an address.
func (s *Server) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	if a, err := netip.ParseAddr(strings.Trim(t, "[]")); err == nil {
		*s = Server(net.JoinHostPort(a.String(), "53"))
		return nil
	}
	a, err := netip.ParseAddrPort(t)
	if err != nil || a.Port() == 0 {
		return fmt.Errorf("%q is no address of a resolver; write one such as \"127.0.0.1:53\" or \"[::1]:53\"", text)
	}
	*s = Server(a.String())
	return nil
}

// MarshalText writes the address.
func (s Server) MarshalText() ([]byte, error) { return []byte(s), nil }

// DefaultConfig names no resolver.
func DefaultConfig() Config {
	return Config{Timeout: units.Duration(2 * time.Second), Tries: 2, Cache: 16 * units.MB, Questions: 300}
}

// Budget returns the longest time that one question can take.
func (c Config) Budget() time.Duration { return time.Duration(c.Tries) * c.Timeout.Go() }

// longestBudget keeps one question below the time that an MTA waits for the
// answer to a command: 30 seconds with Postfix.
const longestBudget = 15 * time.Second

// Check finds what contradicts itself.
func (c Config) Check() error {
	var check units.Check
	check.If(c.Timeout <= 0, "timeout", "there must be some time; write a duration such as \"2s\"")
	check.AtLeast("tries", c.Tries, 1)
	check.AtLeast("questions", c.Questions, 1)
	check.If(c.Budget() > longestBudget,
		"tries", "%d tries of %v are more than the %v one question may take; write fewer, or a shorter timeout",
		c.Tries, c.Timeout, units.Duration(longestBudget))
	return check.Err()
}
