package moving

import (
	"fmt"
	"strconv"
	"strings"
)

// The settings that decide about spam, in the order in which spamRules goes through their values.
const (
	dimChecks = iota
	dimWhite
	dimBlack
	dimBlackIsHigh
	dimSpamActions
	dimHighActions
	dimModify
	dimText
	dimHighModify
	dimHighText
	dimRequired // from here on it is about mail that no list says is spam
	dimHigh
	dims
)

// spamRules makes the rules about spam: for each combination of the lines of rulesets, in their order,
// a rule for spam, and one for mail with a high score.
type spamRules struct {
	*conf
	settings [dims]setting
	lists    [dims][]clause
	assassin bool    // SpamAssassin is asked
	onLists  bool    // DNS lists are asked
	needed   float64 // lists that make spam
	cases    int
	full     bool // there are more combinations than maxCases, and the report says so
}

// Bounds of the combinations.
const (
	maxCases    = 2000
	maxCompared = 20_000_000 // pairs of entries of the lists of two rulesets
)

// spam takes over the settings about spam.
func (c *conf) spam() {
	g := &spamRules{conf: c}
	for i, s := range [dims]setting{
		c.get("Spam Checks", "yes"), c.get("Is Definitely Not Spam", "no"), c.get("Is Definitely Spam", "no"),
		c.get("Definite Spam Is High Scoring", "no"), c.get("Spam Actions", "deliver"),
		c.get("High Scoring Spam Actions", "deliver"), c.get("Spam Modify Subject", "start"),
		c.get("Spam Subject Text", "{Spam?}"),
		c.get("High Scoring Spam Modify Subject", "start"), c.get("High Scoring Spam Subject Text", "{Spam?}"),
		c.get("Required SpamAssassin Score", "6"), c.get("High SpamAssassin Score", "10"),
	} {
		g.settings[i], g.lists[i] = s, c.clauses(s)
	}
	g.assassin = c.useAssassin()
	g.onLists = c.dnsLists(&g.needed)
	g.level(scope{}, 0, nil)
	c.ham(g)
	g.reports()
}

// level goes through the values of one setting, for the mail that the ones before it are for.
func (g *spamRules) level(within scope, i int, picked []clause) {
	if i == dimRequired {
		if black, _ := yes(picked[dimBlack].value); black {
			g.listed(within, picked)
			return
		}
	}
	if i == dims {
		g.block(within, picked)
		return
	}
	for _, l := range g.lists[i] {
		if g.full {
			return
		}
		if g.cases == maxCases || within.pairs(l.scope) > maxCompared {
			g.full = true
			g.note(Impossible, l.at, g.settings[i].text(), "the rulesets about spam have more than %d combinations, "+
				"or lists of thousands that are compared with each other; the rest was left out", maxCases)
			return
		}
		s, some := within.within(l.scope)
		if !some {
			continue
		}
		g.cases++
		is, ok := yes(l.value)
		switch {
		case i == dimChecks && ok && !is:
			g.pass("no spam checks", s, l.origin(g.settings[i]))
		case i == dimWhite && ok && is:
			g.pass("definitely not spam", s, l.origin(g.settings[i]))
		default:
			g.level(s, i+1, append(picked[:len(picked):len(picked)], l))
		}
	}
}

// anyMail is a condition that holds for every message, and for no finding.
const anyMail = "score > -1000000"

// pass writes a rule for mail that does not count as spam, whatever the findings about spam.
func (g *spamRules) pass(name string, s scope, origin string) {
	if !g.assassin && !g.onLists && len(g.lists[dimBlack]) == 1 {
		return
	}
	rule := g.out.rule(g.nameRule(name), origin)
	g.write(rule, s, origin)
	rule.words("when", []string{"spam/*", anyMail}, origin)
	rule.set("action", "deliver", origin)
}

// spamWhen returns the conditions for mail of at least a score.
func (g *spamRules) spamWhen(score float64, lists bool) (when []string) {
	n := strconv.FormatFloat(score, 'g', -1, 64)
	if g.onLists && g.needed > 1 {
		return []string{"score >= " + n}
	}
	if g.assassin {
		when = append(when, "spam/spamassassin >= "+n)
	}
	if g.onLists && lists {
		when = append(when, "spam/list/*")
	}
	return when
}

// origin names the line that a value is from.
func (g *spamRules) origin(picked []clause, dim int) string {
	return picked[dim].origin(g.settings[dim])
}

// outcome adds to a rule the actions for spam, or for mail with a high score.
func (g *spamRules) outcome(rule *section, picked []clause, high bool) {
	modify, text, act := dimModify, dimText, dimSpamActions
	if high {
		modify, text, act = dimHighModify, dimHighText, dimHighActions
	}
	actions(picked[act].value).write(rule, subjectTag(picked[modify].value, picked[text].value), g.origin(picked, act))
}

// listed writes the rule for mail that a list declares to be spam.
func (g *spamRules) listed(s scope, picked []clause) {
	high, _ := yes(picked[dimBlackIsHigh].value)
	origin := g.origin(picked, dimBlack)
	rule := g.out.rule(g.nameRule("definitely spam"), origin)
	g.write(rule, s, origin)
	rule.words("when", []string{anyMail}, origin)
	g.outcome(rule, picked, high)
}

// block writes the rules for one combination.
func (g *spamRules) block(s scope, picked []clause) {
	required, err := number(picked[dimRequired].value)
	above, errHigh := number(picked[dimHigh].value)
	if err != nil || errHigh != nil {
		dim := dimRequired
		if err == nil {
			dim = dimHigh
		}
		g.about(Unclear, g.settings[dim], picked[dim], "the score is no number; no rule was made of it")
		return
	}
	if above > required {
		g.scored("high scoring spam", s, picked, dimHigh, above)
	}
	g.scored("spam", s, picked, dimRequired, required)
	if !s.everybody() {
		g.stop(s, required, g.origin(picked, dimRequired))
	}
}

// scored writes a rule for mail of at least a score. If the limit for high scores is no higher, all spam has one.
func (g *spamRules) scored(name string, s scope, picked []clause, dim int, score float64) {
	when := g.spamWhen(score, dim == dimRequired)
	if len(when) == 0 {
		return
	}
	above, _ := number(picked[dimHigh].value)
	rule := g.out.rule(g.nameRule(name), g.origin(picked, dim))
	g.write(rule, s, g.origin(picked, dim))
	rule.words("when", when, g.origin(picked, dim))
	g.outcome(rule, picked, above <= score)
}

// stop writes the rule after which no later one about spam decides about this mail.
func (g *spamRules) stop(s scope, required float64, origin string) {
	n := strconv.FormatFloat(required, 'g', -1, 64)
	when := "spam/spamassassin < " + n
	switch {
	case g.onLists && g.needed > 1:
		when = "score < " + n
	case !g.assassin:
		return
	}
	rule := g.out.rule(g.nameRule("no spam by its own limit"), origin)
	g.write(rule, s, origin)
	rule.words("when", []string{when}, origin)
	rule.set("action", "deliver", origin)
}

// subjectTag returns the mark before a subject.
func subjectTag(modify, text string) string {
	switch strings.ToLower(modify) {
	case "no", "0", "":
		return ""
	}
	for _, word := range []string{"_SCORE_", "_STARS_"} {
		text = strings.ReplaceAll(text, word, "")
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), " }", "}")
}

// ham takes over the actions for mail that is no spam.
func (c *conf) ham(g *spamRules) {
	s := c.get("Non Spam Actions", "deliver")
	l := c.single(s)
	o := actions(l.value)
	required, err := number(g.lists[dimRequired][len(g.lists[dimRequired])-1].value)
	switch {
	case len(o.left) > 0 || !o.deliver:
		c.done(Impossible, s, "mail that is no spam is delivered; of these actions only headers, "+
			"store and forward beside deliver are taken over")
		return
	case len(o.headers)+len(o.forward) == 0 && !o.store:
		c.done(Taken, s, "mail is delivered unless a rule says otherwise")
		return
	case err != nil:
		return
	}
	rule := c.out.rule(c.nameRule("no spam"), l.origin(s))
	if unless := g.spamWhen(required, true); len(unless) > 0 {
		rule.words("unless", unless, l.origin(s))
	}
	if len(o.headers) > 0 {
		rule.raw("headers", inline(unique(o.headers)), l.origin(s))
	}
	if o.store {
		rule.raw("keep", "true", l.origin(s))
	}
	if len(o.forward) > 0 {
		rule.words("copy", o.forward, l.origin(s))
	}
	c.done(Taken, s, "a rule that adds these to mail below the score that is required of all; "+
		"mail that is no spam for other reasons gets it as well")
}

// reports says what became of the settings about spam.
func (g *spamRules) reports() {
	off := "neither SpamAssassin nor a DNS list is asked, so that no rule rests on it"
	for i, s := range g.settings {
		switch i {
		case dimSpamActions, dimHighActions:
			g.report(s, g.lists[i])
		case dimModify, dimHighModify:
			how, why := Taken, "tag of rules"
			for _, l := range g.lists[i] {
				if strings.EqualFold(l.value, "end") {
					how, why = Differs, "the mark is put before the subject, not after it"
				}
			}
			g.done(how, s, "%s", why)
		case dimText, dimHighText:
			how, why := Taken, "tag of rules"
			for _, l := range g.lists[i] {
				if strings.Contains(l.value, "_SCORE_") || strings.Contains(l.value, "_STARS_") {
					how, why = Differs,
						"the score is left out of the mark; spam.score_header and headers of rules can show it"
				}
			}
			g.done(how, s, "%s", why)
		case dimRequired, dimHigh:
			switch {
			case !g.assassin && !g.onLists:
				g.done(Needless, s, "%s", off)
			case g.onLists && g.needed > 1:
				g.done(Differs, s, "the score of a message is what SpamAssassin gives it and a share of %v for each "+
					"list that has it: mail that neither alone would make spam may be spam by both", g.needed)
			default:
				g.done(Taken, s, "rules about the score that SpamAssassin gives")
			}
		case dimWhite:
			g.done(Taken, s, "rules by which it does not count what is found about spam; "+
				"what is infected or forbidden still counts, as with MailScanner")
		case dimBlack:
			g.done(Taken, s, "rules for all mail from there")
		default:
			g.done(Taken, s, "taken into the rules about spam")
		}
	}
}

// useAssassin has SpamAssassin asked, if MailScanner asks it.
func (c *conf) useAssassin() bool {
	s := c.get("Use SpamAssassin", "yes")
	l := c.single(s)
	is, ok := yes(l.value)
	if checks := c.get("Spam Checks", "yes"); !ok || !is || strings.EqualFold(checks.value, "no") {
		c.done(Needless, s, "MailScanner does not ask it")
		return false
	}
	t := c.out.table("spam.spamassassin")
	t.words("address", []string{"tcp:127.0.0.1:783"}, s.origin())
	c.done(Differs, s, "milterscan asks spamd, which has to run, and reads SpamAssassin's own files; "+
		"where it listens is what Debian has, as MailScanner's files do not say it")
	size := c.get("Max SpamAssassin Size", "200k")
	if word, _ := cutWord(c.single(size).value); word != "" {
		if n, err := number(word); err == nil && n >= 1 {
			t.raw("max_size", quoted(bytesText(n)), size.origin())
			c.done(Differs, size, "larger mail is not scored, where MailScanner scores its beginning; "+
				"the finding spam/not-scored says so")
		}
	}
	wait := c.get("SpamAssassin Timeout", "75")
	if n, err := number(c.single(wait).value); err == nil && n >= 1 {
		const most = 40
		t.raw("timeout", quoted(fmt.Sprintf("%ds", int(min(n, most)))), wait.origin())
		if n > most {
			c.done(Differs, wait, "%ds: the MTA's client waits for the answer, and limits.time is 1m for all scanners",
				most)
		} else {
			c.done(Taken, wait, "spam.spamassassin.timeout")
		}
	}
	return true
}

// bytesText writes a number of bytes as the configuration does.
func bytesText(n float64) string { return strconv.FormatFloat(n, 'f', 0, 64) + "B" }
