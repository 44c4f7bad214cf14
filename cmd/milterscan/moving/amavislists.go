package moving

import (
	"slices"
	"strings"
)

// local takes over our domains and networks.
func (a *amavis) local() {
	var domains []entry
	for _, name := range []string{"@local_domains_maps", "@local_domains_acl", "%local_domains"} {
		one, ok := a.find(name, Taken, "local.domains")
		if !ok {
			continue
		}
		for _, e := range a.words(one) {
			d := strings.ToLower(e.value)
			plain := strings.TrimPrefix(d, ".")
			if !zoneName(plain) {
				a.note(Unclear, one.at, one.name+" "+e.value, "it is not the name of a domain")
				continue
			}
			domains = append(domains, entry{plain, e.origin})
			if plain != d {
				domains = append(domains, entry{d, e.origin})
			}
		}
	}
	if len(domains) > 0 {
		a.out.table("local").entries("domains", domains, domains[0].origin)
	}
	if list := a.networks(); len(list) > 0 {
		a.out.table("local").entries("networks", list, list[0].origin)
	}
}

// networks returns @mynetworks.
func (a *amavis) networks() (list []entry) {
	one, ok := a.find("@mynetworks", Taken, "local.networks")
	if !ok {
		return nil
	}
	for _, e := range a.words(one) {
		text := strings.NewReplacer("[", "", "]", "").Replace(e.value)
		ip, bits, masked := strings.Cut(text, "/")
		if strings.Count(ip, ".") < 3 && !strings.Contains(ip, ":") && masked {
			text = ip + strings.Repeat(".0", 3-strings.Count(ip, ".")) + "/" + bits
		}
		n, ok := network(text)
		if !ok {
			a.note(Unclear, one.at, "@mynetworks "+e.value,
				"it is not a network; exceptions with \"!\" are not taken over")
			continue
		}
		list = append(list, entry{n, e.origin})
	}
	return list
}

// words returns the texts of a value, the keys of its hashes that are true, and the lines of the files it reads.
func (a *amavis) words(one assignment) (list []entry) {
	var walk func(v perlValue)
	walk = func(v perlValue) {
		switch v.kind {
		case "text":
			list = append(list, entry{v.text, one.origin()})
		case "list":
			for _, sub := range v.list {
				walk(sub)
			}
			if one.name[0] == '%' {
				list = keysOf(v.list, one.origin())
			}
		case "hash":
			list = append(list, keysOf(v.list, one.origin())...)
		case "call":
			list = append(list, a.file(one, v)...)
		case "reference":
			list = append(list, a.referred(one, v.text)...)
		case "expression":
			a.note(Impossible, one.at, one.name+" qr'"+v.text+"'",
				"addresses are written as patterns such as \"boss*@example.com\"")
		}
	}
	walk(one.value)
	return list
}

// listNames are the variables with lists that become rules by themselves.
var listNames = []string{"%whitelist_sender", "@whitelist_sender_acl", "%blacklist_sender", "@blacklist_sender_acl",
	"%spam_lovers", "@spam_lovers_acl", "%bypass_spam_checks", "@bypass_spam_checks_acl", "%banned_files_lovers",
	"%bypass_banned_checks", "@local_domains_acl", "%local_domains"}

// otherLists is why a list of lists is not needed.
const otherLists = "it names other variables, which are taken over where they have a value"

// refers reports whether a value is nothing but names of other variables.
func refers(one assignment) bool {
	return len(one.value.list) > 0 && !slices.ContainsFunc(one.value.list,
		func(v perlValue) bool { return v.kind != "reference" })
}

// referred returns the words of another variable, unless that is taken over by itself, or was not set. A variable
// that refers to others again is followed once.
func (a *amavis) referred(one assignment, name string) (list []entry) {
	other, ok := a.given[name]
	if !ok || a.followed || slices.Contains(listNames, name) {
		return nil
	}
	a.followed = true
	defer func() { a.followed = false }()
	if list = a.words(other); len(list) > 0 {
		a.find(name, Taken, "by "+one.name)
	}
	return list
}

// keysOf returns the keys of a hash whose values are true.
func keysOf(pairs []perlValue, origin string) (list []entry) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if v := pairs[i+1]; v.kind != "undef" && v.text != "0" && v.text != "" {
			list = append(list, entry{pairs[i].text, origin})
		}
	}
	return list
}

// file reads the file that read_hash or read_array names.
func (a *amavis) file(one assignment, v perlValue) (list []entry) {
	texts := v.list
	if v.text != "read_hash" && v.text != "read_array" || len(texts) == 0 || texts[len(texts)-1].kind != "text" {
		a.note(Impossible, one.at, one.name+" "+v.text+"(...)", "%v", errCode)
		return nil
	}
	full := texts[len(texts)-1].text
	name := strings.TrimPrefix(strings.TrimPrefix(full, "/etc/amavis/"), "/etc/")
	lines, err := a.open(name)
	if err != nil {
		a.note(Unclear, one.at, one.name+" "+full, "the file cannot be read: %v; put a copy into the directory", err)
		return nil
	}
	for _, l := range lines {
		word, value := cutWord(withoutComment(l.text))
		if word != "" && value != "0" {
			list = append(list, entry{word, l.at.String()})
		}
	}
	return list
}

// lists takes over lists of senders and recipients.
func (a *amavis) lists() {
	for _, l := range []struct {
		names []string
		rule  string
		to    bool
		when  []string
	}{
		{[]string{"@whitelist_sender_maps", "@whitelist_sender_acl", "%whitelist_sender"}, "whitelisted", false,
			[]string{"spam/*", anyMail}},
		{[]string{"@spam_lovers_maps", "@spam_lovers_acl", "%spam_lovers"}, lovers, true,
			[]string{"spam/*", anyMail}},
		{[]string{"@bypass_spam_checks_maps", "@bypass_spam_checks_acl", "%bypass_spam_checks"}, "no spam checks", true,
			[]string{"spam/*", anyMail}},
		{[]string{"@blacklist_sender_maps", "@blacklist_sender_acl", "%blacklist_sender"}, "blacklisted", false,
			[]string{anyMail}},
		{[]string{"@banned_files_lovers_maps", "%banned_files_lovers",
			"@bypass_banned_checks_maps", "%bypass_banned_checks"}, "banned files lovers", true,
			forbidden},
	} {
		for _, name := range l.names {
			a.listRule(name, l.rule, l.to, l.when)
		}
	}
	for _, name := range []string{"@virus_lovers_maps", "%virus_lovers", "@virus_lovers_acl",
		"@bypass_virus_checks_maps", "%bypass_virus_checks", "@bypass_virus_checks_acl"} {
		if refers(a.given[name]) {
			a.find(name, Needless, otherLists)
		}
		a.find(name, Impossible, "infected mail is let through for nobody by a list; "+
			"a rule of your own with to and when = [\"infected\"] would do it")
	}
}

// lovers is the name of the rules for those who get all of their spam.
const lovers = "spam lovers"

// marked writes the rule that marks spam for those who get all of it, as amavis does.
func (a *amavis) marked(s scope, origin string) {
	level, at, ok := a.number("$sa_tag2_level_deflt", Taken, "a rule about the score")
	if !ok {
		return
	}
	rule := a.out.rule(a.nameRule("marks for "+lovers), at.origin())
	a.write(rule, s, origin)
	rule.words("when", []string{scoreFrom(level)}, at.origin())
	rule.set("action", "deliver", at.origin())
	a.mark(rule)
}

// listRule writes the rule for one list.
func (a *amavis) listRule(name, title string, to bool, when []string) {
	one, ok := a.given[name]
	if !ok {
		return
	}
	var s scope
	for _, e := range a.words(one) {
		p, err := address(strings.ToLower(e.value))
		if strings.HasPrefix(e.value, ".") && err == nil { // ".example.com" is the domain itself as well
			s.from = append(s.from, entry{"@" + p[1:], e.origin})
		}
		if err != nil {
			a.note(Unclear, one.at, name+" "+e.value, "%v", err)
			continue
		}
		s.from = append(s.from, entry{p, e.origin})
	}
	if len(s.from) == 0 && refers(one) {
		a.find(name, Needless, otherLists)
		return
	}
	if len(s.from) == 0 {
		a.find(name, Impossible, "it names nobody as data; a rule with from or to names them")
		return
	}
	if to {
		s.from, s.to = nil, s.from
	}
	if title == lovers {
		a.marked(s, one.origin())
	}
	rule := a.out.rule(a.nameRule(title), one.origin())
	a.write(rule, s, one.origin())
	rule.words("when", when, one.origin())
	action, origin := "deliver", one.origin()
	if title == "blacklisted" {
		if action, origin = a.destiny("$final_spam_destiny", "D_PASS",
			a.keeps("$spam_quarantine_to")); action == "deliver" {
			rule.set("tag", "{Spam?}", one.origin())
		}
	}
	rule.set("action", action, origin)
	a.find(name, Taken, "a rule; of what is delivered, nothing infected or not examined is let through")
}
