//go:build !linux

package milter

import "net"

// peerUser tells no users apart on systems other than Linux.
func peerUser(*net.UnixConn) string { return "" }
