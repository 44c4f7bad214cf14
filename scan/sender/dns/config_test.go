package dns

import (
	"net/netip"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

func TestServer(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:53": "127.0.0.1:53", "192.0.2.1": "192.0.2.1:53", "::1": "[::1]:53", "[::1]:5353": "[::1]:5353", "[::1]": "[::1]:53",
		"localhost:53": "", "127.0.0.1:0": "", "": "", "127.0.0.1:domain": "",
	} {
		var s Server
		if err := s.UnmarshalText([]byte(text)); string(s) != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, s, err)
		}
	}
}

func TestCheck(t *testing.T) {
	if err := DefaultConfig().Check(); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(*Config){
		func(c *Config) { c.Tries = 0 },
		func(c *Config) { c.Timeout = units.Duration(20 * time.Second) },
		func(c *Config) { c.Questions = 0 },
	} {
		c := DefaultConfig()
		if spoil(&c); c.Check() == nil {
			t.Errorf("%+v is fine", c)
		}
	}
}

func TestReversed(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":          "1.2.0.192.in-addr.arpa",
		"::ffff:192.0.2.1":   "1.2.0.192.in-addr.arpa",
		"2001:db8::567:89ab": "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", // RFC 3596
	} {
		if got := ReverseName(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
}
