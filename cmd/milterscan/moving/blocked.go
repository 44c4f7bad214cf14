package moving

import "strings"

// forbidden are the findings about names and types of files that are blocked.
var forbidden = []string{
	"attachment/name", "attachment/old-name", "attachment/long-name", "attachment/program", "attachment/script",
	"attachment/shortcut", "attachment/disk-image", "attachment/denied-type", "attachment/double-extension",
	"attachment/disguised-name", "attachment/bidi-name", "attachment/blank-name", "attachment/clsid-name",
	"attachment/control-name", "attachment/member-name", "attachment/member-program", "attachment/member-trick",
}

// blocked writes a rule for parts that MailScanner takes out of mail: by findings, or by their types.
func (c *conf) blocked(name string, when, part []string, origin string) *section {
	rule := c.out.rule(c.nameRule(name), origin)
	if len(when) > 0 {
		rule.words("when", when, origin)
	}
	if len(part) > 0 {
		rule.words("part", part, origin)
	}
	tag := c.tag("Filename Modify Subject", "Filename Subject Text", "{Filename?}")
	if !strings.HasPrefix(name, "blocked") {
		tag = c.tag("Content Modify Subject", "Content Subject Text", "{Dangerous Content?}")
	}
	c.takenOut(rule, tag)
	return rule
}

// takenOut writes what MailScanner does with mail from which it takes a part: the rest arrives, with a text in
// place of the part, and the original is kept.
func (c *conf) takenOut(rule *section, tag entry) {
	kept := c.get("Quarantine Infections", "yes")
	keeps := c.is("Quarantine Infections", "yes")
	cleaned := c.get("Deliver Cleaned Messages", "yes")
	switch {
	case c.is("Deliver Cleaned Messages", "yes"):
		rule.set("action", "deliver", cleaned.origin())
		rule.set("edit", "replace", cleaned.origin())
		if tag.value != "" {
			rule.set("tag", tag.value, tag.origin)
		}
		if keeps {
			rule.raw("keep", "true", kept.origin())
		}
	case keeps:
		rule.set("action", "quarantine", kept.origin())
	default:
		rule.set("action", "discard", kept.origin())
	}
	c.notify(rule)
}

// tag returns the mark for a subject.
func (c *conf) tag(modify, text, preset string) entry {
	m, s := c.get(modify, "start"), c.get(text, preset)
	how, why := Taken, "tag of rules"
	if strings.EqualFold(c.single(m).value, "end") {
		how, why = Differs, "the mark is put before the subject, not after it"
	}
	c.done(how, m, "%s", why)
	l := c.single(s)
	c.done(Taken, s, "tag of rules")
	return entry{subjectTag(c.single(m).value, l.value), s.origin()}
}

// notify adds to a rule the notices to administrators.
func (c *conf) notify(rule *section) {
	send, to := c.get("Send Notices", "yes"), c.get("Notices To", "postmaster")
	if !c.is("Send Notices", "yes") {
		c.done(Needless, to, "no notices are sent")
		return
	}
	var list []string
	for _, a := range actionWords(c.single(to).value) {
		if mailbox(a) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		c.done(Impossible, to,
			"a notice goes to an address with a domain; write one into notify of the rules that are to tell")
		c.done(Impossible, send, "there is no address with a domain that would get notices; see Notices To")
		return
	}
	rule.words("notify", list, to.origin())
	c.done(Taken, to, "notify of rules; notices are put together, see docs/notices.md")
	c.done(Taken, send, "notify of rules")
}

// blockedNotes says what became of the settings about blocked parts.
func (c *conf) blockedNotes() {
	c.done(Taken, c.get("Quarantine Infections", "yes"),
		"keep, or action = \"quarantine\", of rules that take parts out")
	c.done(Differs, c.get("Deliver Cleaned Messages", "yes"),
		"edit = \"replace\" of rules. Signed and encrypted mail is never edited, and refused instead, "+
			"so that its sender hears why")
}

// blockNames writes the rule for names and types.
func (c *conf) blockNames() {
	c.blocked("blocked names and types", forbidden, nil, "Filename Rules, Filetype Rules")
}
