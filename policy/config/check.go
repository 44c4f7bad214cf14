package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/scan/contents/virus"
	"github.com/milterscan/milterscan/scan/open/unpack"
	"github.com/milterscan/milterscan/scan/units"
)

// Times of others that ours must fit into.
const (
	mtaGivesUp     = 5 * time.Minute  // Postfix's milter_content_timeout, Sendmail's E
	mtaWantsAWord  = 10 * time.Second // Sendmail's R
	mtaStaysIdle   = 5 * time.Minute  // Postfix's and Sendmail's own wait for a client's next command
	currentVersion = 1
)

// checker is a section that can check its own values. Errors of units.Wrong
// are reported with the line of their key.
type checker interface{ Check() error }

// check looks for values that are wrong by themselves, and for sections that
// contradict each other.
func (b *binder) check(c *Config) {
	b.ask("", c)
	b.checkSections("", reflect.ValueOf(c).Elem())
	b.checkBanners(c)
	b.checkRoom(c)
	b.checkEngines(c)
	b.checkScorers(c)
	b.checkFeeds(c)
	b.checkResolvers(c)
	b.checkMTALog(c)
	b.checkReports(c)
	b.checkPages(c)
	b.checkDigest(c)
	b.checkPeople(c)
}

// checkSections asks every section below v, and every entry of lists of them, to
// check itself. An embedded struct is part of the section around it.
func (b *binder) checkSections(path string, v reflect.Value) {
	for _, f := range reflect.VisibleFields(v.Type()) {
		if key := keyOf(f); key != "" {
			b.checkSection(join(path, key), v.FieldByIndex(f.Index))
		}
	}
}

func (b *binder) checkSection(path string, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct && !isText(v):
		b.ask(path, v.Interface())
		b.checkSections(path, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			b.checkSection(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	}
}

// ask reports what a section says is wrong with it.
func (b *binder) ask(path string, section any) {
	s, ok := section.(checker)
	if !ok {
		return
	}
	for _, f := range units.Faults(s.Check()) {
		key := path
		if f.Key != "" && path != "" {
			key += "." + f.Key
		} else if f.Key != "" {
			key = f.Key
		}
		b.wrong(key, "%s", oneLine(f.What))
	}
}

// Check returns the errors of the keys that are in no section.
func (c *Config) Check() error {
	var check units.Check
	check.If(c.Version != currentVersion, "version", "%d is no version this program knows; write %d", c.Version, currentVersion)
	check.Add(oneOf("profile", c.Profile, policy.Profiles()))
	check.Absolute("feed_dir", c.FeedDir, "/var/lib/milterscan/feeds")
	return check.Err()
}

// Check returns the errors of the section [log].
func (l Log) Check() error {
	var check units.Check
	check.If(l.Output == "", "output", "the log has to go somewhere; write \"stderr\" or the path of a file")
	check.Add(oneOf("level", l.Level, []string{"debug", "info", "warn", "error"}), oneOf("format", l.Format, []string{"json", "console"}))
	return check.Err()
}

// Check returns the errors of the section [milter].
func (m Milter) Check() error {
	var check units.Check
	check.AtLeast("max_connections", m.MaxConnections, 1)
	check.AtLeast("max_recipients", m.MaxRecipients, 1)
	check.If(len(m.Listen) == 0,
		"listen", "no MTA could connect; write at least one address, such as \"unix:/run/milterscan/milter.sock\"")
	check.If(strings.Count(m.SocketOwner, ":") > 1,
		"socket_owner", "%q is no owner; write \"user\", \"user:group\" or \":group\"", m.SocketOwner)
	for key, d := range map[string]units.Duration{"write_timeout": m.WriteTimeout, "progress": m.Progress, "drain": m.Drain} {
		check.If(d == 0, key, "there must be some time; write a duration such as \"5s\"")
	}
	check.If(time.Duration(m.Progress) >= mtaWantsAWord,
		"progress", "%v is too seldom: Sendmail gives up after %v without a word; write less, such as \"5s\"",
		m.Progress, units.Duration(mtaWantsAWord))
	check.If(time.Duration(m.IdleTimeout) <= mtaStaysIdle,
		"idle_timeout", "%v is shorter than the MTA waits for its clients; write more than %v, such as \"2h10m\"",
		m.IdleTimeout, units.Duration(mtaStaysIdle))
	return check.Err()
}

// Check returns the errors of the section [limits].
func (l Limits) Check() error {
	var check units.Check
	for key, n := range map[string]int{
		"parts": l.Parts, "nesting": l.Nesting, "mime.parts": l.MIME.Parts, "mime.depth": l.MIME.Depth, "archive.depth": l.Archive.Depth,
	} {
		check.AtLeast(key, n, 1)
	}
	check.If(l.Time == 0, "time", "no message could be looked at; write a duration such as \"1m\"")
	check.If(time.Duration(l.Time) >= mtaGivesUp,
		"time", "%v is too long: the MTA gives up after %v; write less, such as \"1m\"", l.Time, units.Duration(mtaGivesUp))
	check.If(l.Message == 0, "message", "no message would be small enough; write a size such as \"64MB\"")
	check.If(l.Archive.Member > l.Archive.Expanded,
		"archive.member", "%v for one member is more than limits.archive.expanded, which is %v for all; write at most that",
		l.Archive.Member, l.Archive.Expanded)
	check.If(l.Archive.WordsFor.Go() > unpack.LongestMemory, "archive.words_for",
		"%v is too long to remember what may be passwords; write at most %v",
		l.Archive.WordsFor, units.Duration(unpack.LongestMemory))
	check.If(l.Archive.WordsFor > 0 && !l.Archive.TryWords, "archive.words_for",
		"no words are tried at all; set words = true, or leave it out")
	return check.Err()
}

// checkRoom holds the largest message to the room there is for messages.
func (b *binder) checkRoom(c *Config) {
	if room := c.Spool.Memory + c.Spool.Disk; c.Limits.Message > room {
		b.wrong("limits.message", "a message of %v has no room in the spool, which takes %v; make spool.disk larger", c.Limits.Message, room)
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

// checkEngines holds the virus engines to each other, and each to the time of the
// message it looks at.
func (b *binder) checkEngines(c *Config) {
	seen := map[string]bool{}
	for i, v := range c.Virus {
		path := fmt.Sprintf("virus[%d]", i)
		if seen[v.Name] {
			b.wrong(path+".name", "another engine is called %q; give each its own name", v.Name)
		}
		seen[v.Name] = true
		for _, f := range units.Faults(v.CheckBackup(c.Virus)) {
			b.wrong(path+"."+f.Key, "%s", f.What)
		}
		b.checkEngineTime(path, v, c)
	}
}

// checkEngineTime checks that an engine, and the backups that are asked after it,
// have less time than the message.
func (b *binder) checkEngineTime(path string, v virus.Config, c *Config) {
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
		b.wrong(path+".timeout", "%v for %s is not less than limits.time, which is %v for the whole message; write less, such as %q",
			total, what, c.Limits.Time, share)
	}
}

// oneOf wants one of some words.
func oneOf(key, value string, words []string) error {
	if slices.Contains(words, value) {
		return nil
	}
	hint := "write one of " + strings.Join(words, ", ")
	if best := Nearest(value, words); best != "" {
		hint = "did you mean \"" + best + "\"?"
	}
	return units.Wrong(key, "%q is not known; %s", value, hint)
}

// oneLine puts the text of an error on one line.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }
