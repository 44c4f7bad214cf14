package moving

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// dnsLists takes over the DNS lists, and reports whether any is asked. It sets how many must have an entry
// for mail to be spam.
func (c *conf) dnsLists(needed *float64) bool {
	client, sender := c.get("Spam List", ""), c.get("Spam Domain List", "")
	zones := c.zones()
	number1 := c.count("Spam Lists To Be Spam", 1)
	required, err := number(c.last(c.get("Required SpamAssassin Score", "6")).value)
	if err != nil || required <= 0 {
		required = 6
	}
	*needed = number1
	some := false
	for _, kind := range []struct {
		setting
		lookup string
	}{{client, "client"}, {sender, "sender"}} {
		l := c.single(kind.setting)
		names := strings.FieldsFunc(l.value, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
		if len(names) == 0 {
			c.done(Needless, kind.setting, "it names no list")
			continue
		}
		for _, name := range names {
			some = c.dnsList(kind.setting, zones, name, kind.lookup, required/number1) || some
		}
		c.done(Differs, kind.setting, "[[spam.list]]: an answer counts if it is in 127.0.0.0/16, since lists "+
			"tell errors by other answers; dns.servers is for you to set, and was set to a resolver on this host, "+
			"since MailScanner's files do not name one")
	}
	if some {
		c.out.table("dns").words("servers", []string{"127.0.0.1:53"}, client.origin())
	}
	high := c.get("Spam Lists To Reach High Score", "3")
	switch {
	case !some:
		c.done(Needless, high, "no list is asked")
	default:
		c.done(Impossible, high,
			"rules do not count lists; give [[spam.list]] a higher score, and let a rule go by \"score >= N\"")
	}
	wait := c.get("Spam List Timeout", "10")
	if n, err := number(c.single(wait).value); err == nil && n >= 1 && some {
		const most = 15
		c.out.table("spam").raw("list_time", quoted(fmt.Sprintf("%ds", int(min(n, most)))), wait.origin())
		c.done(Taken, wait, "spam.list_time, of at most %ds, since clients wait for the answer", most)
	}
	return some
}

// count returns a number of at least one.
func (c *conf) count(key string, preset float64) float64 {
	s := c.get(key, strconv.FormatFloat(preset, 'g', -1, 64))
	n, err := number(c.single(s).value)
	switch {
	case err != nil || n < 1 || n > 100:
		c.done(Differs, s, "%v was taken, as %q is no number of lists", preset, s.value)
		return preset
	case n == 1:
		c.done(Taken, s, "any list makes spam")
	default:
		c.done(Differs, s, "each list adds a share to the score of the message, so that %v of them reach what is "+
			"required; with a score from SpamAssassin fewer may do", n)
	}
	return n
}

// dnsList writes one list.
func (c *conf) dnsList(s setting, zones map[string]entry, name, lookup string, score float64) bool {
	zone, ok := zones[strings.ToLower(name)]
	if !ok {
		c.note(Unclear, s.at, s.key+" "+name, "spam.lists.conf does not say what zone the list %q has; it was left out",
			oneLine(name))
		return false
	}
	table := c.out.add("spam.list")
	table.set("name", c.nameList(name), s.origin())
	table.set("zone", zone.value, zone.origin)
	table.set("lookup", lookup, s.origin())
	table.words("answers", []string{"127.0.0.2-127.0.255.254"}, zone.origin)
	table.raw("score", strconv.FormatFloat(score, 'f', 2, 64), s.origin())
	return true
}

// nameList returns the name of a list as findings may have it.
func (c *conf) nameList(name string) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
	if name == "" {
		name = "list"
	}
	c.names["list "+name]++
	if n := c.names["list "+name]; n > 1 {
		name = fmt.Sprintf("%s-%d", name, n)
	}
	return name
}

// zones reads spam.lists.conf: a name and a zone on each line.
func (c *conf) zones() map[string]entry {
	s := c.get("Spam List Definitions", "%etc-dir%/spam.lists.conf")
	if s.at.File == "" {
		s.value = systemDir + "/spam.lists.conf"
	}
	zones := map[string]entry{}
	name, err := c.inside(s.value)
	var lines []line
	if err == nil {
		lines, err = c.open(name)
	}
	if err != nil {
		if c.get("Spam List", "").value+c.get("Spam Domain List", "").value != "" {
			c.note(Unclear, s.at, s.text(), "the names of DNS lists cannot be read: %v", err)
			c.said[s.name] = true
		}
		c.done(Needless, s, "no DNS list is asked")
		return zones
	}
	c.done(Taken, s, "zone of [[spam.list]], for the lists that are asked")
	for _, l := range lines {
		fields := strings.Fields(withoutComment(l.text))
		if len(fields) == 0 {
			continue
		}
		zone := ""
		if len(fields) > 1 {
			zone = strings.ToLower(strings.TrimSuffix(fields[1], "."))
		}
		if !zoneName(zone) {
			c.note(Unclear, l.at, l.text, "a line has the name of a list and its zone")
			continue
		}
		zones[strings.ToLower(fields[0])] = entry{zone, l.at.String()}
	}
	return zones
}

// zoneName reports whether a text is the name of a zone.
func zoneName(s string) bool {
	labels := strings.Split(s, ".")
	return len(labels) > 1 && len(s) <= 200 && !slices.Contains(labels, "") &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}
