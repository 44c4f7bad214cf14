package markup

import (
	"net/url"
	"strings"
)

// URL is an address as a browser takes it apart (WHATWG URL), whose leniency is
// what deceit is made of: "http:\\bank.com@0x7f.1" is a place too.
type URL struct {
	Scheme string // lower case; "" where there is none
	User   string // the text before "@", percent-decoded; of a mailto, all of the address before its domain
	Host   string // as a browser connects to it: A-labels in lower case, IPv4 in four decimal numbers, IPv6 without brackets
	Port   string // without the default of the scheme
	Rest   string // path, query and fragment; of a scheme without host, all after the colon

	Login   bool   // userinfo is before the host, as no honest link has it
	Numeric bool   // the host is an address, however written
	Written string // the host as it was written
}

// ParseURL takes an address apart. It always gives an answer: for a text that is no
// address, a URL with nothing but Rest.
func ParseURL(s string) URL {
	s = trimURL(s)
	scheme, rest := splitScheme(s)
	switch {
	case scheme == "mailto":
		return parseMailto(rest)
	case scheme != "" && !special(scheme):
		return URL{Scheme: scheme, Rest: rest}
	case scheme == "" && !strings.HasPrefix(slashes(s), "//"):
		return URL{Rest: s}
	}
	u := URL{Scheme: scheme}
	u.parseAuthority(strings.TrimLeft(rest, "/\\"))
	return u
}

// ParseLink takes the address of a link apart as ParseURL does. Clients take one that
// begins like a host, "www.example.com/a" without a scheme, for that host.
func ParseLink(s string) URL {
	u := ParseURL(s)
	if u.Scheme != "" || u.Host != "" {
		return u
	}
	if p, how := place(u.Rest); how != not {
		return p
	}
	return u
}

// slashes makes backslashes slashes, as browsers do.
func slashes(s string) string { return strings.ReplaceAll(s, "\\", "/") }

// trimURL takes off what browsers ignore: control characters and blanks around,
// tabs and line ends anywhere (WHATWG URL, section 4.4).
func trimURL(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if !strings.ContainsAny(s, "\t\r\n") {
		return s
	}
	return strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(s)
}

// splitScheme splits at the colon, if the text before it is a scheme
// (RFC 3986, section 3.1).
func splitScheme(s string) (scheme, rest string) {
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.'):
		case i > 0 && s[i] == ':':
			return strings.ToLower(s[:i]), s[i+1:]
		default:
			return "", s
		}
	}
	return "", s
}

// defaultPort returns the port of a scheme whose addresses have a host; ok only for these.
func defaultPort(scheme string) (port string, ok bool) {
	switch scheme {
	case "":
		return "", true
	case "http", "ws":
		return "80", true
	case "https", "wss":
		return "443", true
	case "ftp":
		return "21", true
	}
	return "", false
}

func special(scheme string) bool { _, ok := defaultPort(scheme); return ok }

// parseAuthority reads what follows the slashes.
func (u *URL) parseAuthority(s string) {
	end := strings.IndexAny(s, "/\\?#")
	if end < 0 {
		end = len(s)
	}
	authority := s[:end]
	u.Rest = s[end:]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		u.Login, u.User = true, unescapePercent(authority[:at])
		authority = authority[at+1:]
	}
	host, port := splitPort(authority)
	u.Written = host
	u.Host, u.Numeric = canonicalHost(host)
	if usual, _ := defaultPort(u.Scheme); port != usual {
		u.Port = port
	}
}

// splitPort splits at the last colon, unless it is one of an IPv6 address.
func splitPort(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.Contains(s[i:], "]") || strings.TrimLeft(s[i+1:], "0123456789") != "" {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// parseMailto reads the first address of a mailto (RFC 6068).
func parseMailto(s string) URL {
	u := URL{Scheme: "mailto", Rest: s}
	to, _, _ := strings.Cut(s, "?")
	to, _, _ = strings.Cut(unescapePercent(to), ",")
	at := strings.LastIndexByte(to, '@')
	if at < 0 {
		return u
	}
	to = strings.TrimSuffix(strings.TrimSpace(to), ">")
	if open := strings.LastIndexByte(to, '<'); open >= 0 {
		to = to[open+1:]
	}
	if at = strings.LastIndexByte(to, '@'); at >= 0 {
		u.User, u.Written = to[:at], to[at+1:]
		u.Host, _ = canonicalHost(u.Written)
	}
	return u
}

// unescapePercent decodes percent escapes and keeps all other text.
func unescapePercent(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b.WriteByte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// Address returns the mailbox of a mailto in lower case, "" for any other URL.
func (u URL) Address() string {
	if u.Scheme != "mailto" || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.User) + "@" + u.Host
}

// Web reports whether following the link opens a page somewhere.
func (u URL) Web() bool { return u.Host != "" && special(u.Scheme) }

// Active reports whether the link runs a script or holds a page itself instead of
// leading to one.
func (u URL) Active() bool {
	switch u.Scheme {
	case "javascript", "vbscript", "livescript", "mocha", "jscript", "data", "view-source", "mhtml", "jar":
		return true
	}
	return false
}

// Query returns the first value of a parameter, decoded, or "".
func (u URL) Query(name string) string {
	_, query, _ := strings.Cut(u.Rest, "?")
	query, _, _ = strings.Cut(query, "#")
	for len(query) > 0 {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(unescapePercent(key), name) {
			return unescapePercent(strings.ReplaceAll(value, "+", " "))
		}
	}
	return ""
}

// Place returns where the link leads, short enough for a log: scheme, host and port.
func (u URL) Place() string {
	switch {
	case u.Scheme == "mailto":
		return "mailto:" + u.Address()
	case u.Host == "":
		return u.Scheme + ":" + cutTo(u.Rest, 40)
	case u.Port != "":
		return u.Host + ":" + u.Port
	}
	return u.Host
}

// cutTo cuts s to n bytes at most.
func cutTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// Resolve gives a link that is relative the place of the base; others stay as
// they are.
func Resolve(base, href string) string {
	href = trimURL(href)
	if base == "" || href == "" {
		return href
	}
	if scheme, _ := splitScheme(href); scheme != "" {
		return href
	}
	b, err := url.Parse(slashes(trimURL(base)))
	if err != nil || !b.IsAbs() || b.Host == "" {
		return href
	}
	h, err := url.Parse(slashes(href))
	if err != nil {
		return b.Scheme + "://" + b.Host + "/" + strings.TrimLeft(href, "/\\")
	}
	return b.ResolveReference(h).String()
}
