package moving

import (
	"fmt"
	"strings"
)

// tagSettings are the settings about tags of HTML, with the findings of milterscan for each.
var tagSettings = []struct {
	key, preset string
	found       []string
	soft        bool // signed mail that cannot be disarmed is delivered all the same
}{
	{"Allow IFrame Tags", "disarm", []string{"content/iframe"}, false},
	{"Allow Form Tags", "disarm", []string{"content/form"}, false},
	{"Allow Script Tags", "disarm", []string{"content/script", "content/event-handler", "content/link-script"}, false},
	{"Allow WebBugs", "disarm", []string{"content/web-bug"}, true},
	{"Allow Object Codebase Tags", "disarm", []string{"content/object", "content/applet", "content/embed"}, false},
	{"Allow Partial Messages", "no", []string{"mime/partial"}, false},
	{"Allow External Message Bodies", "no", []string{"mime/external-body"}, false},
	{"Allow Password-Protected Archives", "no", []string{"archive/encrypted-member", "archive/encrypted-names"}, false},
}

// content takes over the settings about the content of messages.
func (c *conf) content() {
	dangerous := c.get("Dangerous Content Scanning", "yes")
	on := c.is("Dangerous Content Scanning", "yes")
	c.done(Taken, dangerous, "the rules about content")
	for _, s := range tagSettings {
		set := c.get(s.key, s.preset)
		if !on {
			c.done(Needless, set,
				"MailScanner does not scan for dangerous content; milterscan marks what it finds by a header field")
			continue
		}
		c.tagRules(set, s.found, s.soft)
	}
	if on {
		c.phishing()
		c.encrypted()
	}
	c.toText()
}

// tagRules writes the rules for one setting: one for each line of its ruleset, and one for all other mail.
func (c *conf) tagRules(s setting, found []string, soft bool) {
	for _, l := range c.clauses(s) {
		origin := l.origin(s)
		name := strings.ToLower(strings.TrimPrefix(s.key, "Allow "))
		switch is, ok := yes(l.value); {
		case ok && is:
			rule := c.out.rule(c.nameRule("allowed "+name), origin)
			c.write(rule, l.scope, origin)
			rule.words("when", found, origin)
			rule.set("action", "deliver", origin)
		case ok && strings.HasPrefix(found[0], "mime/"):
			c.refusal("refused "+name, l, found, origin)
		case ok:
			c.write(c.blocked("unwanted "+name, found, nil, origin), l.scope, origin)
		case strings.EqualFold(l.value, "disarm"):
			rule := c.out.rule(c.nameRule("disarmed "+name), origin)
			c.write(rule, l.scope, origin)
			rule.words("when", found, origin)
			c.disarmed(rule, soft, origin)
		default:
			c.about(Unclear, s, l, "%q is neither yes, no nor disarm; the profile decides", oneLine(l.value))
		}
	}
	switch {
	case strings.HasPrefix(found[0], "mime/"):
		c.done(Differs, s, "where it is not allowed the mail is refused, as there is nothing to deliver")
	case strings.HasPrefix(found[0], "archive/"):
		c.done(Taken, s, "a rule about archive/encrypted-*")
	default:
		c.done(Differs, s, "a rule about %s; signed mail is never edited%s", strings.Join(found, ", "),
			map[bool]string{true: ", and arrives as it is", false: ", and refused"}[soft])
	}
}

// refusal writes a rule that refuses.
func (c *conf) refusal(name string, l clause, found []string, origin string) {
	rule := c.out.rule(c.nameRule(name), origin)
	c.write(rule, l.scope, origin)
	rule.words("when", found, origin)
	rule.set("action", "reject", origin)
}

// disarmed adds the outcome to a rule that disarms. With soft, mail that cannot be edited arrives as it is.
func (c *conf) disarmed(rule *section, soft bool, origin string) {
	rule.set("action", "deliver", origin)
	rule.set("edit", "disarm", origin)
	if tag := c.tag("Disarmed Modify Subject", "Disarmed Subject Text", "{Disarmed}"); tag.value != "" {
		rule.set("tag", tag.value, tag.origin)
	}
	if soft {
		rule.raw("else", "{ action = \"deliver\" }", origin)
	}
}

// phishing takes over the settings about links that mislead.
func (c *conf) phishing() {
	find, strict := c.get("Find Phishing Fraud", "yes"), c.get("Use Stricter Phishing Net", "yes")
	table := c.out.table("content")
	if !c.is("Find Phishing Fraud", "yes") {
		table.set("phishing", "off", find.origin())
		for _, key := range []string{"Use Stricter Phishing Net", "Also Find Numeric Phishing",
			"Highlight Phishing Fraud", "Phishing Modify Subject", "Phishing Subject Text", "Phishing Safe Sites File",
			"Phishing Bad Sites File", "Highlight Mailto Phishing"} {
			c.done(Needless, c.get(key, ""), "MailScanner does not look for phishing")
		}
		c.done(Taken, find, "content.phishing")
		return
	}
	if c.is("Use Stricter Phishing Net", "yes") {
		table.set("phishing", "strict", strict.origin())
	} else {
		table.set("phishing", "domain", strict.origin())
	}
	found := []string{"content/link-mismatch", "content/link-lookalike", "content/link-userinfo", "content/link-bad"}
	if c.is("Also Find Numeric Phishing", "yes") {
		found = append(found, "content/link-numeric")
	}
	if c.is("Highlight Mailto Phishing", "yes") {
		found = append(found, "content/link-mailto")
	}
	rule := c.out.rule(c.nameRule("phishing"), find.origin())
	rule.words("when", found, find.origin())
	rule.set("action", "deliver", find.origin())
	if highlight := c.get("Highlight Phishing Fraud", "yes"); c.is("Highlight Phishing Fraud", "yes") {
		rule.set("edit", "disarm", highlight.origin())
		rule.raw("else", "{ action = \"deliver\" }", highlight.origin())
	}
	modify, text := c.get("Phishing Modify Subject", "no"), c.get("Phishing Subject Text", "{Fraud?}")
	if tag := subjectTag(c.single(modify).value, c.single(text).value); tag != "" {
		rule.set("tag", tag, text.origin())
	}
	for _, key := range []string{"Use Stricter Phishing Net", "Also Find Numeric Phishing", "Phishing Modify Subject",
		"Phishing Subject Text", "Highlight Mailto Phishing"} {
		c.done(Taken, c.get(key, ""), "content.phishing and the rule \"phishing\"")
	}
	c.done(Differs, c.get("Highlight Phishing Fraud", ""), "edit = \"disarm\" puts where a link leads before it; "+
		"links to bad sites are taken away, and signed mail is left as it is")
	c.done(Taken, find, "content.phishing and the rule \"phishing\"")
	c.sites()
}

// sites takes over the lists of sites.
func (c *conf) sites() {
	safe, bad := c.get("Phishing Safe Sites File", systemDir+"/phishing.safe.sites.conf"),
		c.get("Phishing Bad Sites File", systemDir+"/phishing.bad.sites.conf")
	const most = 1000 // of bad sites, which are in the configuration itself
	if list, err := c.domains(safe); err != nil {
		c.done(Unclear, safe, "the list cannot be read: %v", err)
	} else if len(list) > 0 {
		var b strings.Builder
		fmt.Fprintf(&b, "# Of %s\n", oneLine(safe.origin()))
		for _, e := range list {
			fmt.Fprintf(&b, "%s  # %s\n", e.value, e.origin)
		}
		c.out.table("content").words("safe_files",
			[]string{outputMark + "/" + c.list("safe-sites", b.String())}, safe.origin())
		c.done(Taken, safe, "content.safe_files: %d domains, beside those that milterscan is shipped with; "+
			"the path is where this was written, to be changed when it is moved", len(list))
	}
	c.done(Needless, safe, "its list is empty")
	list, err := c.domains(bad)
	switch {
	case err != nil:
		c.done(Unclear, bad, "the list cannot be read: %v", err)
	case len(list) > most:
		c.done(Impossible, bad, "it has %d sites, more than the %d that are taken into content.bad; "+
			"have lists of bad sites fetched by [[feed]], which docs/feeds.md explains",
			len(list), most)
	case len(list) > 0:
		c.out.table("content").entries("bad", list, bad.origin())
		c.done(Taken, bad, "content.bad")
	}
	c.done(Needless, bad, "its list is empty")
}

// domains reads a list of domains. Not every host has the file that is MailScanner's own value.
func (c *conf) domains(s setting) (list []entry, err error) {
	name, err := c.inside(s.value)
	var lines []line
	if err == nil {
		lines, err = c.open(name)
	}
	if err != nil {
		if s.at.File == "" {
			err = nil
		}
		return nil, err
	}
	for _, l := range lines {
		text := strings.ToLower(withoutComment(l.text))
		if text = strings.TrimPrefix(text, "*."); text == "" {
			continue
		}
		if !zoneName(text) {
			c.note(Unclear, l.at, l.text, "the line is not the name of a site")
			continue
		}
		list = append(list, entry{text, l.at.String()})
	}
	return list, nil
}

// encrypted takes over the refusal of encrypted mail.
func (c *conf) encrypted() {
	s := c.get("Block Encrypted Messages", "no")
	for _, l := range c.clauses(s) {
		if is, ok := yes(l.value); ok && is {
			c.refusal("encrypted messages", l, []string{"mime/encrypted"}, l.origin(s))
		}
	}
	if c.last(s).value == "no" && len(c.clauses(s)) == 1 {
		c.done(Needless, s, "it is off")
	}
	c.done(Differs, s, "a rule about mime/encrypted that refuses: there is nothing else to deliver")
}

// toText takes over the setting that turns pages into plain text.
func (c *conf) toText() {
	s := c.get("Convert Dangerous HTML To Text", "no")
	for _, l := range c.clauses(s) {
		if is, ok := yes(l.value); !ok || !is {
			continue
		}
		origin := l.origin(s)
		rule := c.out.rule(c.nameRule("dangerous pages as text"), origin)
		c.write(rule, l.scope, origin)
		rule.words("when", []string{"content/iframe", "content/form", "content/script", "content/object",
			"content/applet", "content/embed"}, origin)
		rule.set("action", "deliver", origin)
		rule.set("edit", "text", origin)
	}
	if len(c.clauses(s)) == 1 {
		if is, ok := yes(s.value); ok && !is {
			c.done(Needless, s, "it is off")
		}
	}
	c.done(Differs, s, "a rule with edit = \"text\", after those for single tags: which of them decides comes first")
}
