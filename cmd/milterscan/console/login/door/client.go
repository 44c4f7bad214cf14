package door

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
)

// client returns the address of the browser; see login.ClientOf.
func (d *Door) client(r *http.Request) netip.Addr {
	return login.ClientOf(r, d.of(r).config.Proxies)
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
	if err != nil || !plain || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.HasPrefix(u.Path, "//") ||
		strings.Contains(u.Path, "\\") {
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
