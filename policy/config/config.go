// Package config is the configuration file: one documented struct, its
// defaults, and the reader that says everything that is wrong with a file at
// once, each error with its line and what would be right.
package config

import (
	"os"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/policy/feed"
	"github.com/milterscan/milterscan/scan/contents/attachment"
	"github.com/milterscan/milterscan/scan/contents/content"
	"github.com/milterscan/milterscan/scan/contents/document"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/sender/auth"
	"github.com/milterscan/milterscan/scan/sender/bounce"
	"github.com/milterscan/milterscan/scan/sender/contact"
	"github.com/milterscan/milterscan/scan/sender/dns"
	"github.com/milterscan/milterscan/scan/sender/geo"
	"github.com/milterscan/milterscan/scan/sender/greylist"
	"github.com/milterscan/milterscan/scan/sender/rate"
	"github.com/milterscan/milterscan/scan/sender/relay"
	"github.com/milterscan/milterscan/scan/units"
)

// Config is the file. An empty file is valid and equals Default.
type Config struct {
	// The version of this file's format. It changes only when an old file would
	// mean something else.
	Version int `toml:"version"`
	// The rules that come after your own: "default" delivers, or refuses with a
	// reason; "hosting" is for many domains; "tag-only" delivers everything but
	// infected mail, marked; "strict" refuses where "default" marks.
	Profile string `toml:"profile"`

	// The directory with the last good list of each [[feed]].
	FeedDir string `toml:"feed_dir"`

	// The MTA's side: where it connects, and what it may cost.
	Milter Milter `toml:"milter"`
	// Where messages are while they are looked at. A change here, or in [store], needs a
	// restart; everything else is in force after a reload.
	Spool Spool `toml:"spool"`
	// What one message may cost. Reaching a limit is a finding.
	Limits Limits `toml:"limits"`
	// The virus engines; all of them look at every message. The built-in one
	// knows the EICAR test string and lists of hashes, and is always on.
	Virus []virus.Config `toml:"virus"`
	// The names and types of attachments. A pattern is an extension ("exe"), a
	// glob on the name ("invoice*.zip"), a regular expression on it between
	// slashes, or either after "path:" for the names from the outermost
	// attachment inwards ("path:*.eml/**/*.exe").
	Attachment attachment.Config `toml:"attachment"`
	// What makes documents act: macros, fields, objects, actions. Lists of macro
	// words are case-insensitive.
	Document document.Config `toml:"document"`
	// What messages show: links and where they lead, forms, scripts, web bugs.
	Content content.Config `toml:"content"`
	// Lists that others publish, of hosts, URLs, files and networks. They are fetched in the
	// background; the last good one is in force until there is a newer one.
	Feeds []feed.Config `toml:"feed"`
	// The resolvers that checks ask about hosts and domains.
	DNS dns.Config `toml:"dns"`
	// Whether mail comes from the sender it names.
	Auth auth.Config `toml:"auth"`
	// What domains are told about the mail in their name: see docs/dmarc.md.
	DMARC dmarc.Config `toml:"dmarc_reports"`
	// The databases that say where clients are, for rules with "country" or "asn" and for the
	// log. None comes with milterscan.
	Geo geo.Config `toml:"geo"`
	// What clients say about themselves before the message.
	Relay relay.Config `toml:"relay"`
	// Bounces, and how those of your own mail are known: what goes out gets a mark,
	// and what comes back quotes it.
	Bounce bounce.Config `toml:"bounce"`
	// Which senders have written to which recipients before, and which are to try again.
	Greylist greylist.Config `toml:"greylist"`
	// Who has written to whom before.
	Contact contact.Config `toml:"contact"`
	// How many recipients one may send to.
	Rate rate.Config `toml:"rate"`
	// Who asks others whether mail is unsolicited.
	Spam Spam `toml:"spam"`
	// The database in which several hosts share what they keep: see docs/hosts.md. Without
	// it each host keeps all for itself. A change here needs a restart.
	Store Store `toml:"store"`
	// The texts written into messages that rules edit.
	Edit edit.Config `toml:"edit"`
	// Which mail is yours. While this is empty, mail counts as inbound unless its
	// client has authenticated.
	Local Local `toml:"local"`
	// Where copies are kept for rules that ask for it, and for how long. A copy is
	// complete and on the disk before the MTA hears an answer.
	Quarantine Quarantine `toml:"quarantine"`
	// Counters for Prometheus, and for administrators who ask whether the daemon is well.
	Metrics Metrics `toml:"metrics"`
	// The pages for administrators and help desks: search, quarantine, rules.
	Console Console `toml:"console"`
	// The record kept of every message, delivered ones too, for "milterscan
	// explain" and "milterscan report". It never holds up mail.
	History History `toml:"history"`
	// A sample of all mail, for "milterscan replay --sample": what another configuration would
	// have done with the mail of last week. It is off unless you say how much is kept.
	Replay Replay `toml:"replay"`
	// The MTA's log, for what becomes of mail that has passed: "milterscan explain"
	// shows the queue, each attempt and its answer after the verdict. What is read is
	// kept with the history and as long. The daemon's user must be allowed to read it:
	// "milterscan doctor" says how.
	MTALog MTALog `toml:"mta_log"`
	// What our own people are told about mail, in their language: the addresses a
	// rule names in "notify", and recipients whose mail was refused without its
	// sender hearing of it. No notice goes to an address outside.
	Notices Notices `toml:"notices"`
	// How mail that we write reaches the MTA: released messages and notices.
	Submission Submission `toml:"submission"`
	// The log: one line for each message.
	Log Log `toml:"log"`
	// What people may settle for themselves: their lists of senders.
	People People `toml:"people"`
	// What domains may settle for themselves.
	PerDomain PerDomain `toml:"per_domain"`
	// Your own rules. The first that matches decides, for each recipient and each
	// finding by itself. All conditions of a rule must hold; of the values of one
	// condition, one must.
	Rules []Rule `toml:"rule"`
	// Mails, and the decision each must get. They are judged by "milterscan check"
	// and at every reload; if one is judged otherwise, the old configuration stays
	// in force. Nothing is kept, sent or remembered for them.
	Tests []Test `toml:"test"`

	origins  origins
	domains  []domainFile
	off      map[string]policy.DomainSet // the domains that do without a scanner, by its word
	setAside Problems                    // in files of domains that are not used
	without  []policy.Domain             // whose files these are
	cautions []string
}

// Milter is the MTA's side.
type Milter struct {
	// Where the MTA connects to: "unix:/path" or "tcp:host:port", as many as you
	// like. Neither Postfix nor Sendmail can encrypt this connection.
	Listen []Address `toml:"listen"`
	// The access rights of unix sockets, in octal.
	SocketMode FileMode `toml:"socket_mode"`
	// Who owns unix sockets: "user", "user:group" or ":group"; "" for the user
	// the daemon runs as.
	SocketOwner string `toml:"socket_owner"`
	// MTA connections at the same time; further ones wait.
	MaxConnections int `toml:"max_connections"`
	// Recipients of one message; further ones are refused, so that the client
	// sends them in a separate message.
	MaxRecipients int `toml:"max_recipients"`
	// How long a connection may stay idle. It must be longer than the MTA keeps
	// one open between messages: libmilter's own limit is 7,210 seconds.
	IdleTimeout units.Duration `toml:"idle_timeout"`
	// How long the MTA may take to accept an answer.
	WriteTimeout units.Duration `toml:"write_timeout"`
	// How often the MTA is told that a message is still being looked at. Sendmail
	// gives up after 10 seconds without a word.
	Progress units.Duration `toml:"progress"`
	// How long messages in flight have to finish when the daemon is stopped.
	Drain units.Duration `toml:"drain"`
}

// Spool is where messages are while they are looked at.
type Spool struct {
	// The directory for what does not fit into memory; "" for the system's
	// temporary directory. Files in it have no name and vanish with the daemon.
	Dir string `toml:"dir"`
	// Memory for the messages in flight and their decoded parts, all together.
	Memory units.Size `toml:"memory"`
	// Disk space for the same. A message that finds no room is answered with a
	// temporary failure.
	Disk units.Size `toml:"disk"`
}

// Place returns the directory, also where it is the system's.
func (s Spool) Place() string {
	if s.Dir == "" {
		return os.TempDir()
	}
	return s.Dir
}

// Limits bound what one message may cost.
type Limits struct {
	// The largest message that is accepted. Keep it at or above the MTA's own
	// limit, or its users get two different answers.
	Message units.Size `toml:"message"`
	// The time for one message, from its last byte to the answer. The client
	// waits 10 minutes (RFC 5321), Postfix and Sendmail 5 for a milter; the rest
	// is theirs.
	Time units.Duration `toml:"time"`
	// The work of opening one message, that of child processes left out: what a
	// processor takes for it, at fixed prices for bytes, members and objects, so that
	// a busy host makes no difference. Looking into its documents may take what
	// opening left, and half of it at least. The rest is not examined, and said to be
	// so.
	CPU units.Duration `toml:"cpu"`
	// The parts of one message, members of archives included.
	Parts int `toml:"parts"`
	// Messages inside each other.
	Nesting int `toml:"nesting"`
	// The structure of the message itself.
	MIME entity.Limits `toml:"mime"`
	// The archives of one message together.
	Archive archive.Limits `toml:"archive"`
}

// Local says which mail is ours.
type Local struct {
	// The domains you receive mail for; ".example.com" for all subdomains,
	// "file:/path" for a file with one of these on each line. Once there are any,
	// mail from elsewhere to other domains is refused.
	Domains []policy.Domain `toml:"domains"`
	// The networks whose mail is yours, without authentication.
	Networks []policy.Network `toml:"networks"`
	// Hosts that pass on mail from elsewhere, such as a backup MX or a program that
	// fetches mail. What they wrote into Received fields is believed: the client is
	// the first host there that is none of them.
	Relays []policy.Network `toml:"relays"`
}

// Log is the log: one line for each message.
type Log struct {
	// The least level that is written: "debug", "info", "warn" or "error".
	Level string `toml:"level"`
	// "json", or "console" for people.
	Format string `toml:"format"`
	// "stderr", "stdout" or the path of a file, which is opened again at every reload,
	// so that the old one may be renamed.
	Output string `toml:"output"`
}

// Default returns the shipped configuration.
func Default() *Config {
	return &Config{
		Version: 1,
		Profile: policy.ProfileDefault,
		FeedDir: "/var/lib/milterscan/feeds",
		Milter: Milter{
			Listen:         []Address{"unix:/run/milterscan/milter.sock"},
			SocketMode:     0o660,
			MaxConnections: 512,
			MaxRecipients:  1000,
			IdleTimeout:    units.Duration(2*time.Hour + 10*time.Minute),
			WriteTimeout:   units.Duration(10 * time.Second),
			Progress:       units.Duration(5 * time.Second),
			Drain:          units.Duration(30 * time.Second),
		},
		Spool: Spool{Memory: 8 * units.MB, Disk: 4 * units.GB},
		Limits: Limits{
			Message: 64 * units.MB,
			Time:    units.Duration(time.Minute),
			CPU:     units.Duration(time.Second),
			Parts:   10_000,
			Nesting: 20,
			MIME:    entity.DefaultLimits(),
			Archive: archive.Limits{
				Expanded: 256 * units.MB, TryWords: true,
				Member:  128 * units.MB,
				Ratio:   200,
				Entries: 10_000,
				Depth:   8,
			},
		},
		Virus:      virus.Default(),
		Attachment: attachment.DefaultConfig(),
		Document:   document.DefaultConfig(),
		Content:    content.DefaultConfig(),
		Edit:       edit.DefaultConfig(),
		DNS:        dns.DefaultConfig(),
		Auth:       auth.DefaultConfig(),
		DMARC:      dmarc.DefaultConfig(),
		Relay:      relay.DefaultConfig(),
		Bounce:     bounce.DefaultConfig(),
		Greylist:   greylist.DefaultConfig(),
		Contact:    contact.DefaultConfig(),
		Rate:       rate.DefaultConfig(),
		Spam:       defaultSpam(),
		Store:      defaultStore(),
		Quarantine: defaultQuarantine(),
		Console:    defaultConsole(),
		History:    defaultHistory(),
		Replay:     defaultReplay(),
		MTALog:     defaultMTALog(),
		Notices:    defaultNotices(),
		People:     defaultPeople(),
		PerDomain:  defaultPerDomain(),
		Submission: Submission{Via: "smtp:127.0.0.1:25"},
		Log:        Log{Level: "info", Format: "json", Output: "stderr"},
		origins:    origins{},
	}
}
