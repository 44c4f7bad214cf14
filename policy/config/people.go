package config

import (
	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/scan/units"
)

// People is what people may settle for themselves.
type People struct {
	// The database of lists, settings and requests of people, on a file system of
	// this host. With store.url hosts share these, and next to this file is what a
	// daemon goes by that begins while the shared database is away.
	File string `toml:"file"`
	// The lists of senders that people allow and block, and who may list whom: see
	// docs/lists.md.
	Lists people.Terms `toml:"lists"`
	// The limits of the score that recipients may set for themselves: see docs/people.md. Rules
	// with "score >= own 6" go by them.
	Score people.Bounds `toml:"score"`
	// The pages of recipients: see docs/people.md.
	Pages PeoplePages `toml:"pages"`
	// The mail by which recipients are told what is kept back from them.
	Digest Digest `toml:"digest"`
	// What is left to administrators of domains: see docs/console-access.md.
	DomainAdmins DomainAdmins `toml:"domain_admins"`
	Directory
	// The sender's way out of a refusal: rules with "appeal" keep a copy of what they
	// refuse, and the reply has a link by which the sender asks the recipient for it.
	Appeal Appeals `toml:"appeal"`
}

func defaultPeople() People {
	return People{File: "/var/lib/milterscan/people.db", Lists: people.DefaultTerms(), Pages: defaultPages(), Digest: defaultDigest(),
		DomainAdmins: defaultDomainAdmins(), Directory: defaultDirectory(), Appeal: defaultAppeals()}
}

// Check returns the errors of the section [people].
func (p People) Check() error {
	var check units.Check
	check.Absolute("file", p.File, "/var/lib/milterscan/people.db")
	p.checkDirectory(&check)
	return check.Err()
}
