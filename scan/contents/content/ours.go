package content

import (
	"errors"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/format/skeleton"
)

// ours are our people and domains, against which mail from elsewhere is compared.
type ours struct {
	trusted    func(scan.Envelope) bool // reports mail from our clients
	domains    ownDomains
	neighbours domains // that may look like ours
	called     []Called
}

func newOurs(c Config, w With) (ours, error) {
	known, err := readNames(c.NameFiles)
	if err != nil {
		return ours{}, err
	}
	o := ours{trusted: w.Trusted, domains: newOwnDomains(w.Domains), neighbours: domains{}}
	for _, d := range hosts(c.Neighbours) {
		o.neighbours[d] = true
	}
	if o.trusted == nil {
		o.trusted = func(scan.Envelope) bool { return false }
	}
	if len(known) > 0 {
		o.called = append(o.called, known.called)
	}
	if w.Called != nil {
		o.called = append(o.called, w.Called)
	}
	return o, nil
}

// claims are who a message says it is from: addresses, and their hosts.
type claims struct {
	authors, replies []entity.Mailbox
	sender           string // the host of the envelope's
}

// claimsOf reads who a message says it is from.
func claimsOf(m *scan.Message) claims {
	return claims{mailboxes(m, "From"), mailboxes(m, "Reply-To"), hostOf(m.Envelope.Sender)}
}

// mostMailboxes bounds the addresses of a kind of field that are looked at, from the first
// on, which clients show.
const mostMailboxes = 100

// mailboxes returns the addresses of all fields of a name.
func mailboxes(m *scan.Message, field string) (list []entity.Mailbox) {
	for _, value := range m.Root.Header.Values(field) {
		list = append(list, entity.Mailboxes(value[:min(len(value), longestFrom)])...)
		if len(list) >= mostMailboxes {
			return list[:mostMailboxes]
		}
	}
	return list
}

// hostOf returns the host of an address, "" if it has none.
func hostOf(address string) string {
	if !strings.Contains(address, "@") {
		return ""
	}
	return markup.ParseURL("mailto:" + address).Host
}

// judge compares who a message says it is from with who we are. What our own clients send is
// not compared.
func (o *ours) judge(b *book, m *scan.Message) {
	if m.Root == nil || o.trusted(m.Envelope) {
		return
	}
	c := claimsOf(m)
	r := b.page(scan.WholeMessage)
	for _, a := range c.authors {
		o.judgeName(r, a)
	}
	o.judgeHosts(r, c)
	o.judgeReplies(r, c, m)
}

// judgeName reports an author from elsewhere who is called as one of ours.
func (o *ours) judgeName(r *report, a entity.Mailbox) {
	if len(o.called) == 0 || o.domains.has(hostOf(a.Address)) {
		return
	}
	name := strings.TrimSpace(entity.DecodeWords(a.Name))
	forms := skeleton.Names(name)
	if len(forms) == 0 {
		return
	}
	person, err := o.who(forms, a.Address)
	switch {
	case person != "":
		r.addf(ruleImpersonation, "the author is called %s, as %s of ours is, and writes from %s",
			printable(name), printable(person), printable(a.Address))
	case err != nil:
		r.addf(ruleNamesUnknown, "whether one of ours is called %s: %v", printable(name), err)
	}
}

// who returns one of ours who has one of some names, "" if there is none or the address is
// such a person's.
func (o *ours) who(forms []string, address string) (person string, err error) {
	var errs []error
	for _, called := range o.called {
		as, ok, own, err := called(forms, address)
		if own {
			return "", nil
		}
		if ok && person == "" {
			person = as
		}
		errs = append(errs, err)
	}
	return person, errors.Join(errs...)
}

// judgeHosts reports hosts that could be taken for one of ours.
func (o *ours) judgeHosts(r *report, c claims) {
	seen := map[string]bool{}
	look := func(host, what string) {
		if host == "" || seen[host] || o.neighbours.has(host) {
			return
		}
		seen[host] = true
		if site, why := o.domains.like(host); site != "" {
			r.addf(ruleLookalikeDomain, "%s, %s, %s %s", printable(markup.Shown(host)), what, why, site)
		}
	}
	for _, a := range c.authors {
		look(hostOf(a.Address), "the author's")
	}
	for _, a := range c.replies {
		look(hostOf(a.Address), "to which replies go")
	}
	look(c.sender, "the sender's")
}

// judgeReplies reports replies that go to others than those who say that they write: than
// one of ours, or than both the author and the sender of a mail that was written to persons
// and not to a list.
func (o *ours) judgeReplies(r *report, c claims, m *scan.Message) {
	authors, replies := sitesOf(c.authors), sitesOf(c.replies)
	if len(authors) == 0 || slices.ContainsFunc(replies, func(s string) bool { return slices.Contains(authors, s) }) {
		return
	}
	sender := markup.Registrable(c.sender)
	isOurs := func(site string) bool { return o.domains.sites[site] }
	switch {
	case len(replies) == 0, slices.ContainsFunc(replies, isOurs):
	case slices.ContainsFunc(authors, isOurs) && !toList(m, replies):
		r.addf(ruleReplyTo, "the author is of %s, which is ours, and replies go to %s", authors[0], replies[0])
	case sender != "" && !slices.Contains(authors, sender) && !slices.Contains(replies, sender) && !toMany(m):
		r.addf(ruleReplyTo, "the author is of %s, the sender of %s, and replies go to %s", authors[0], sender, replies[0])
	}
}

// sitesOf returns the registered domains of addresses.
func sitesOf(list []entity.Mailbox) (sites []string) {
	for _, a := range list {
		if host := hostOf(a.Address); host != "" {
			sites = append(sites, markup.Registrable(host))
		}
	}
	return sites
}

// toList reports whether a message says that it comes over a list that has a place to which
// replies go: mail of ours comes back so.
func toList(m *scan.Message, replies []string) bool {
	for _, name := range [...]string{"List-Id", "List-Post"} {
		for _, value := range m.Root.Header.Values(name) {
			value = strings.TrimRight(value[:min(len(value), longestFrom)], "> \t")
			at := strings.LastIndexAny(value, "<@ :")
			if slices.Contains(replies, markup.Registrable(markup.ASCII(value[at+1:]))) {
				return true
			}
		}
	}
	return false
}

// toMany reports whether a message says that it goes to many, or that a program wrote it.
// Services that send for others have replies go where these want them.
func toMany(m *scan.Message) bool {
	marks := [...]string{"List-Id", "List-Post", "List-Unsubscribe", "Precedence", "Auto-Submitted", "Feedback-ID"}
	for _, name := range marks {
		if len(m.Root.Header.Values(name)) > 0 {
			return true
		}
	}
	return false
}
