package units

import (
	"fmt"
	"net"
	"strings"
)

// ParseAddress splits the address of a server, "unix:/path" or "tcp:host:port",
// into what net.Dial takes.
func ParseAddress(s string) (network, address string, err error) {
	network, address, _ = strings.Cut(s, ":")
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
