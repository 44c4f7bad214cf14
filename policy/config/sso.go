package config

import (
	"fmt"

	"github.com/milterscan/milterscan/scan/units"
)

// SSO is the section [console.sso].
type SSO struct {
	// The file with the key that the other program signs with, at least 32 bytes in
	// hexadecimal; "" to let in nobody so. docs/hosting.md shows how to sign.
	KeyFile string `toml:"key_file"`
	// The roles that the other program may let in: an account here of another role
	// needs its password.
	Roles []string `toml:"roles"`
}

// Check returns the errors of the section [console.sso].
func (s SSO) Check() error {
	var check units.Check
	if s.KeyFile != "" {
		check.Absolute("key_file", s.KeyFile, "/etc/milterscan/sso-key")
	}
	for i, role := range s.Roles {
		check.Add(oneOf(fmt.Sprintf("roles[%d]", i), role, consoleRoles()))
	}
	return check.Err()
}
