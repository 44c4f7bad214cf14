package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/feed"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/content"
	"github.com/milterscan/milterscan/scan/sender/dnslist"
	"github.com/milterscan/milterscan/scan/sender/relay"
)

// runtimeDir is the directory that the service manager makes when the daemon starts.
const runtimeDir = "/run/milterscan"

// Notes returns values and rules that are allowed and are probably mistakes: rules that
// decide less than they say, and sockets that the MTA cannot reach or that all can.
// catalogue lists every finding there is.
func (c *Config) Notes(catalogue []scan.Rule) Problems {
	return slices.Concat(c.listenNotes(), c.scoreNotes(), c.ownNotes(), c.placeNotes(), c.heldNotes(), c.fallbackNotes(),
		c.shadowNotes(catalogue)).sorted()
}

// listenNotes returns a note for each address that the MTA cannot connect to, or that
// hosts elsewhere can connect to.
func (c *Config) listenNotes() (notes Problems) {
	for i, a := range c.Milter.Listen {
		what := publicNote(a)
		if network, path := a.Split(); network == "unix" {
			what = directoryNote(filepath.Dir(path))
		}
		if what != "" {
			key := fmt.Sprintf("milter.listen[%d]", i)
			notes = append(notes, note(cmp.Or(c.origin(key), c.origin("milter.listen")), key, "%s", what))
		}
	}
	return notes
}

func note(at Origin, key, format string, args ...any) Problem {
	return Problem{at.File, at.Line, key, fmt.Sprintf(format, args...)}
}

// directoryNote says why no socket can be made in a directory, "" if one can.
func directoryNote(dir string) string {
	info, err := os.Stat(dir)
	switch {
	case dir == runtimeDir || err == nil && info.IsDir():
		return ""
	case err == nil:
		return dir + " is not a directory, and the daemon cannot listen there; name a file in a directory"
	case os.IsNotExist(err):
		return fmt.Sprintf("directory %s does not exist, and the daemon cannot listen there; make it, and give it to the daemon's user", dir)
	}
	return fmt.Sprintf("whether directory %s exists is not known: %v; run this as root", dir, err)
}

// publicNote says who can connect to a TCP address, "" if only hosts of a private network
// can. The name of a host is not looked up.
func publicNote(a Address) string {
	network, where := a.Split()
	host, _, err := net.SplitHostPort(where)
	if network != "tcp" || err != nil {
		return ""
	}
	const remedy = "neither a password nor encryption protects it; listen on 127.0.0.1, or let a firewall admit the MTA alone"
	ip, err := netip.ParseAddr(host)
	switch ip = ip.Unmap(); {
	case host == "" || err == nil && ip.IsUnspecified():
		return fmt.Sprintf("%s is every address of this host, and any host that reaches it can connect: %s", a, remedy)
	case err == nil && ip.IsGlobalUnicast() && !ip.IsPrivate() && !shared.Contains(ip):
		return fmt.Sprintf("%s is a public address, and any host on the Internet can connect: %s", a, remedy)
	}
	return ""
}

// shared is the address space of providers' own networks (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// scoreNotes returns a note for each rule and setting that rests on a score to which
// nothing that the administrator has configured adds.
func (c *Config) scoreNotes() (notes Problems) {
	if c.scores() {
		return nil
	}
	const unscored = "rests on the score, to which only pages and links add here; name a [[spam.list]], " +
		"spam.spamassassin.address, spam.rspamd.address or scores"
	for _, r := range c.allOwn() {
		g := r.compiled.Grounds
		if slices.ContainsFunc(slices.Concat(g.When, g.Requires, g.Unless), policy.Condition.AboutScore) {
			notes = append(notes, note(r.origin, "rule", "%q %s", r.Name, unscored))
		}
	}
	for key, set := range map[string]bool{
		"spam.score_header":  c.Spam.ScoreHeader != "",
		"greylist.min_score": c.Greylist.Enabled && c.Greylist.MinScore != 0,
		"greylist.max_score": c.Greylist.Enabled && c.Greylist.MaxScore != 0,
	} {
		if set {
			notes = append(notes, note(c.origin(key), key, "it %s", unscored))
		}
	}
	return notes
}

// ownNotes returns a note for rules by the limits of recipients where these can set none, and for limits that
// no rule asks for.
func (c *Config) ownNotes() (notes Problems) {
	asked := false
	for _, r := range c.allOwn() {
		if !r.compiled.Grounds.Own() {
			continue
		}
		asked = true
		if !c.People.Score.On() {
			notes = append(notes, note(r.origin, "rule", "%q goes by limits that recipients set, and they can set none: its own "+
				"number counts for all; say in people.score what they may set", r.Name))
		}
	}
	if !asked && c.People.Score.On() {
		notes = append(notes, note(c.origin("people.score.most"), "people.score.most", "no rule asks for the limits that recipients "+
			"set, so they change nothing; write \"score >= own 6\" into when or requires of one"))
	}
	return notes
}

// fallbackNotes returns a note for a fallback from a database that no message is kept in.
func (c *Config) fallbackNotes() (notes Problems) {
	if c.Quarantine.Fallback != "" && c.Store.URL == "" {
		const key = "quarantine.fallback"
		notes = append(notes, note(c.origin(key), key,
			"it changes nothing without store.url: this host keeps all messages by itself"))
	}
	return notes
}

// scores reports whether a scanner that the administrator has switched on adds to the
// score of messages.
func (c *Config) scores() bool {
	return len(c.Spam.SpamAssassin.Addresses) > 0 || len(c.Spam.Rspamd.Addresses) > 0 ||
		slices.ContainsFunc(c.Spam.Lists, func(l dnslist.List) bool { return l.Score != 0 }) ||
		slices.ContainsFunc(c.Feeds, func(f feed.Config) bool { return f.Score != 0 }) ||
		slices.ContainsFunc(c.Content.Lists, func(l content.List) bool { return l.Score != 0 }) ||
		anyScore(c.Content.Scores) || c.Auth.Enabled() && anyScore(c.Auth.Scores) || c.relayChecked() && anyScore(c.Relay.Scores)
}

// relayChecked reports whether anything that clients say is checked.
func (c *Config) relayChecked() bool {
	return c.Relay.Enabled() || c.Relay.SenderDomain == relay.Auto && len(c.Local.Domains) > 0
}

func anyScore(scores map[string]float64) bool {
	for _, score := range scores {
		if score != 0 {
			return true
		}
	}
	return false
}

// shadowNotes returns a note for each rule after one that delivers all the mail it is for.
// A rule of the site that an earlier one hides altogether is one of the Contradictions.
func (c *Config) shadowNotes(catalogue []scan.Rule) (notes Problems) {
	all := c.allOwn()
	var before policy.Shadows
	for i, r := range all {
		over := before.Over(r.compiled)
		before.Add(i, r.compiled)
		hides := func(earlier int) bool { return all[earlier].compiled.Hides(r.compiled) }
		leaves := func(earlier int) bool { return hides(earlier) || all[earlier].compiled.LeavesGrave(r.compiled) }
		found := slices.IndexFunc(over, leaves)
		overrides := i >= len(c.Rules) && c.PerDomain.overrides(r.compiled)
		if overrides || found < 0 || i < len(c.Rules) && slices.ContainsFunc(over, hides) {
			continue
		}
		first := over[found]
		name, at := all[first].Name, all[first].origin
		grave := func(w policy.Condition) bool { return w.Grave(catalogue) }
		switch when := r.compiled.Grounds.When; {
		case hides(first) || len(when) > 0 && !slices.ContainsFunc(when, grave):
			notes = append(notes, note(r.origin, "rule",
				"%q never decides: all it is for is decided by %q at %s; put it in front of that, or leave it out", r.Name, name, at))
		case len(when) == 0 || !allGrave(when, catalogue):
			notes = append(notes, note(r.origin, "rule",
				"%q decides about viruses and failures only: all else is delivered by %q at %s; put it in front of that", r.Name, name, at))
		}
	}
	return notes
}

// allGrave reports whether each condition can be met by a virus or a failure.
func allGrave(when []policy.Condition, catalogue []scan.Rule) bool {
	return !slices.ContainsFunc(when, func(w policy.Condition) bool { return !w.Grave(catalogue) })
}
