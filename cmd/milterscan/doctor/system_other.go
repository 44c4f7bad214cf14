//go:build !linux

package doctor

import (
	"net"
)

// who cannot be told on this system.
func who(net.Conn) string { return "" }

// drifting cannot be told on this system.
func drifting() bool { return false }
