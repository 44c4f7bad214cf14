package login

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// ClientOf returns the address of the browser. Where a proxy of ours connects, it is the last one that the proxy, or a
// proxy of ours before it, wrote into X-Forwarded-For. It is the zero address where none is known.
func ClientOf(r *http.Request, proxies []policy.Network) netip.Addr {
	peer := netip.Addr{}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		peer, _ = netip.ParseAddr(host)
	}
	peer = peer.Unmap().WithZone("")
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(n policy.Network) bool { return n.Contains(a) })
	}
	if peer.IsValid() && !trusted(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if peer = a.Unmap().WithZone(""); !trusted(peer) {
			break
		}
	}
	return peer
}
