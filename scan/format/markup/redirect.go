package markup

import (
	"encoding/base64"
	"strings"
)

// maxUnwrap bounds redirectors inside each other.
const maxUnwrap = 5

// Redirector is a service whose links name the place they lead to: its host with
// everything below it, the beginning of its path and the parameter that holds
// the place, as "google.com/url?q". A host that ends in ".*" has any public
// suffix there. Without a parameter, the place stands in the path, between "__"
// and "__".
type Redirector struct{ Host, Path, Param string }

// ParseRedirector reads "host/path?parameter".
func ParseRedirector(s string) Redirector {
	var r Redirector
	s, r.Param, _ = strings.Cut(s, "?")
	host, path, found := strings.Cut(s, "/")
	r.Host = strings.ToLower(host)
	if found {
		r.Path = "/" + path
	}
	return r
}

// Unwrap follows the redirectors as far as their links name the next place. It
// returns u itself where no redirector is in the way.
func Unwrap(u URL, by []Redirector) URL {
	for range maxUnwrap {
		next, ok := unwrapOnce(u, by)
		if !ok {
			break
		}
		u = next
	}
	return u
}

func unwrapOnce(u URL, by []Redirector) (URL, bool) {
	for _, r := range by {
		if !r.holds(u) {
			continue
		}
		if next := ParseURL(r.inner(u)); next.Web() || next.Active() || next.Scheme == "mailto" {
			return next, true
		}
	}
	return u, false
}

// holds reports whether a link is one of the redirector's.
func (r Redirector) holds(u URL) bool {
	if !u.Web() || !strings.HasPrefix(u.Rest, r.Path) {
		return false
	}
	if name, ok := strings.CutSuffix(r.Host, ".*"); ok {
		label, _, _ := strings.Cut(Registrable(u.Host), ".")
		return label == name
	}
	return Below(u.Host, r.Host)
}

// inner is the place a redirector's link names, as written.
func (r Redirector) inner(u URL) string {
	if r.Param == "" {
		return between(u.Rest)
	}
	value := u.Query(r.Param)
	switch {
	case strings.HasPrefix(value, "http-3A") || strings.HasPrefix(value, "https-3A"):
		return unescapePercent(strings.NewReplacer("-", "%", "_", "/").Replace(value))
	case strings.HasPrefix(value, "aHR0c"): // "http" in base64
		if b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "=")); err == nil {
			return string(b)
		}
	}
	return value
}

// between is what stands between the first "__" and the next, as in links of
// urldefense.com.
func between(path string) string {
	_, inner, ok := strings.Cut(path, "__")
	if !ok {
		return ""
	}
	inner, _, _ = strings.Cut(inner, "__;")
	return strings.TrimSuffix(inner, "__")
}
