package moving

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// limits takes over the limits of archives.
func (a *amavis) limits() {
	t := a.out.table("limits.archive")
	if n, one, ok := a.number("$MAXLEVELS", Taken, "limits.archive.depth"); ok && n >= 1 && n <= 100 {
		t.raw("depth", strconv.Itoa(int(n)), one.origin())
	}
	if n, one, ok := a.number("$MAXFILES", Taken, "limits.archive.entries"); ok && n >= 1 && n <= 1e6 {
		t.raw("entries", strconv.Itoa(int(n)), one.origin())
	}
	if n, one, ok := a.number("$MAX_EXPANSION_QUOTA", Taken, "limits.archive.expanded"); ok &&
		n >= 1<<20 && n <= 4<<30 {
		t.set("expanded", bytesText(n), one.origin())
		t.set("member", bytesText(n), one.origin())
	}
}

// engines takes over clamd, which amavis asks through its socket.
func (a *amavis) engines() {
	for _, name := range []string{"@av_scanners", "@av_scanners_backup"} {
		one, ok := a.given[name]
		if !ok {
			continue
		}
		var left []string
		for _, v := range one.value.list {
			texts := v.texts()
			if len(texts) == 0 {
				continue
			}
			i := slices.IndexFunc(texts,
				func(s string) bool { return strings.HasPrefix(s, "/") || strings.HasPrefix(s, "127.0.0.1:") })
			if !strings.Contains(strings.ToLower(texts[0]), "clamav-clamd") &&
				!strings.Contains(strings.ToLower(texts[0]), "clamd") || i < 0 {
				left = append(left, texts[0])
				continue
			}
			kind := "unix:"
			if texts[i][0] != '/' {
				kind = "tcp:"
			}
			t := a.out.add("virus")
			t.set("name", a.nameList("clamd"), one.origin())
			t.set("type", "clamd", one.origin())
			t.words("address", []string{kind + texts[i]}, one.origin())
		}
		if len(left) > 0 {
			a.find(name, Impossible,
				fmt.Sprintf("%q are called by code; docs/engines.md shows [[virus]] for programs and servers", left))
		}
		a.find(name, Taken, "[[virus]]; all engines look at every message")
	}
}

// destiny returns what a setting such as $final_spam_destiny asks for.
func (a *amavis) destiny(name, preset string, kept bool) (action, origin string) {
	one, ok := a.given[name]
	value, origin := preset, "amavis' default: "+name+" = "+preset
	if ok {
		value, origin = one.value.text, one.origin()
	}
	switch value {
	case "D_REJECT":
		a.find(name, Taken, "action of a rule")
		return "reject", origin
	case "D_BOUNCE":
		a.find(name, Differs, "it is refused while its client waits, and not bounced")
		return "reject", origin
	case "D_PASS":
		a.find(name, Taken, "action of a rule")
		return "deliver", origin
	case "D_DISCARD":
		if kept {
			a.find(name, Taken, "action = \"quarantine\"")
			return "quarantine", origin
		}
		a.find(name, Taken, "action of a rule")
		return "discard", origin
	}
	a.find(name, Unclear, "it is no destiny; refusing was taken")
	return "reject", origin
}

// keeps reports whether a setting names a place for copies.
func (a *amavis) keeps(name string) bool {
	one, ok := a.given[name]
	kept := !ok || one.value.kind == "text" && one.value.text != ""
	a.find(name, Differs, "copies are in the quarantine of milterscan, for the rules that ask for them")
	return kept
}

// infected writes the rule for infected mail.
func (a *amavis) infected() {
	action, origin := a.destiny("$final_virus_destiny", "D_DISCARD", a.keeps("$virus_quarantine_to"))
	if action == "deliver" {
		action = "reject"
		one := a.given["$final_virus_destiny"]
		a.note(Impossible, one.at, one.text, "infected mail is refused; "+
			"a rule of your own with when = [\"infected\"] and action = \"deliver\" would let it through")
	}
	rule := a.out.rule(a.nameRule("infected"), origin)
	rule.words("when", []string{"infected"}, origin)
	rule.set("action", action, origin)
	if one, ok := a.given["$virus_admin"]; ok && mailbox(one.value.text) {
		a.find("$virus_admin", Taken, "notify of the rule about infected mail")
		rule.words("notify", []string{one.value.text}, one.origin())
	}
	a.find("$virus_admin", Needless, "it is no address with a domain, so that nobody is told")
	a.find("$QUARANTINEDIR", Differs,
		"milterscan has a directory of its own, quarantine.dir; what amavis has kept stays where it is")
}

// mediaType finds expressions about media types.
var mediaType = regexp.MustCompile(`^\^?(application|audio|image|message|text|video)/`)

// banned takes over the files that are banned.
func (a *amavis) banned() {
	one, ok := a.given["$banned_filename_re"]
	if !ok {
		return
	}
	var rules []nameRule
	var kinds []entry
	for _, v := range one.value.list {
		action, expr := "deny", v.text
		if v.kind == "list" && len(v.list) == 2 {
			expr = v.list[0].text
			if v.list[1].text == "0" || v.list[1].kind == "undef" {
				action = "allow"
			}
		}
		at := Place{one.at.File, one.at.Line + v.at}
		shown := action + " " + expr
		switch bare := strings.TrimPrefix(expr, "(?i)"); {
		case strings.HasPrefix(bare, `^\.`) && action == "allow":
			a.note(Needless, at, shown,
				"it is about types that file(1) tells apart, of which none is refused but programs")
		case strings.HasPrefix(bare, `^\.`):
			a.note(Differs, at, shown, "attachment.deny_contents: contents are told by their bytes, "+
				"in the kinds program, script, shortcut, disk-image and denied-type; \"program\" was taken")
			kinds = []entry{{"program", at.String()}}
		case mediaType.MatchString(bare):
			a.note(Impossible, at, shown, "media types are a rule's part: part = [\"application/x-msdownload\"]")
		default:
			rules = a.addName(rules, nameRule{action: action, expr: expr, text: shown, at: at})
		}
	}
	rules = a.settle(rules)
	t := a.out.table("attachment")
	t.entries("deny", denied(rules), one.origin())
	t.raw("deny_old", "[]", one.origin())
	t.entries("deny_members", denied(rules), one.origin())
	t.entries("deny_contents", kinds, one.origin())
	if allow := a.allowed(rules, nil); len(allow) > 0 {
		t.entries("allow", allow, one.origin())
	}
	a.find("$banned_filename_re", Taken, "line by line; see the lines of this report")
	action, origin := a.destiny("$final_banned_destiny", "D_DISCARD", a.keeps("$banned_quarantine_to"))
	rule := a.out.rule(a.nameRule("banned files"), origin)
	rule.words("when", forbidden, origin)
	rule.set("action", action, origin)
}

// scoreFrom returns the condition for a score, and all above it.
func scoreFrom(level float64) string {
	return "spam/spamassassin >= " + strconv.FormatFloat(level, 'g', -1, 64)
}

// spam takes over the levels of spam.
func (a *amavis) spam() {
	t := a.out.table("spam.spamassassin")
	t.words("address", []string{"tcp:127.0.0.1:783"},
		"milterscan's own: amavis loads SpamAssassin, milterscan asks spamd, which has to run")
	kill, at, ok := a.number("$sa_kill_level_deflt", Taken, "a rule about the score")
	if ok {
		action, origin := a.destiny("$final_spam_destiny", "D_PASS", a.keeps("$spam_quarantine_to"))
		rule := a.out.rule(a.nameRule("much spam"), at.origin())
		rule.words("when", []string{scoreFrom(kill)}, at.origin())
		rule.set("action", action, origin)
		if action == "deliver" {
			a.mark(rule)
		}
	}
	tag2, at2, ok2 := a.number("$sa_tag2_level_deflt", Taken, "a rule about the score")
	if ok2 && (!ok || tag2 < kill) {
		rule := a.out.rule(a.nameRule("spam"), at2.origin())
		rule.words("when", []string{scoreFrom(tag2)}, at2.origin())
		rule.set("action", "deliver", at2.origin())
		a.mark(rule)
	}
}

// mark writes how spam is marked.
func (a *amavis) mark(rule *section) {
	rule.raw("headers", inline([][2]string{{"X-Spam-Flag", "YES"}}), "amavis' own field")
	if one, ok := a.find("$sa_spam_subject_tag", Taken, "tag of rules"); ok {
		if tag := strings.TrimSpace(one.value.text); tag != "" {
			rule.set("tag", tag, one.origin())
		}
	}
	a.find("$sa_spam_modifies_subj", Taken, "tag of rules")
}

// banks takes over the missing spam checks of the policy bank MYNETS, and notes all else in policy banks.
func (a *amavis) banks() {
	for _, name := range a.order {
		bank, ok := strings.CutPrefix(name, "$policy_bank{")
		if !ok {
			continue
		}
		bank = strings.Trim(bank, "'\"}")
		one := a.given[name]
		pairs := one.value.list
		for i := 0; i+1 < len(pairs); i += 2 {
			key, v := pairs[i].text, pairs[i+1]
			at, what := Place{one.at.File, one.at.Line + pairs[i].at}, "policy bank "+bank+": "+key
			switch texts := v.texts(); {
			case key == "originating":
				a.note(Needless, at, what, "mail of local.networks, and of clients that have authenticated, is from us")
			case bank == "MYNETS" && key == "bypass_spam_checks_maps" && slices.Contains(texts, "1"):
				rule := a.out.rule(a.nameRule("no spam checks of own networks"), at.String())
				rule.words("direction", []string{"outbound", "internal"}, at.String())
				rule.words("when", []string{"spam/*"}, at.String())
				rule.set("action", "deliver", at.String())
				a.note(Taken, at, what, "a rule for mail from us")
			default:
				a.note(Impossible, at, what, "what is different for some mail is a rule with client, auth, direction, "+
					"from or to; write one for this")
			}
		}
		a.find(name, Taken, "key by key; see the lines of this report")
	}
}
