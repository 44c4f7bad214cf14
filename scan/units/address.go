package units

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// SplitAddress splits an address that is known to be good, "unix:/path" or
// "tcp:host:port", into what net.Dial takes.
func SplitAddress(s string) (network, address string) {
	network, address, _ = strings.Cut(s, ":")
	return network, address
}

// ParseAddress splits the address of a server, "unix:/path" or "tcp:host:port",
// into what net.Dial takes.
func ParseAddress(s string) (network, address string, err error) {
	network, address = SplitAddress(s)
	switch network {
	case "unix":
		if strings.HasPrefix(address, "/") {
			return network, address, nil
		}
	case "tcp":
		if host, port, err := net.SplitHostPort(address); err == nil && host != "" && port != "" {
			return network, address, nil
		}
	}
	return "", "", fmt.Errorf("address is %q; write \"unix:/path\" or \"tcp:host:port\"", s)
}

// Loopback reports whether a host is this one.
func Loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
