package content

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan/format/markup"
)

// linkJudge compares what links say with where they lead.
type linkJudge struct {
	mode        Phishing
	safe, bad   []string
	exempt      map[string]bool
	redirectors []markup.Redirector
	hidden      bool
	more        domains // that are safe, out of files
}

func newLinkJudge(c Config) linkJudge {
	j := linkJudge{mode: c.Phishing, safe: hosts(c.Safe), bad: hosts(c.Bad), exempt: map[string]bool{}, hidden: c.HiddenLinks}
	for _, name := range c.Exempt {
		j.exempt[strings.ToLower(name)] = true
	}
	for _, r := range c.Redirectors {
		j.redirectors = append(j.redirectors, markup.ParseRedirector(r))
	}
	return j
}

// hosts returns the domains of a list as hosts are compared.
func hosts(list []string) []string {
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = markup.ParseURL("//" + strings.TrimLeft(d, ".*@")).Host
	}
	return out
}

// isSafe reports whether links to a host may bear any text.
func (j *linkJudge) isSafe(host string) bool { return listed(j.safe, host) || j.more.has(host) }

// domains are names of domains as hosts are compared. There may be many.
type domains map[string]bool

// has reports whether a host is one of the domains, or below one.
func (d domains) has(host string) bool {
	for len(d) > 0 && host != "" {
		if d[host] {
			return true
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return false
}

// readDomains reads files with a domain on each line. An error names file and line.
func readDomains(files []string) (domains, error) {
	all := domains{}
	var errs []error
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("safe_files: %w", err))
			continue
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			line, _, _ = strings.Cut(strings.TrimPrefix(line, "\ufeff"), "#")
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			if !isDomain(line) {
				errs = append(errs, fmt.Errorf("safe_files: %s:%d: %q is no domain; write one such as \"example.com\"", name, n, line))
				continue
			}
			all[hosts([]string{line})[0]] = true
		}
	}
	return all, errors.Join(errs...)
}

// isDomain reports whether a text can be a domain in a list.
func isDomain(d string) bool {
	u := markup.ParseURL("//" + strings.TrimLeft(d, "."))
	return u.Host != "" && u.Rest == "" && !u.Login && !strings.ContainsAny(d, "/*@ ")
}

func listed(list []string, host string) bool {
	return slices.ContainsFunc(list, func(d string) bool { return markup.Below(host, d) })
}

// judge looks at every link of a page that a reader follows.
func (j *linkJudge) judge(r *report, p *markup.Page) {
	for i, l := range p.Links {
		if !followed(l) {
			continue
		}
		first := markup.ParseLink(l.Target)
		u := markup.Unwrap(first, j.redirectors)
		r.about = markup.Objection{Tag: l.Tag, Link: i, Place: u.Place()}
		switch {
		case u.Active():
			r.addf(ruleLinkScript, "%s leads to %s", said(l), printable(u.Place()))
		case startsProgram(u), isShare(l.Href):
			r.addf(ruleLinkProgram, "%s leads to %s", said(l), printable(u.Place()))
		case l.Where == markup.InText, l.Where == "form":
			j.judgePlace(r, l, first, u)
		case u.Scheme == "mailto":
			j.judgeMailto(r, l, u)
		default:
			j.judgePlace(r, l, first, u)
			j.judgeClaim(r, l, first, u)
		}
	}
}

// followed reports whether a reader, or the page by itself, goes to a link.
func followed(l markup.Link) bool {
	switch l.Where {
	case "iframe", "frame", "embed", "object", "meta":
		return true
	}
	return !l.Fetched() && l.Attr != "ping"
}

// said returns the link as its reader sees it.
func said(l markup.Link) string {
	if l.Text == "" {
		return "a link in <" + string(l.Where) + ">"
	}
	return printable(l.Text)
}

// startsProgram reports links that a mail has no business to hold: to the
// reader's own machine, to shares, to what programs have registered.
func startsProgram(u markup.URL) bool {
	switch u.Scheme {
	case "file", "smb", "search", "search-ms", "msdt", "hcp", "ldap", "shell", "mk", "its", "res", "jnlp", "jnlps":
		return true
	}
	return strings.HasPrefix(u.Scheme, "ms-")
}

// isShare reports whether an address is the path of a share, which Windows opens as it
// opens file:. Browsers take it for a place on the web.
func isShare(address string) bool { return strings.HasPrefix(strings.TrimSpace(address), `\\`) }

// judgePlace looks at where a link leads, whatever it says.
func (j *linkJudge) judgePlace(r *report, l markup.Link, first, u markup.URL) {
	if !u.Web() {
		return
	}
	if listed(j.bad, u.Host) || listed(j.bad, first.Host) {
		if !j.isSafe(u.Host) {
			r.addf(ruleLinkBad, "%s leads to %s", said(l), u.Place())
		}
	}
	if u.Numeric && !plainlyPrivate(u) {
		r.addf(ruleLinkNumeric, "%s leads to %s", said(l), numericPlace(u))
	}
	if u.Login {
		r.addf(ruleLinkUserinfo, "%s leads to %s, with %s before it", said(l), u.Place(), printable(u.User))
	}
	if as, ok := markup.Lookalike(u.Host); ok {
		r.addf(ruleLinkLookalike, "%s leads to %s, which looks like %s and is %s", said(l), markup.Shown(u.Host), as, u.Host)
	}
}

// plainlyPrivate reports an address of the reader's own network, as devices
// there send them, written in the usual way.
func plainlyPrivate(u markup.URL) bool {
	a, err := netip.ParseAddr(u.Host)
	return err == nil && (a.IsPrivate() || a.IsLoopback()) && strings.Trim(u.Written, "[]") == u.Host
}

// numericPlace returns the place with the host as it was written, where that hides it.
func numericPlace(u markup.URL) string {
	if strings.Trim(u.Written, "[]") == u.Host {
		return u.Place()
	}
	return u.Place() + ", written " + printable(u.Written)
}

// judgeClaim compares the place a link's text names with the one it leads to,
// first and at last.
func (j *linkJudge) judgeClaim(r *report, l markup.Link, first, u markup.URL) {
	if !u.Web() || j.mode == PhishingOff {
		return
	}
	claim, ok := j.claim(l.Text, u)
	switch {
	case j.isSafe(u.Host):
	case ok && !j.same(markup.Unwrap(claim, j.redirectors), u) && !j.cut(claim, first):
		r.addf(ruleLinkMismatch, "%s claims %s and leads to %s", said(l), claim.Place(), u.Place())
	case !ok && j.hidden && l.Text != "":
		r.addf(ruleLinkHidden, "%s leads to %s", said(l), u.Place())
	}
}

// claim returns the first place a text names that is no product's name, and not what
// the file is called that the link leads to.
func (j *linkJudge) claim(text string, u markup.URL) (markup.URL, bool) {
	for _, c := range markup.Claims(text) {
		if c.Scheme != "" || c.Rest != "" || !j.exempt[c.Host] && !isFileOf(c, u) {
			return c, true
		}
	}
	return markup.URL{}, false
}

// isFileOf reports whether a bare host is the last piece of a link's path.
func isFileOf(claim, u markup.URL) bool {
	file, _, _ := strings.Cut(u.Rest, "?")
	file, _, _ = strings.Cut(file, "#")
	name, err := url.PathUnescape(path.Base(file))
	return err == nil && name == claim.Written && !strings.HasPrefix(claim.Host, "www.")
}

// cut reports whether a text shows the beginning of the link itself, through a
// redirector whose next place is cut off.
func (j *linkJudge) cut(claim, first markup.URL) bool {
	shown := strings.TrimRight(claim.Rest, "….")
	return claim.Host == first.Host && strings.HasPrefix(first.Rest, shown) && markup.Unwrap(claim, j.redirectors).Host != claim.Host
}

// same reports whether two places are one: by who registered them, or in strict
// mode by host.
func (j *linkJudge) same(a, b markup.URL) bool {
	if j.mode == PhishingStrict {
		return strings.TrimPrefix(a.Host, "www.") == strings.TrimPrefix(b.Host, "www.")
	}
	return markup.Registrable(a.Host) == markup.Registrable(b.Host)
}

// judgeMailto compares the addresses a link's text names with the ones it writes
// to.
func (j *linkJudge) judgeMailto(r *report, l markup.Link, u markup.URL) {
	if u.Address() == "" || j.mode == PhishingOff {
		return
	}
	to, _, _ := strings.Cut(strings.ToLower(u.Rest), "?")
	for _, a := range markup.Addresses(l.Text) {
		if a != u.Address() && !strings.Contains(to, a) {
			r.addf(ruleLinkMailto, "%s claims %s and writes to %s", said(l), a, u.Address())
			return
		}
	}
	if claim, ok := j.claim(l.Text, u); ok && len(markup.Addresses(l.Text)) == 0 && !j.same(claim, u) {
		r.addf(ruleLinkMailto, "%s claims %s and writes to %s", said(l), claim.Place(), u.Address())
	}
}
