package moving

import (
	"math"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// limits takes over sizes, numbers and depths.
func (c *conf) limits() {
	c.messageSize()
	size := c.get("Maximum Attachment Size", "-1")
	if n, err := number(c.single(size).value); err == nil && n > 0 {
		c.out.table("attachment").set("max_size", bytesText(n), size.origin())
		c.done(Taken, size, "attachment.max_size")
	}
	c.done(Needless, size, "it is no limit")
	least := c.get("Minimum Attachment Size", "-1")
	if n, err := number(c.single(least).value); err == nil && n > 0 {
		c.done(Impossible, least, "nothing is refused for being small")
	}
	c.done(Needless, least, "it is no limit")
	count := c.get("Maximum Attachments Per Message", "200")
	if n, err := number(c.single(count).value); err == nil && n >= 0 && n <= 1e6 {
		c.out.table("attachment").raw("max_count", strconv.Itoa(int(n)), count.origin())
		c.done(Taken, count, "attachment.max_count")
	}
	c.done(Unclear, count, "%q is no number of attachments", count.value)
	depth := c.get("Maximum Archive Depth", "2")
	n, err := number(c.single(depth).value)
	switch {
	case err == nil && n >= 1 && n <= 100:
		c.out.table("limits.archive").raw("depth", strconv.Itoa(int(n)), depth.origin())
		c.done(Taken, depth, "limits.archive.depth; what is deeper is refused, as MailScanner blocks it")
	case err == nil && n == 0:
		c.done(Differs, depth, "archives are always opened, since what is in them counts; "+
			"limits.archive.depth is as shipped, and attachment.members says how names in them are judged")
	default:
		c.done(Unclear, depth, "%q is no depth", depth.value)
	}
	c.scanning()
}

// messageSize takes over the largest message, for all and for some.
func (c *conf) messageSize() {
	s := c.get("Maximum Message Size", "0")
	list := c.clauses(s)
	sizes := make([]float64, len(list)) // 0 for no limit
	largest, least := 0.0, math.Inf(1)
	for i, l := range list {
		n, err := number(l.value)
		if err != nil || n < 0 {
			c.about(Unclear, s, l, "it is no size; no limit was made of it")
			n = 0
		}
		sizes[i] = n
		largest = max(largest, n)
		if n > 0 {
			least = min(least, n)
		}
	}
	if largest == 0 {
		c.done(Differs, s, "there is always a limit, limits.message, 64MB as shipped; "+
			"keep it at or above the MTA's own")
		return
	}
	if len(list) > 1 {
		for i, l := range list {
			c.sizeRules(s, l, sizes[i], least)
		}
	}
	if largest > 0 {
		c.out.table("limits").set("message", bytesText(max(largest, 1024)), s.origin())
	}
	c.done(Differs, s, "limits.message for the largest, and rules with min_size: "+
		"larger mail is refused while its client waits, and is not cut out of a message that arrives")
}

// sizeRules writes the limit of one line of a ruleset. Mail within that limit passes, since a line after it
// may have a lower one.
func (c *conf) sizeRules(s setting, l clause, size, least float64) {
	origin := l.origin(s)
	if size > 0 {
		rule := c.out.rule(c.nameRule("too large"), origin)
		c.write(rule, l.scope, origin)
		rule.words("when", []string{anyMail}, origin)
		rule.set("min_size", bytesText(size+1), origin)
		rule.set("action", "reject", origin)
		rule.set("reply", policy.TooLarge.String(), origin)
	}
	if l.scope.everybody() || size > 0 && size <= least {
		return
	}
	rule := c.out.rule(c.nameRule("not too large"), origin)
	c.write(rule, l.scope, origin)
	rule.words("when", []string{anyMail}, origin)
	rule.set("min_size", bytesText(least+1), origin)
	rule.set("action", "deliver", origin)
}

// scanning takes over the exceptions for mail that MailScanner does not scan.
func (c *conf) scanning() {
	s := c.get("Scan Messages", "yes")
	for _, l := range c.clauses(s) {
		is, ok := yes(l.value)
		switch {
		case strings.EqualFold(l.value, "virus"):
		case !ok:
			c.about(Unclear, s, l, "it is neither yes, no nor virus")
			continue
		case is:
			if !l.scope.everybody() {
				c.note(Differs, l.at, s.key+" "+l.value,
					"a line after it may let the same mail pass; if it does, put a rule for this one before it")
			}
			continue
		}
		origin := l.origin(s)
		rule := c.out.rule(c.nameRule("not scanned"), origin)
		c.write(rule, l.scope, origin)
		rule.set("action", "deliver", origin)
	}
	if strings.EqualFold(s.value, "yes") {
		c.done(Taken, s, "all mail is looked at")
	}
	c.done(Differs, s, "mail that MailScanner does not scan is delivered by a rule. "+
		"It is scanned all the same, and not let through if it is infected or if an engine did not answer: "+
		"a rule that names when = [\"infected\", \"failed\"] would do that")
}

// archive takes over the copies of all mail.
func (c *conf) archive() {
	s := c.get("Archive Mail", "")
	for _, l := range c.clauses(s) {
		words := actionWords(l.value)
		if len(words) == 0 || strings.EqualFold(l.value, "no") {
			continue
		}
		var to []string
		keeps := false
		for _, w := range words {
			if mailbox(w) {
				to = append(to, w)
			} else {
				keeps = true
			}
		}
		origin := l.origin(s)
		rule := c.out.rule(c.nameRule("archive"), origin)
		c.write(rule, l.scope, origin)
		if len(to) > 0 {
			rule.words("copy", to, origin)
		}
		if keeps {
			rule.raw("keep", "true", origin)
			c.done(Differs, s, "instead of a file or directory, the quarantine has the copies, for quarantine.keep; "+
				"there is one place for all, quarantine.dir")
		}
	}
	if strings.TrimSpace(s.value) == "" || strings.EqualFold(s.value, "no") {
		c.done(Needless, s, "it is off")
	}
	c.done(Taken, s, "copy of a rule; where rulesets name several, each that matches adds its addresses")
}

// store takes over the place of kept copies.
func (c *conf) store() {
	s := c.get("Quarantine Dir", "/var/spool/MailScanner/quarantine")
	c.done(Differs, s, "milterscan keeps copies in a directory of its own and in a form of its own, quarantine.dir; "+
		"what MailScanner has kept stays where it is")
	header := c.get("Spam Score Header", "X-MailScanner-SpamScore:")
	name := strings.TrimSuffix(strings.TrimSpace(c.single(header).value), ":")
	switch {
	case !c.is("Spam Score", "yes"):
		c.done(Needless, header, "there is no such field, as Spam Score says")
	case !headerName(name):
		c.done(Unclear, header, "it is not the name of a header field")
	case len(c.out.tables) > 0:
		c.out.table("spam").set("score_header", name, header.origin())
		c.done(Differs, header,
			"spam.score_header: the field has the number, a star for each point, and what was found")
	}
	c.done(Taken, c.get("Spam Score", "yes"), "spam.score_header")
}
