package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/tell/notify"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan/units"
)

// Quarantine is where copies of messages are kept for rules that ask for it.
type Quarantine struct {
	// The directory, on its own file system if you can: when it is full,
	// mail that must be kept is answered with a temporary failure. No file system
	// of a network.
	Dir string `toml:"dir"`
	// How long a message is kept; "0s" for ever.
	Keep units.Duration `toml:"keep"`
	// How long those of some classes are kept instead. The class is the kind of
	// the finding that decided, or "policy" where a rule did without one:
	// { infected = "14d", policy = "7d" }.
	KeepClass map[string]units.Duration `toml:"keep_class"`
	// The disk space for all messages together; when it is used up, the oldest
	// go. "0B" for no limit.
	Size units.Size `toml:"size"`
	// The file with the key by which released messages are known again; "" for
	// "key" in the directory. It is made if it is not there. Hosts that let pass
	// what another one has released have the same key.
	KeyFile string `toml:"key_file"`
	// Where a message is kept while the database of [store] does not take it: "dir" for
	// the directory "fallback" in dir, from where it is moved when the database is back;
	// "" for nowhere, and mail that must be kept is answered with a temporary failure.
	Fallback string `toml:"fallback"`
}

// The place of messages that the shared database does not take.
const (
	fallbackDir  = "dir"
	fallbackName = "fallback" // of the directory
)

// KeepsHere reports whether this host keeps what the shared database does not take.
func (q Quarantine) KeepsHere() bool { return q.Fallback == fallbackDir }

// Spare returns the directory of what the shared database did not take.
func (q Quarantine) Spare() string { return filepath.Join(q.Dir, fallbackName) }

func defaultQuarantine() Quarantine {
	return Quarantine{
		Dir:       "/var/lib/milterscan/quarantine",
		Keep:      units.Duration(30 * 24 * time.Hour),
		KeepClass: map[string]units.Duration{},
		Size:      10 * units.GB,
	}
}

// Retention returns for how long, and how much, is kept in the quarantine.
func (c *Config) Retention() quarantine.Retention {
	r := quarantine.Retention{Keep: c.Quarantine.Keep.Go(), Classes: map[string]time.Duration{}, Size: int64(c.Quarantine.Size),
		Unasked: quarantine.Unasked{Keep: c.People.Appeal.Keep.Go(), Size: int64(c.People.Appeal.Size)}}
	for class, d := range c.Quarantine.KeepClass {
		r.Classes[class] = d.Go()
	}
	return r
}

// Key returns the path of the key.
func (q Quarantine) Key() string {
	if q.KeyFile != "" {
		return q.KeyFile
	}
	return filepath.Join(q.Dir, "key")
}

// LinkKey returns the path of the key by which links in mail and in replies are known again.
// It is in the same directory as that of passes.
func (q Quarantine) LinkKey() string { return filepath.Join(filepath.Dir(q.Key()), "link-key") }

// History is the section for the record kept of every message.
type History struct {
	// The database, on a file system of this host; "" to remember nothing. Nothing
	// is remembered either while its directory is not there. With [store], records are in
	// the database that hosts share, and only what belongs to this host is beside this file.
	File string `toml:"file"`
	// How long a message is remembered; "0s" for ever.
	Keep units.Duration `toml:"keep"`
	// Records that wait in a file beside it while the database of [store] is away; what
	// there is no more room for is counted and lost.
	Spill units.Size `toml:"spill"`
	// Remember subjects and the names of files.
	Subjects bool `toml:"subjects"`
	// Remember senders, recipients and logins; if not, their domains only.
	Addresses bool `toml:"addresses"`
	// Remember what scanners quote from a message.
	Details bool `toml:"details"`
	// Remember the addresses and names of clients.
	Clients bool `toml:"clients"`
	// Remember the SHA-256 of what a message holds, members of archives included, 64 of a
	// message at most: "milterscan retro" looks for what becomes known later.
	Parts bool `toml:"parts"`
	// Remember the hosts that links lead to, likewise. They are what scanners quote: without
	// details there are none.
	Links bool `toml:"links"`
	// What the daemon looks for in all that when a list changes.
	Retro Retro `toml:"retro"`
}

func defaultHistory() History {
	return History{
		File: "/var/lib/milterscan/history.db", Keep: units.Duration(30 * 24 * time.Hour), Spill: 256 * units.MB,
		Subjects: true, Addresses: true, Details: true, Clients: true, Parts: true, Links: true, Retro: defaultRetro(),
	}
}

// Privacy returns the settings that leave things out of the record.
func (h History) Privacy() history.Privacy {
	return history.Privacy{NoSubjects: !h.Subjects, OnlyDomains: !h.Addresses, NoDetails: !h.Details, NoClientAddrs: !h.Clients}
}

// Submission is how mail that we write reaches the MTA.
type Submission struct {
	// "smtp:host:port", or "sendmail:/usr/sbin/sendmail" for a program that takes
	// sendmail's options. The MTA asks milterscan about this mail like any other.
	Via submission.Way `toml:"via"`
}

// Check returns the errors of the section [quarantine].
func (q Quarantine) Check() error {
	var check units.Check
	check.Absolute("dir", q.Dir, "/var/lib/milterscan/quarantine")
	for class := range q.KeepClass {
		check.Add(oneOf(join("keep_class", class), class, quarantine.Classes()))
	}
	if q.KeyFile != "" {
		check.Absolute("key_file", q.KeyFile, "/etc/milterscan/key")
	}
	if q.Fallback != "" {
		check.Add(oneOf("fallback", q.Fallback, []string{fallbackDir}))
	}
	return check.Err()
}

// leastSpill is how much room there is at least for records while the database is away.
const leastSpill = units.MB

// Check returns the errors of the section [history].
func (h History) Check() error {
	var check units.Check
	if h.File != "" {
		check.Absolute("file", h.File, "/var/lib/milterscan/history.db")
	}
	check.If(h.Spill < leastSpill, "spill", "%v hold too few records; write at least %v, such as \"256MB\"",
		h.Spill, leastSpill)
	return check.Err()
}

// Notices are what our own people are told: the addresses a rule names in
// "notify", and recipients whose mail was refused without its sender hearing of it.
type Notices struct {
	// Where notices wait until the MTA has them. A notice that cannot be put there
	// is logged, and the mail goes on.
	Dir string `toml:"dir"`
	// How many messages may wait to be told about; what comes then is only logged.
	Queue int `toml:"queue"`
	// The address in the From field; "" for postmaster at this host. The envelope
	// has the null sender.
	From string `toml:"from"`
	// The language: "en", "de", "fr", "es", or one that has a template of your own.
	Language string `toml:"language"`
	// The languages of domains that have another: { "example.de" = "de" }.
	Languages map[string]string `toml:"languages"`
	// A directory with your templates: LANGUAGE.txt and LANGUAGE.html; what
	// they define replaces what is shipped. "" for none.
	Templates string `toml:"templates"`
	// The time between two notices to one address: what comes meanwhile is told in
	// one.
	Every units.Duration `toml:"every"`
	// Notices in an hour, to all addresses together.
	PerHour int `toml:"per_hour"`
}

func defaultNotices() Notices {
	return Notices{
		Dir: "/var/lib/milterscan/notices", Queue: 10_000, Language: "en", Languages: map[string]string{},
		Every: units.Duration(15 * time.Minute), PerHour: 500,
	}
}

// LanguageOf returns the language of an address.
func (n Notices) LanguageOf(address string) string {
	domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
	if l, ok := n.Languages[domain]; ok {
		return l
	}
	return n.Language
}

// Local returns the directory of the administrator's templates, nil for none.
func (n Notices) Local() fs.FS {
	if n.Templates == "" {
		return nil
	}
	return os.DirFS(n.Templates)
}

// Check returns the errors of the section [notices].
func (n Notices) Check() error {
	var check units.Check
	check.Absolute("dir", n.Dir, "/var/lib/milterscan/notices")
	check.AtLeast("queue", n.Queue, 1)
	check.AtLeast("per_hour", n.PerHour, 1)
	check.If(strings.ContainsAny(n.From, "\r\n<>") || n.From != "" && !strings.Contains(n.From, "@"),
		"from", "%q is no address; write one such as \"postmaster@example.com\"", n.From)
	languages := notify.Languages()
	if n.Templates != "" { // those that are shipped need no check
		templates, err := notify.NewTemplates(n.Local())
		if err != nil {
			check.Wrong("templates", "%v", err)
			return check.Err()
		}
		languages = templates.Languages()
	}
	check.Add(oneOf("language", n.Language, languages))
	for domain, l := range n.Languages {
		check.Add(oneOf(join("languages", domain), l, languages))
	}
	return check.Err()
}
