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
// suffix there. Without a parameter, the place is in the path.
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
	if !u.Web() {
		return u, false
	}
	for i := range by {
		r := &by[i]
		if !r.holds(&u) {
			continue
		}
		inner := r.inner(u)
		if strings.Contains(inner, ".") && plausible(strings.ToLower(inner)) { // a host alone
			inner = "//" + inner
		}
		if next := ParseLink(inner); next.Web() || next.Active() || next.Scheme == "mailto" {
			return next, true
		}
	}
	return u, false
}

// holds reports whether a link to the web is one of the redirector's.
func (r *Redirector) holds(u *URL) bool {
	if !strings.HasPrefix(u.Rest, r.Path) {
		return false
	}
	if name, ok := strings.CutSuffix(r.Host, ".*"); ok {
		label, _, _ := strings.Cut(Registrable(u.Host), ".")
		return label == name
	}
	return Below(u.Host, r.Host)
}

// inner returns the place a redirector's link names, as written.
func (r *Redirector) inner(u URL) string {
	if r.Param == "" {
		return inPath(strings.TrimPrefix(u.Rest, r.Path))
	}
	value := u.Query(r.Param)
	switch {
	case strings.HasPrefix(value, "http-3A") || strings.HasPrefix(value, "https-3A"): // Proofpoint, version 2
		return unescapePercent(strings.NewReplacer("-", "%", "_", "/").Replace(value))
	case escapedScheme(value): // escaped twice
		return unescapePercent(value)
	}
	if address, ok := inBase64(strings.TrimPrefix(value, "a1")); ok { // Bing begins with "a1"
		return address
	}
	return value
}

func escapedScheme(s string) bool {
	s = strings.ToLower(s[:min(len(s), len("https%3a"))])
	return strings.HasPrefix(s, "http%3a") || strings.HasPrefix(s, "https%3a")
}

// inBase64 reads an address that is written in base64, in whatever alphabet.
func inBase64(s string) (string, bool) {
	if !strings.HasPrefix(s, "aHR0c") { // "http"
		return "", false
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "=")))
	return string(b), err == nil
}

// inPath returns the address that a path holds: between underscores, as Proofpoint's
// and Check Point's have it, from its scheme to the end, or a piece in base64.
func inPath(path string) string {
	scheme, lines := schemeInPath(path), strings.Index(path, "__")
	switch {
	case lines >= 0 && (scheme < 0 || lines < scheme):
		inner, _, _ := strings.Cut(strings.TrimLeft(path[lines:], "_"), "__")
		return inner
	case scheme >= 0 && escapedScheme(path[scheme:]):
		address, _, _ := strings.Cut(path[scheme:], "/")
		return unescapePercent(address)
	case scheme >= 0:
		return path[scheme:]
	}
	for piece := range strings.SplitSeq(path, "/") {
		if address, ok := inBase64(piece); ok {
			return address
		}
	}
	return ""
}

// schemeInPath returns where in a path an address begins, escaped or not; -1 if none
// does.
func schemeInPath(path string) int {
	for i := range path {
		if i > 0 && !strings.ContainsRune("/=?", rune(path[i-1])) || path[i]|0x20 != 'h' {
			continue
		}
		if escapedScheme(path[i:]) || ParseURL(path[i:]).Web() {
			return i
		}
	}
	return -1
}
