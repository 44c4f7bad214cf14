package config

import (
	"github.com/milterscan/milterscan/scan/units"
)

// Console is the section [console].
type Console struct {
	// Where the pages for administrators are served: "unix:/path" or
	// "tcp:host:port"; docs/console.md says how browsers get there. Empty: nowhere.
	Listen []Address `toml:"listen"`
	// The database of people, their sessions and what they did, on a file system of
	// this host. With store.url hosts share these.
	File string `toml:"file"`
	// The file with the certificate for HTTPS, in PEM. Without one the pages are
	// served over plain HTTP: to a proxy on this host that has one, or through a tunnel.
	Certificate string `toml:"certificate"`
	// The file with its key. Both files are read again when they change.
	Key string `toml:"key"`
	Access
}

func defaultConsole() Console {
	return Console{File: "/var/lib/milterscan/console.db", Access: defaultAccess()}
}

// Check returns the errors of the section [console].
func (c Console) Check() error {
	var check units.Check
	check.Absolute("file", c.File, "/var/lib/milterscan/console.db")
	c.checkAccess(&check)
	if c.Certificate != "" {
		check.Absolute("certificate", c.Certificate, "/etc/milterscan/console.pem")
	}
	if c.Key != "" {
		check.Absolute("key", c.Key, "/etc/milterscan/console.key")
	}
	check.If((c.Certificate == "") != (c.Key == ""),
		"certificate", "a certificate and its key come together; set certificate and key, or neither")
	return check.Err()
}
