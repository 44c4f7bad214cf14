package digest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/letter"
	"github.com/milterscan/milterscan/policy/token"
)

// Page is what templates are filled with. Every text in it that comes from a message is one line
// of printable characters of which clients make no link; the HTML templates escape it as well.
type Page struct {
	Host   string // that sends the digest
	To     string
	Groups []Group // the one with the newest mail first
	Total  int     // mails
	More   int     // that are not listed
	URL    string  // of the page with all of them; "" where there is none
	Until  time.Time
	Good   time.Time // up to when the links are good
}

// Group is the mail for one address that was kept back for one kind of reason.
type Group struct {
	Address string
	Class   string
	Mails   []Mail // the newest first
}

// Mail is one row.
type Mail struct {
	Sender  string // of the envelope; "" for the null sender
	From    string // the author as the message names it
	Subject string
	Class   string // see quarantine.Classes
	Family  string // of the finding it was kept for: "spam", "content"; the name of a rule where it is none
	Time    time.Time
	Size    string
	Look    string // addresses of pages; "" where there is none
	Release string
	Block   string
}

// Templates are the words of digests, by language.
type Templates struct{ *letter.Templates }

// kind is the name of the templates.
const kind = "digest"

// NewTemplates reads the shipped templates, and those in local, if it is not nil, over them: a
// file LANGUAGE.txt or LANGUAGE.html there replaces what it defines, or adds a language. The
// error names every file that cannot be used.
func NewTemplates(local fs.FS) (*Templates, error) {
	t, err := letter.Read(shipped, local, try)
	return &Templates{t}, err
}

// try fills the templates of a language.
func try(fill letter.Fill) error {
	var errs []error
	for _, class := range quarantine.Classes() {
		m := Mail{Sender: "a@example.net", Class: class, Family: "spam", Look: "https://mx.example.com/link/x",
			Release: "https://mx.example.com/link/y", Block: "https://mx.example.com/link/z"}
		p := Page{Host: "mx.example.com", To: "a@example.com", Total: 3, More: 1, URL: "https://mx.example.com/mine",
			Groups: []Group{{Address: "a@example.com", Class: class, Mails: []Mail{m, {}}}}}
		_, err := fill(kind, p)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// compose writes the digest of a person, without the pass that lets it through.
func (t Terms) compose(f folder, id string, now time.Time, key []byte) ([]byte, error) {
	filled, err := t.fill(f, now, key)
	if err != nil {
		return nil, err
	}
	return letter.Letter{From: t.From, To: f.who.Address, Host: t.Host, Kind: kind, ID: id, Date: now.In(f.plan().zone())}.Write(filled)
}

// fill writes the texts of the digest of a person.
func (t Terms) fill(f folder, now time.Time, key []byte) (letter.Filled, error) {
	zone := f.plan().zone()
	p := Page{Host: t.Host, To: address(f.who.Address), Total: f.total, More: f.total - len(f.rows), URL: t.page(), Until: f.until.In(zone),
		Good: now.Add(t.Good).In(zone)}
	for _, r := range f.rows {
		p.add(f.who, r.to, t.mail(r, now, zone, key))
	}
	return t.Templates.Fill(f.who.Language, kind, p)
}

// page returns the address of a person's page, "" where there is none.
func (t Terms) page() string {
	if t.URL == "" || t.Page == "" {
		return ""
	}
	return strings.TrimSuffix(t.URL, "/") + t.Page
}

// add puts a mail into its group.
func (p *Page) add(who Person, to string, m Mail) {
	i := slices.IndexFunc(p.Groups, func(g Group) bool { return g.Address == address(to) && g.Class == m.Class })
	if i < 0 {
		i = len(p.Groups)
		p.Groups = append(p.Groups, Group{Address: address(to), Class: m.Class})
	}
	p.Groups[i].Mails = append(p.Groups[i].Mails, m)
}

// mail returns the row of a kept message for an address.
func (t Terms) mail(r listed, now time.Time, zone *time.Location, key []byte) Mail {
	family, _, _ := strings.Cut(r.Reason, "/")
	m := Mail{Sender: address(r.Sender), From: harmless(r.From, mostOfAddress), Subject: harmless(r.Subject, mostOfSubject), Class: r.Class,
		Family: harmless(family, mostOfAddress), Time: r.Time.In(zone), Size: size(r.Size)}
	link := func(act string) string {
		return strings.TrimSuffix(t.URL, "/") + "/link/" + token.WriteLink(key, token.Link{
			Purpose: token.DigestLink, Address: r.to, ID: r.ID, Act: act,
			Expires: now.Add(t.Good), Nonce: token.NewNonce()})
	}
	if t.URL == "" {
		return m
	}
	m.Look = link(Look)
	if t.Releases(r.Row) {
		m.Release = link(Release)
	}
	if t.Blocks && r.Sender != "" {
		m.Block = link(Block)
	}
	return m
}

// The acts of links in digests.
const (
	Look    = "look"
	Release = "release"
	Block   = "block"
)

// size writes the size of a message.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/(1000*1000))
}

// order puts the newest first.
func order(rows []listed) {
	slices.SortStableFunc(rows, func(a, b listed) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID)) })
}
