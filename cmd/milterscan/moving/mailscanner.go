package moving

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy/config"
)

// MailScanner takes over a directory with MailScanner.conf, such as a copy of /etc/MailScanner.
func MailScanner(dir string, step func()) (*Result, error) {
	t, err := begin(dir, step)
	if err != nil {
		return nil, err
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &conf{taking: t, dir: full, vars: map[string]string{}, set: map[string]setting{}, said: map[string]bool{},
		kept: map[string][]clause{}}
	if err := c.readConf(mainConf, nil); err != nil {
		t.root.Close()
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, mainConf), err)
	}
	c.unread()
	c.take()
	c.rest()
	return t.end("MailScanner", beyondMailScanner), nil
}

// beyondMailScanner tells what the profile does with mail that no rule made of MailScanner's decides about.
var beyondMailScanner = []string{
	"Mail is refused while its client waits, with a code and a sentence, and nobody is sent a bounce. " +
		"A message that some engine could not look at is deferred, and one that cannot be opened is marked: " +
		"what was not examined does not count as clean.",
	"The profile \"default\" comes after the rules that were taken over. It refuses documents with macros that run " +
		"by themselves and do suspicious things, documents that load a template from elsewhere or hold a program, " +
		"archives that are bombs, messages that only name where their content is, and pieces of messages. " +
		"It marks, by a header field, what else looks suspicious, and mail with malformed structure passes. " +
		"\"milterscan check --effective --rules\" lists all rules; " +
		"profile = \"tag-only\" refuses only what is infected.",
	"Names that deceive are refused whatever lists say: with marks that turn the direction of writing, " +
		"class identifiers, long gaps, control characters, or the extension of a program after that of a document.",
	"The lists of names and contents that are denied are MailScanner's now. " +
		"Those that milterscan is shipped with have more: take the lines deny, deny_old, " +
		"deny_members and deny_contents out of [attachment], and they are in force.",
	"Which mail is yours is for you to say: local.domains and local.networks. " +
		"Until then nothing is refused for being relayed, and recipients get no notices.",
}

// unread notes the files of conf.d that no line includes.
func (c *conf) unread() {
	names, _ := filepath.Glob(filepath.Join(c.dir, "conf.d", "*"))
	included := func(name string) bool {
		for _, s := range c.set {
			if s.at.File == "conf.d/"+name {
				return true
			}
		}
		return slices.ContainsFunc(c.notes, func(n Note) bool { return n.File == "conf.d/"+name })
	}
	for _, full := range names {
		name := filepath.Base(full)
		if name == "README" || included(name) || strings.HasPrefix(name, ".") {
			continue
		}
		if lines, err := c.open("conf.d/" + name); err == nil && slices.ContainsFunc(lines,
			func(l line) bool { return !comment(l.text) && !strings.HasPrefix(l.text, "%") }) {
			c.note(Differs, Place{File: "conf.d/" + name}, "",
				"no line of %s includes this file, so that MailScanner does not read it either", mainConf)
		}
	}
}

// take takes over the settings for which milterscan has rules and settings. The first rule that matches decides,
// so the order counts.
func (c *conf) take() {
	c.out.top.set("profile", "default", "the rules that come after those below")
	relayed := c.out.rule(c.nameRule("relayed"), "milterscan's own: "+
		"no rule below lets mail through for domains that are not yours, once local.domains names yours")
	relayed.words("direction", []string{"relayed"}, "milterscan's own")
	relayed.set("action", "reject", "milterscan's own")
	c.limits()
	c.viruses()
	c.infected()
	c.fileNames()
	c.fileTypes()
	c.blockNames()
	c.content()
	c.spam()
	c.archive()
	c.store()
	c.signatures()
	c.blockedNotes()
}

// signatures takes over the texts that MailScanner puts into mail.
func (c *conf) signatures() {
	sign := c.get("Sign Clean Messages", "no")
	notices := c.get("Notices From", "MailScanner")
	if a := c.single(notices).value; mailbox(a) {
		c.out.table("notices").set("from", a, notices.origin())
		c.done(Taken, notices, "notices.from")
	}
	c.done(Needless, notices, "it is the name of the sender of notices, which have the address of notices.from")
	text, html := c.get("Inline Text Signature", ""), c.get("Inline HTML Signature", "")
	list := c.clauses(sign)
	if is, _ := yes(list[len(list)-1].value); len(list) == 1 && !is {
		for _, s := range []setting{sign, text, html} {
			c.done(Needless, s, "no text is put into mail")
		}
		return
	}
	banner, err := c.banner(text)
	page, errPage := c.banner(html)
	if err != nil {
		c.done(Impossible, sign,
			"the text cannot be read (%v); write it into [[edit.banner]], and banner = \"NAME\" into a rule", err)
		c.done(Impossible, text, "it cannot be read: %v", err)
		c.done(Impossible, html, "it cannot be read: %v", errPage)
		return
	}
	t := c.out.add("edit.banner")
	t.set("name", "signature", text.origin())
	t.set("position", "bottom", text.origin())
	t.words("text", banner, text.origin())
	if errPage == nil {
		t.words("html", page, html.origin())
	}
	for _, l := range list {
		if is, ok := yes(l.value); ok && is {
			rule := c.out.rule(c.nameRule("signature"), l.origin(sign))
			c.write(rule, l.scope, l.origin(sign))
			rule.set("banner", "signature", l.origin(sign))
		} else if !l.scope.everybody() {
			c.note(Differs, l.at, sign.key+" "+l.value,
				"a line after it may let the text be put into the same mail; use not_to in that rule")
		}
	}
	c.done(Differs, sign, "a rule with banner, for all mail that is delivered; signed and encrypted mail gets none")
	c.done(Taken, text, "text of [[edit.banner]]; words between underscores stay as they are")
	if errPage != nil {
		c.done(Impossible, html, "it cannot be read: %v", errPage)
	}
	c.done(Taken, html, "html of [[edit.banner]]")
}

// banner reads a text for [[edit.banner]].
func (c *conf) banner(s setting) ([]string, error) {
	name, err := c.inside(c.single(s).value)
	if s.value == "" {
		return nil, fmt.Errorf("%s is not set", s.key)
	}
	if err != nil {
		return nil, err
	}
	lines, err := c.open(name)
	if err != nil {
		return nil, err
	}
	const most = 200
	if len(lines) == 0 || len(lines) > most {
		return nil, fmt.Errorf("%s has %d lines, where 1 to %d are taken", name, len(lines), most)
	}
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.text
	}
	return texts, nil
}

// rest says what became of all other settings.
func (c *conf) rest() {
	known := knownKeys()
	written := map[string]string{}
	for _, g := range keyGroups {
		for _, key := range g.keys {
			written[normal(key)] = key
		}
	}
	names := slices.Sorted(maps.Keys(known))
	for _, name := range sortedSettings(c.set) {
		s := c.set[name]
		g, ok := known[name]
		switch {
		case c.said[name]:
		case !ok:
			meant := ""
			if near := config.Nearest(name, names); near != "" {
				meant = fmt.Sprintf("; did you mean %q?", written[near])
			}
			c.done(Unclear, s, "MailScanner has no such setting%s", meant)
		case g.how != Needless && g.isOff(s.value):
			c.done(Needless, s, "it is off")
		case g.why == byRule:
			c.done(Needless, s, "another setting says that nothing depends on it")
		case g.off != "" && !g.isOff(s.value):
			how := g.how
			if how == Needless {
				how = Differs
			}
			c.done(how, s, "%s", g.why)
		default:
			c.done(g.how, s, "%s", g.why)
		}
	}
}

// sortedSettings returns the names of settings in their order in the files.
func sortedSettings(set map[string]setting) []string {
	var names []string
	for name := range set {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if c := strings.Compare(set[a].at.File, set[b].at.File); c != 0 {
			return c
		}
		return set[a].at.Line - set[b].at.Line
	})
	return names
}
