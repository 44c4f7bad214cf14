package config

import (
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"

	"github.com/milterscan/milterscan/scan/units"
)

// Address is where to listen or connect: "unix:/path" or "tcp:host:port".
type Address string

// UnmarshalText reads an address.
func (a *Address) UnmarshalText(text []byte) error {
	network, where := units.SplitAddress(string(text))
	switch network {
	case "unix":
		if !filepath.IsAbs(where) {
			return fmt.Errorf("%q has no absolute path; write \"unix:/run/milterscan/milter.sock\"", text)
		}
	case "tcp":
		_, port, err := net.SplitHostPort(where)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
			return fmt.Errorf("%q has no host and port; write \"tcp:127.0.0.1:7357\" or \"tcp:[::1]:7357\"", text)
		}
	default:
		return fmt.Errorf("%q is no address; write \"unix:/path\" or \"tcp:host:port\"", text)
	}
	*a = Address(text)
	return nil
}

// Split returns the network and the address as package net wants them.
func (a Address) Split() (network, address string) { return units.SplitAddress(string(a)) }

// FileMode is the access rights of a file. As text it is octal: "0660".
type FileMode fs.FileMode

// UnmarshalText reads a mode.
func (m *FileMode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 32)
	if err != nil || n > 0o777 {
		return fmt.Errorf("%q are no access rights; write them in octal and in quotes, such as \"0660\"", text)
	}
	*m = FileMode(n)
	return nil
}

// MarshalText writes the mode in octal.
func (m FileMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// String returns the mode in octal.
func (m FileMode) String() string { return fmt.Sprintf("%#o", uint32(m)) }
