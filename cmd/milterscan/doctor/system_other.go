//go:build !linux

package doctor

import (
	"errors"
	"net"
)

// who cannot be told on this system.
func who(net.Conn) string { return "" }

// drifting cannot be told on this system.
func drifting() bool { return false }

func free(string) (int64, error) { return 0, errors.ErrUnsupported }
