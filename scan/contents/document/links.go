package document

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// reach is how far a target is away.
type reach int

// How far a target can be away.
const (
	here     reach = iota // in the document, or on the reader's own computer
	intranet              // on a server whose name has no domain, as on company networks
	remote                // anywhere
	handler               // no place but a program that is given the rest
)

// handlers are schemes that start a program with what follows, or that hide a
// script in it.
var handlers = []string{
	"ms-msdt:", "search-ms:", "search:", "ms-officecmd:", "ms-appinstaller:", "ms-cxh-full:", "mhtml:", "mk:", "its:", "ms-its:",
	"script:", "scriptlet:", "javascript:", "vbscript:", "jscript:", "shell:", "res:", "about:", "hcp:",
}

// targetOf says how far away a target is, and on which host.
func targetOf(target string) (reach, string) {
	t := strings.ToLower(strings.TrimSpace(target))
	t = strings.Trim(t, "\x00")
	if strings.Contains(t, "!x-usc:") {
		return handler, ""
	}
	for _, h := range handlers {
		if strings.HasPrefix(t, h) && t != "about:blank" {
			return handler, ""
		}
	}
	if scheme, rest, ok := strings.Cut(t, ":"); ok &&
		slices.Contains([]string{"http", "https", "ftp", "ftps", "dav", "davs", "webdav", "smb"}, scheme) {
		return remote, hostOf(strings.TrimLeft(slashes(rest), "/"))
	}
	return share(t)
}

// share reads a path in its many notations: \\host\share, //host/share,
// file://host/share, file:///\\host\share, \\?\UNC\host\share.
func share(t string) (reach, string) {
	path, isFile := strings.CutPrefix(slashes(t), "file:")
	bare := strings.TrimLeft(path, "/")
	depth := len(path) - len(bare)
	bare = strings.TrimPrefix(strings.TrimPrefix(bare, "?/"), "unc/")
	host := hostOf(bare)
	switch {
	case depth < 2, isFile && depth == 3, isDrive(bare), host == "", host == ".", host == "localhost":
		return here, ""
	case !strings.ContainsAny(host, ".@:"):
		return intranet, host
	}
	return remote, host
}

// slashes returns a path with all its escapes undone and all slashes alike.
func slashes(t string) string {
	if plain, err := url.PathUnescape(t); err == nil {
		t = plain
	}
	return strings.ReplaceAll(t, `\`, "/")
}

// isDrive reports whether a path begins with a drive letter.
func isDrive(path string) bool {
	return len(path) >= 2 && (path[1] == ':' || path[1] == '|') && path[0] >= 'a' && path[0] <= 'z'
}

// hostOf returns the host at the start of an address without its scheme, without
// who logs in there. What WebDAV puts after an @ stays.
func hostOf(address string) string {
	if i := strings.IndexAny(address, "/?#"); i >= 0 {
		address = address[:i]
	}
	return address
}

// trusts reports whether documents may load from a host.
func (s *Scanner) trusts(host string) bool {
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	host, _, _ = strings.Cut(host, ":")
	return slices.ContainsFunc(s.trusted, func(t string) bool {
		t = strings.ToLower(t)
		if domain, below := strings.CutPrefix(t, "."); below {
			return host == domain || strings.HasSuffix(host, t)
		}
		return host == t
	})
}

// loads enters a target that a document fetches when it is opened.
func (e *examination) loads(what, target string) {
	where, host := targetOf(target)
	switch {
	case where == handler, where == remote && !e.trusts(host):
		e.report.add(ruleRemoteTemplate, what+" "+quote(target))
	case where != here:
		e.report.add(ruleExternal, what+" "+quote(target))
	}
}

// refers enters a target that documents usually have elsewhere: a picture, a
// table.
func (e *examination) refers(what, target string) {
	switch where, host := targetOf(target); {
	case where == handler, where == remote && tellsPassword(target, host) && !e.trusts(host):
		e.report.add(ruleRemoteTemplate, what+" "+quote(target))
	case where != here:
		e.report.add(ruleExternal, what+" "+quote(target))
	}
}

// tellsPassword reports whether a target is a share of a public address, or one by
// WebDAV: to reach it Windows tells the host the hash of its user's password.
func tellsPassword(target, host string) bool {
	if where, _ := share(strings.ToLower(strings.TrimSpace(target))); where != remote {
		return false
	}
	if strings.Contains(host, "@") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsGlobalUnicast() && !a.IsPrivate()
}
