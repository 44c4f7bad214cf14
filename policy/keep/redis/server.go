package redis

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/valkey-io/valkey-go"

	"github.com/milterscan/milterscan/scan/units"
)

// Server is a server of Valkey or Redis, and how it is reached.
type Server struct {
	URL    string // "rediss://user@host:6379/0", "redis://127.0.0.1", or "unix:///run/redis/redis.sock?db=0"
	CAFile string // with the authorities of its certificate; "" for those of the system
}

// Schemes of addresses, and which of them are encrypted. A socket of this host needs no encryption.
var (
	schemes   = []string{"redis", "rediss", "valkey", "valkeys", "unix"}
	encrypted = []string{"rediss", "valkeys"}
)

// example is an address.
const example = "\"rediss://milterscan@redis.example.com:6379/0\""

// Check returns the error in the address of a server.
func (s Server) Check() error {
	u, err := url.Parse(s.URL)
	if err != nil || !slices.Contains(schemes, u.Scheme) || (u.Scheme == "unix") != (u.Host == "") {
		return units.Wrong("url", "this is no server of Valkey or Redis; write one such as %s, or \"unix:///run/redis/redis.sock\"", example)
	}
	if _, has := u.User.Password(); has {
		return units.Wrong("url", "it holds a password, which others may read here; put that into password_file")
	}
	if err := checkDatabase(u); err != nil {
		return err
	}
	if u.Scheme != "unix" && !s.encrypted() && !units.Loopback(u.Hostname()) {
		return units.Wrong("url", "passwords and data would go to and from %s in the clear; write one such as %s", u.Hostname(), example)
	}
	if s.CAFile != "" && !s.encrypted() {
		return units.Wrong("ca_file", "the connection is not encrypted; write a url such as %s, or leave ca_file out", example)
	}
	return nil
}

// checkDatabase returns the error in the part of an address that says which database it is: the path, and of a socket the
// only parameter there is.
func checkDatabase(u *url.URL) error {
	number, q := strings.TrimPrefix(u.Path, "/"), u.Query()
	if u.Scheme == "unix" {
		number = q.Get("db")
		q.Del("db")
		if !path.IsAbs(u.Path) {
			return units.Wrong("url", "it has no absolute path; write one such as \"unix:///run/redis/redis.sock\"")
		}
	}
	if len(q) > 0 {
		return units.Wrong("url", "what follows the \"?\" is not known; leave it out")
	}
	if n, err := strconv.Atoi(number); number != "" && (err != nil || n < 0) {
		return units.Wrong("url", "%q is no number of a database; write one such as 0", number)
	}
	return nil
}

// encrypted reports whether the connection is.
func (s Server) encrypted() bool {
	scheme, _, _ := strings.Cut(s.URL, ":")
	return slices.Contains(encrypted, scheme)
}

// Place returns where the server is, without who asks: "redis.example.com:6379/0".
func (s Server) Place() string {
	o, err := valkey.ParseURL(s.URL)
	if err != nil || len(o.InitAddress) == 0 {
		return "the server"
	}
	return o.InitAddress[0] + "/" + strconv.Itoa(o.SelectDB)
}

// option returns how connections are made.
func (s Server) option() (o valkey.ClientOption, err error) {
	if o, err = valkey.ParseURL(s.URL); err != nil {
		return o, err
	}
	if o.TLSConfig != nil {
		o.TLSConfig.RootCAs, err = units.Authorities(s.CAFile)
	}
	return o, err
}
