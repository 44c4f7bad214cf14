package config

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/address"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
)

// PeoplePages is the section [people.pages].
type PeoplePages struct {
	// How recipients log in: "link", by a link that they are sent; "imap" and "smtp", by the
	// password of their mailbox; "ldap" and "oidc", as in [console]. Empty: not at all.
	Login []string `toml:"login"`
	// The server that is asked for the passwords of mailboxes, by IMAP: "imaps:host:993", or
	// "imap:host:143", where STARTTLS comes first.
	IMAP string `toml:"imap"`
	// The server that is asked for them by SMTP AUTH: "smtp:host:587", where STARTTLS comes first,
	// or "smtps:host:465".
	SMTP string `toml:"smtp"`
	// The authorities for the certificates of these servers, in PEM; "" for those of the system.
	CAFile string `toml:"ca_file"`
	// How long these servers may take.
	Timeout units.Duration `toml:"timeout"`
	// The classes of kept mail that recipients see. They never see infected mail.
	Classes []string `toml:"classes"`
	// Those that they release; of others they may ask for a release.
	Release []string `toml:"release"`
	// Whether recipients may say that kept mail is spam, or is not, from which the
	// scorers learn for everybody: see docs/spam.md. Each may do so fifty times a day.
	Learn bool `toml:"learn"`
	// Who is told by mail that somebody asks for a release.
	Notify []string `toml:"notify"`
}

// LoginWays returns how recipients can log in.
func LoginWays() []string { return []string{"link", "imap", "smtp", "ldap", "oidc"} }

// By reports whether recipients log in one way.
func (p PeoplePages) By(way string) bool { return slices.Contains(p.Login, way) }

func defaultPages() PeoplePages {
	let := []string{"policy", "note", "malformed", "ambiguous", "suspicious"}
	return PeoplePages{Timeout: units.Duration(5 * time.Second), Classes: append(slices.Clone(let), "forbidden"), Release: let}
}

// Check returns the errors of the section [people.pages].
func (p PeoplePages) Check() error {
	var check units.Check
	for i, way := range p.Login {
		check.Add(oneOf(fmt.Sprintf("login[%d]", i), way, LoginWays()))
	}
	check.If(p.By("imap") && p.IMAP == "", "imap", "there is no server to ask; write one such as \"imaps:mail.example.com:993\"")
	check.If(p.By("smtp") && p.SMTP == "", "smtp", "there is no server to ask; write one such as \"smtp:mail.example.com:587\"")
	check.Add(mailServer("imap", p.IMAP, "imap", "imaps"), mailServer("smtp", p.SMTP, "smtp", "smtps"))
	check.If(p.Timeout.Go() < 100*time.Millisecond || p.Timeout.Go() > 30*time.Second,
		"timeout", "%v is not between 100ms and 30s; write one such as \"5s\"", p.Timeout)
	p.checkClasses(&check)
	for i, to := range p.Notify {
		_, err := address.Fold(to)
		check.If(err != nil, fmt.Sprintf("notify[%d]", i), "%v", err)
	}
	if p.CAFile != "" {
		check.Add(units.Within("ca_file", authorities(p.CAFile)))
	}
	return check.Err()
}

// checkClasses returns the errors of the classes that recipients see and release.
func (p PeoplePages) checkClasses(check *units.Check) {
	for key, list := range map[string][]string{"classes": p.Classes, "release": p.Release} {
		for i, class := range list {
			at := fmt.Sprintf("%s[%d]", key, i)
			check.Add(oneOf(at, class, quarantine.Classes()))
			check.If(class == scan.Infected.String(), at, "infected mail is not for recipients; the help desk may release it")
			check.If(key == "release" && !slices.Contains(p.Classes, class), at, "%q is not among classes, so recipients do not see it", class)
		}
	}
}

// mailServer returns an error if a text is no server with one of two schemes.
func mailServer(key, text string, schemes ...string) error {
	if text == "" {
		return nil
	}
	scheme, where, _ := strings.Cut(text, ":")
	host, port, err := net.SplitHostPort(where)
	if err != nil || host == "" || port == "" || !slices.Contains(schemes, scheme) {
		return units.Wrong(key, "%q is no server; write one such as %q", text, schemes[0]+":mail.example.com:143")
	}
	return nil
}

// checkPages wants ways of log-in to have what they need in other sections.
func (b *binder) checkPages(c *Config) {
	p := c.People.Pages
	for way, lacks := range map[string]string{"ldap": c.Console.LDAP.URL, "oidc": c.Console.OIDC.Issuer, "link": c.Console.URL} {
		if p.By(way) && lacks == "" {
			key := map[string]string{"ldap": "console.ldap.url", "oidc": "console.oidc.issuer", "link": "console.url"}[way]
			b.wrong("people.pages.login", "%q needs %s", way, key)
		}
	}
	if len(p.Login) > 0 && len(c.Local.Domains) == 0 {
		b.wrong("people.pages.login", "no address would be one of ours; set local.domains")
	}
}
