package content

import (
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/format/picture"
	"github.com/milterscan/milterscan/scan/open/texts"
)

// littleText is how many letters a message shows at most that holds little but its codes.
const littleText = 200

// judgeCodes looks at the links that codes in pictures hold. Telephones follow them, where
// no filter of the office sees it.
func (s *Scanner) judgeCodes(b *book, m *scan.Message, all *texts.Texts) {
	isCode := func(t texts.Text) bool { return t.Form == texts.QR }
	if slices.ContainsFunc(all.Texts, isCode) {
		s.judgeCodeLinks(b, m, all)
	}
	for _, o := range all.Obscure {
		as := ruleQRUnread
		if o.What == picture.Unsupported || o.What == picture.Broken {
			as = ruleQRUnsupported
		}
		b.page(o.Part).add(as, string(o.What)+": "+cutText(o.Why))
	}
}

// judgeCodeLinks judges where codes lead.
func (s *Scanner) judgeCodeLinks(b *book, m *scan.Message, all *texts.Texts) {
	known := knownHosts(m, all)
	shown := 0
	for _, t := range all.Texts {
		if t.Place == texts.Body && t.Form != texts.QR {
			shown += t.Letters
		}
	}
	for _, t := range all.Texts {
		if t.Form != texts.QR {
			continue
		}
		r := b.page(t.Part)
		s.links.judge(r, t.Page)
		for _, l := range t.Page.Links {
			u := markup.Unwrap(markup.ParseLink(l.Target), s.links.redirectors)
			if !u.Web() || s.links.isSafe(u.Host) {
				continue
			}
			r.addf(ruleQRLink, "a code in a picture leads to %s", u.Place())
			if known[markup.Registrable(u.Host)] {
				continue
			}
			switch {
			case shown < littleText:
				r.addf(ruleQRLure, "a code leads to %s, and the message shows little else: %d letters", u.Place(), shown)
			case m.Envelope.AuthUser == "":
				r.addf(ruleQRLure, "a code leads to %s, of which nothing else in the message tells, and its sender is not one of ours", u.Place())
			}
		}
	}
}

// cutText keeps a detail short.
func cutText(s string) string { return s[:min(len(s), quoted)] }

// knownHosts returns the registered domains that a message names in addition to what its
// codes hold: those of its author and sender, and of its other links.
func knownHosts(m *scan.Message, all *texts.Texts) map[string]bool {
	known := map[string]bool{}
	add := func(address string) {
		if _, domain, ok := strings.Cut(address, "@"); ok && domain != "" {
			known[markup.Registrable(markup.ParseURL("//"+domain).Host)] = true
		}
	}
	add(m.Envelope.Sender)
	for _, field := range m.Header.Values("From") {
		for _, a := range entity.Mailboxes(field[:min(len(field), longestFrom)]) {
			add(a.Address)
		}
	}
	for t, l := range all.Links() {
		if u := markup.ParseLink(l.Target); t.Form != texts.QR && u.Web() && !l.Hidden {
			known[markup.Registrable(u.Host)] = true
		}
	}
	delete(known, "")
	return known
}
