package door

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// client returns the address of the browser. Where a proxy of ours connects, it is the last one that the proxy, or a
// proxy of ours before it, wrote into X-Forwarded-For. It is the zero address where none is known.
func (d *Door) client(r *http.Request) netip.Addr {
	peer := netip.Addr{}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		peer, _ = netip.ParseAddr(host)
	}
	peer = peer.Unmap().WithZone("")
	proxies := d.of(r).config.Proxies
	trusted := func(a netip.Addr) bool {
		for _, n := range proxies {
			if n.Contains(a) {
				return true
			}
		}
		return false
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

// from returns where a browser is, for people. A proxy that does not tell hides it.
func (d *Door) from(r *http.Request) string {
	if a := d.client(r); a.IsValid() {
		return a.String()
	}
	return "unknown"
}

// mostOfNext is how long an address may be to which a person goes after logging in.
const mostOfNext = 2000

// nextOf returns where a person goes after logging in: an address of the console, and of no other site.
func nextOf(r *http.Request) string {
	for _, name := range []string{"next", "to"} {
		if to := r.FormValue(name); to != "" {
			return local(to)
		}
	}
	return "/"
}

// local returns an address if it is one of the console, and not one of the door; else that of the start.
func local(to string) string {
	u, err := url.Parse(to)
	plain := strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && len(to) <= mostOfNext &&
		!strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' })
	if err != nil || !plain || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return "/"
	}
	for _, own := range []string{"/login", "/second", "/logout"} {
		if u.Path == own || strings.HasPrefix(u.Path, own+"/") {
			return "/"
		}
	}
	return u.RequestURI()
}

// agent returns what the browser calls itself.
func agent(r *http.Request) string {
	a := r.UserAgent()
	return a[:min(len(a), 200)]
}
