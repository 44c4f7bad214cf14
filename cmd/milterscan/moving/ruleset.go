package moving

import (
	"errors"
	"fmt"
	"strings"
)

// clause is one line of a ruleset: the value that a setting has for some mail.
type clause struct {
	scope scope
	value string
	at    Place
}

// origin names the line.
func (c clause) origin(s setting) string {
	return strings.TrimSpace(c.at.String() + " " + s.key)
}

// clauses returns the values of a setting, the first that matches first. The last one is for all
// mail.
func (c *conf) clauses(s setting) []clause {
	if list, known := c.kept[s.name]; known {
		return list
	}
	c.kept[s.name] = c.readClauses(s)
	return c.kept[s.name]
}

// last returns the value of a setting for all mail.
func (c *conf) last(s setting) clause {
	list := c.clauses(s)
	return list[len(list)-1]
}

// readClauses reads the values of a setting, from a ruleset if it names one.
func (c *conf) readClauses(s setting) []clause {
	all := clause{value: s.value, at: s.at}
	if strings.HasPrefix(s.value, "&") {
		c.done(Impossible, s, "a function in Perl decides about it, and no code is taken over; what MailScanner has "+
			"without it, %q, was taken instead; docs/policy.md says what rules can do", s.preset)
		all.value = s.preset
		return []clause{all}
	}
	if !c.isRuleset(s) {
		return []clause{all}
	}
	name, err := c.inside(strings.Fields(s.value)[0])
	var lines []line
	if err == nil {
		lines, err = c.open(name)
	}
	if err != nil {
		c.done(Impossible, s, "the ruleset cannot be read: %v; what MailScanner has without it, %q, was taken instead",
			err, s.preset)
		all.value = s.preset
		return []clause{all}
	}
	list, last := c.ruleset(s, lines)
	if last == nil {
		last = &clause{value: s.preset, at: Place{File: name}}
	}
	return append(reached(c, s, list), *last)
}

// isRuleset reports whether a value names a ruleset rather than being one itself.
func (c *conf) isRuleset(s setting) bool {
	fields := strings.Fields(s.value)
	if len(fields) != 1 {
		return false
	}
	name := strings.ToLower(fields[0])
	return strings.HasSuffix(name, ".rules") || strings.HasSuffix(name, ".rule") ||
		strings.HasPrefix(name, "/") && !s.file
}

// ruleset reads the lines of a ruleset. The line for all mail ends it; it is nil if there is none.
func (c *conf) ruleset(s setting, lines []line) (list []clause, last *clause) {
	for _, l := range lines {
		text, _, _ := strings.Cut(l.text, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		found, err := ruleLine(text, l.at)
		switch {
		case err != nil:
			c.note(Impossible, l.at, text, "%v (ruleset of %s)", err, s.key)
		case last != nil:
			c.note(Needless, l.at, text, "a line before it in the ruleset is for all mail")
		case len(found) == 1 && found[0].scope.everybody():
			last = &found[0]
		default:
			list = append(list, found...)
		}
		if len(list) > maxNotes {
			c.note(Unclear, l.at, text, "the ruleset has more than %d lines; what follows was left out", maxNotes)
			return list, last
		}
	}
	return list, last
}

// directions are the sides of a message that the first word of a line names.
type directions struct{ from, to, both, virus bool }

// direction reads the first word of a condition: any that has "from", "to" or "and" in it.
func direction(word string) (directions, error) {
	word = strings.ToLower(word)
	d := directions{from: strings.Contains(word, "from"), virus: strings.Contains(word, "virus")}
	d.to = strings.Contains(strings.ReplaceAll(word, "from", " "), "to")
	d.both = d.from && d.to && strings.Contains(word, "and")
	if !d.from && !d.to && !d.virus {
		return d, fmt.Errorf("%q is no direction; write From:, To:, FromOrTo: or FromAndTo: before the pattern", word)
	}
	if d.virus {
		return d, errors.New("the name of a virus is not a condition of it; in a rule of milterscan it is: " +
			"when = [\"virus/NAME*\"]")
	}
	return d, nil
}

// ruleLine reads one line of a ruleset; a line for senders or recipients becomes two clauses.
func ruleLine(text string, at Place) ([]clause, error) {
	first, rest, err := condition(text, at)
	if err != nil {
		return nil, err
	}
	all := first
	if word, more := cutWord(rest); strings.EqualFold(word, "and") {
		var second []scope
		if second, rest, err = condition(more, at); err != nil {
			return nil, err
		}
		all = nil
		for _, a := range first {
			for _, b := range second {
				if both, some := a.within(b); some {
					all = append(all, both)
				}
			}
		}
		if len(all) == 0 {
			return nil, errors.New("no mail can match both of its conditions")
		}
	}
	if rest = strings.TrimSpace(rest); rest == "" {
		return nil, errors.New("the line has no value")
	}
	var list []clause
	for _, s := range all {
		list = append(list, clause{s, rest, at})
	}
	return list, nil
}

// condition reads a direction and a pattern, and returns the scopes of which one must hold.
func condition(text string, at Place) ([]scope, string, error) {
	word, rest := cutWord(text)
	d, err := direction(word)
	if err != nil {
		return nil, "", err
	}
	match, rest := cutWord(rest)
	if match == "" {
		return nil, "", errors.New("the line has no pattern")
	}
	addresses, networks, err := pattern(match)
	if err != nil {
		return nil, "", err
	}
	placed := func(values []string) (list []entry) {
		for _, v := range values {
			list = append(list, entry{v, at.String()})
		}
		return list
	}
	a := placed(addresses)
	switch {
	case len(addresses)+len(networks) == 0:
		return []scope{{}}, rest, nil
	case len(networks) > 0 && (d.both || !d.from):
		return nil, "", errors.New("the network of a client says where mail comes from, and not to whom it goes; " +
			"write From: before it")
	case len(networks) > 0:
		return []scope{{client: placed(networks)}}, rest, nil
	case d.both:
		return []scope{{from: a, to: a}}, rest, nil
	case d.from && d.to:
		return []scope{{from: a}, {to: a}}, rest, nil
	case d.from:
		return []scope{{from: a}}, rest, nil
	}
	return []scope{{to: a}}, rest, nil
}

// cutWord cuts the first word off.
func cutWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t")
	}
	return s, ""
}

// reached leaves out lines whose mail an earlier line decides about, and joins neighbours with the same
// value, so that a long list becomes one rule.
func reached(c *conf, s setting, list []clause) (out []clause) {
	const looked = 200 // how many earlier lines each line is compared with
	for i, l := range list {
		before := list[max(0, i-looked):i]
		covered := false
		for _, b := range before {
			if b.scope.covers(l.scope) {
				covered = true
				break
			}
		}
		if covered {
			c.note(Needless, l.at, "in the ruleset of "+s.key, "a line before it in the ruleset is for the same mail")
			continue
		}
		if n := len(out); n > 0 && out[n-1].value == l.value && out[n-1].scope.joins(l.scope) {
			out[n-1].scope.join(l.scope)
			continue
		}
		l.scope = l.scope.clone()
		out = append(out, l)
	}
	return out
}

// joins reports whether mail of either scope is mail of one that has both lists.
func (s scope) joins(o scope) bool {
	mine, theirs := s.lists(), o.lists()
	used := -1
	for i := range mine {
		a, b := len(*mine[i]) > 0, len(*theirs[i]) > 0
		if a != b || a && used >= 0 {
			return false
		}
		if a {
			used = i
		}
	}
	return used >= 0
}

// join adds the lists of a scope.
func (s *scope) join(o scope) {
	mine, theirs := s.lists(), o.lists()
	for i := range mine {
		*mine[i] = append(*mine[i], *theirs[i]...)
	}
}

// clone copies the lists.
func (s scope) clone() (c scope) {
	c.join(s)
	return c
}
