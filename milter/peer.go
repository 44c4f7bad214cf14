package milter

import (
	"net"
	"net/netip"
)

// peerOf names the MTA at the other end, by what it cannot choose: the user it runs
// as at a unix socket, its address at any other. An IPv6 network (/64) is one MTA.
func peerOf(raw interface{ RemoteAddr() net.Addr }) string {
	if u, ok := raw.(*net.UnixConn); ok {
		return peerUser(u)
	}
	tcp, ok := raw.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	return host(tcp.AddrPort().Addr().Unmap())
}

func host(a netip.Addr) string {
	if a.Is6() {
		network, _ := a.WithZone("").Prefix(64)
		return network.String()
	}
	return a.String()
}
