package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/units"
)

// Times of others that ours must fit into.
const (
	mtaGivesUp     = 5 * time.Minute  // Postfix's milter_content_timeout, Sendmail's E
	mtaWantsAWord  = 10 * time.Second // Sendmail's R
	mtaStaysIdle   = 5 * time.Minute  // Postfix's and Sendmail's own wait for a client's next command
	currentVersion = 1
)

// check looks for values that are wrong by themselves or contradict each other.
func (b *binder) check(c *Config) {
	if c.Version != currentVersion {
		b.wrong("version", "%d is no version this program knows; write %d", c.Version, currentVersion)
	}
	b.oneOf("profile", c.Profile, policy.Profiles())
	b.oneOf("log.level", c.Log.Level, []string{"debug", "info", "warn", "error"})
	b.oneOf("log.format", c.Log.Format, []string{"json", "console"})
	if c.Log.Output == "" {
		b.wrong("log.output", "the log has to go somewhere; write \"stderr\" or the path of a file")
	}
	if err := c.Attachment.Check(); err != nil {
		b.wrong("attachment", "%v", oneLine(err))
	}
	if err := c.Content.Check(); err != nil {
		b.wrong("content", "%v", oneLine(err))
	}
	if err := c.Edit.Check(); err != nil {
		b.wrong("edit", "%v", oneLine(err))
	}
	b.checkBanners(c)
	b.checkKept(c)
	b.checkMilter(c)
	b.checkLimits(c)
	b.checkVirus(c)
	b.checkNetwork(c)
	b.checkBounce(c)
	b.checkGreylist(c)
	if err := c.Rate.Check(); err != nil {
		b.wrong("rate", "%v", oneLine(err))
	}
}

// checkBanners wants every banner that a rule asks for to be there.
func (b *binder) checkBanners(c *Config) {
	for i, r := range c.Rules {
		for o, path := &r.Outcome, fmt.Sprintf("rule[%d]", i); o != nil; o, path = o.Else, path+".else" {
			known := func(banner edit.Banner) bool { return banner.Name == o.Banner }
			if o.Banner != "" && !slices.ContainsFunc(c.Edit.Banners, known) {
				b.wrong(path+".banner", "there is no banner %q; add it as [[edit.banner]]", o.Banner)
			}
		}
	}
}

// oneOf wants one of some words.
func (b *binder) oneOf(path, value string, words []string) {
	if slices.Contains(words, value) {
		return
	}
	hint := "write one of " + strings.Join(words, ", ")
	if best := nearest(value, words); best != "" {
		hint = "did you mean \"" + best + "\"?"
	}
	b.wrong(path, "%q is not known; %s", value, hint)
}

func (b *binder) checkMilter(c *Config) {
	m := c.Milter
	if len(m.Listen) == 0 {
		b.wrong("milter.listen", "nobody could connect; write at least one address, such as \"unix:/run/milterscan/milter.sock\"")
	}
	if strings.Count(m.SocketOwner, ":") > 1 {
		b.wrong("milter.socket_owner", "%q is no owner; write \"user\", \"user:group\" or \":group\"", m.SocketOwner)
	}
	b.atLeast("milter.max_connections", m.MaxConnections, 1)
	b.atLeast("milter.max_recipients", m.MaxRecipients, 1)
	for key, d := range map[string]units.Duration{
		"milter.write_timeout": m.WriteTimeout, "milter.progress": m.Progress, "milter.drain": m.Drain,
	} {
		if d == 0 {
			b.wrong(key, "there must be some time; write a duration such as \"5s\"")
		}
	}
	if time.Duration(m.Progress) >= mtaWantsAWord {
		b.wrong("milter.progress", "%v is too seldom: Sendmail gives up after %v without a word; write less, such as \"5s\"", m.Progress, units.Duration(mtaWantsAWord))
	}
	if time.Duration(m.IdleTimeout) <= mtaStaysIdle {
		b.wrong("milter.idle_timeout", "%v is shorter than the MTA waits for its clients; write more than %v, such as \"2h10m\"", m.IdleTimeout, units.Duration(mtaStaysIdle))
	}
}

func (b *binder) checkLimits(c *Config) {
	l := c.Limits
	switch {
	case l.Time == 0:
		b.wrong("limits.time", "no message could be looked at; write a duration such as \"1m\"")
	case time.Duration(l.Time) >= mtaGivesUp:
		b.wrong("limits.time", "%v is too long: the MTA gives up after %v; write less, such as \"1m\"", l.Time, units.Duration(mtaGivesUp))
	}
	if l.Message == 0 {
		b.wrong("limits.message", "no message would be small enough; write a size such as \"64MB\"")
	}
	if room := c.Spool.Memory + c.Spool.Disk; l.Message > room {
		b.wrong("limits.message", "a message of %v has no room in the spool, which takes %v; make spool.disk larger", l.Message, room)
	}
	if l.Archive.Member > l.Archive.Expanded {
		b.wrong("limits.archive.member", "%v for one member is more than limits.archive.expanded, which is %v for all; write at most that", l.Archive.Member, l.Archive.Expanded)
	}
	b.atLeast("limits.parts", l.Parts, 1)
	b.atLeast("limits.nesting", l.Nesting, 1)
	b.atLeast("limits.mime.parts", l.MIME.Parts, 1)
	b.atLeast("limits.mime.depth", l.MIME.Depth, 1)
	b.atLeast("limits.archive.depth", l.Archive.Depth, 1)
}

func (b *binder) atLeast(path string, n, least int) {
	if n < least {
		b.wrong(path, "%d is too few; write at least %d", n, least)
	}
}

// checkVirus checks each engine by itself, and that it has less time than the
// message it looks at.
func (b *binder) checkVirus(c *Config) {
	seen := map[string]bool{}
	for i, v := range c.Virus {
		path := fmt.Sprintf("virus[%d]", i)
		if err := v.Check(); err != nil {
			b.wrong(path, "%v", oneLine(err))
		}
		if seen[v.Name] {
			b.wrong(path+".name", "another engine is called %q; give each its own name", v.Name)
		}
		seen[v.Name] = true
		if err := v.CheckBackup(c.Virus); err != nil {
			b.wrong(path, "%v", err)
		}
		b.checkVirusTime(path, v, c)
	}
}

// checkVirusTime checks that an engine, and those that stand in for it after it,
// have less time than the message.
func (b *binder) checkVirusTime(path string, v virus.Config, c *Config) {
	if !v.Asks() || v.BackupFor != "" {
		return
	}
	total, what, share := v.Timeout, "the engine", c.Limits.Time*3/4
	for _, backup := range c.Virus {
		if backup.BackupFor == v.Name {
			total, what, share = total+backup.Timeout, "the engine and its backups", c.Limits.Time*3/8
		}
	}
	if total >= c.Limits.Time {
		b.wrong(path+".timeout", "%v for %s is not less than limits.time, which is %v for the whole message; write less, such as %q", total, what, c.Limits.Time, share)
	}
}

// oneLine puts joined errors on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
