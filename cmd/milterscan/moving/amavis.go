package moving

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// amavis is a running import of amavisd.conf.
type amavis struct {
	*conf
	given map[string]assignment // the last of each name
	order []string
	used  map[string]bool
}

// amavisNeedless has beginnings of the names of settings that milterscan does not need, with the reason.
var amavisNeedless = []struct{ names, why string }{
	{"$max_servers $max_requests $daemon_user $daemon_group $daemon_chroot_dir $inet_socket_port " +
		"$inet_socket_bind $unix_socketname $MYHOME $TEMPBASE $ENV{ $pid_file $lock_file $db_home $enable_db " +
		"$enable_zmq $enable_global_cache $helpers_home $child_timeout $smtpd_ $listen_sockets @listen_sockets " +
		"$interface_policy{ %interface_policy $protocol $timestamp_fmt_mysql $allowed_header_tests{",
		"the service is a milter: \"milterscan setup\" hooks it into the MTA"},
	{"$forward_method $notify_method $requeue_method $release_method $resend_method $relayhost_is_client " +
		"$insert_received_line @inet_acl $myhostname $mydomain",
		"the MTA keeps the mail; there is no second port to hand it back to"},
	{"$log_ $syslog_ $DO_SYSLOG $SYSLOG_LEVEL $LOGFILE $nanny_details_level $sa_debug $enable_ldap $LOG",
		"the log has one line for each message: [log]"},
	{"$sa_local_tests_only $sa_timeout $sa_mail_body_size_limit $sa_auto_whitelist $sa_tag_level_deflt " +
		"$sa_dsn_cutoff_level $sa_quarantine_cutoff_level $sa_num_instances",
		"spamd has its own settings; [spam.spamassassin] has what is asked of it"},
	{"@decoders $path $file $gzip $bzip2 $unrar $unarj $lha $cabextract $cpio $zoo $ar $arc $pax $ripole $tnef " +
		"$unfreeze $rpm2cpio $uncompress $lrzip $MIN_EXPANSION",
		"formats are read by milterscan itself, within [limits]"},
	{"$X_HEADER_ $undecipherable_subject_tag $enable_dkim_ $hdr_encoding $bdy_encoding $notify_ $defang_ " +
		"$mailfrom_ $hdrfrom_ $warn %defang $localhost_name $sql_ @lookup_sql_dsn @storage_sql_dsn " +
		"$recipient_delimiter $replace_existing_extension @keep_decoded_original_maps @score_sender_maps " +
		"$allow_disclaimers $os_fingerprint $penpals_ @mynetworks_maps $final_bad_header_destiny " +
		"$spam_quarantine_ $bad_header_ $banned_quarantine_ $clean_quarantine_ $archive_quarantine_ " +
		"@addr_extension $addr_extension",
		"what is marked, kept and told is said by each rule: headers, keep, notify; docs/migrating.md has their names"},
}

// Amavis takes over amavisd.conf, and conf.d as Debian has it, as far as they are data.
func Amavis(dir string) (*Result, error) {
	t, err := begin(dir)
	if err != nil {
		return nil, err
	}
	a := &amavis{conf: &conf{taking: t, vars: map[string]string{}, set: map[string]setting{}, said: map[string]bool{},
		kept: map[string][]clause{}},
		given: map[string]assignment{}, used: map[string]bool{}}
	names, _ := fs.Glob(t.root.FS(), "conf.d/*") // the pattern is valid
	slices.Sort(names)
	names = append([]string{"amavisd.conf"}, names...)
	some := false
	for _, name := range names {
		lines, err := t.open(name)
		if errors.Is(err, errAbsent) && name == "amavisd.conf" {
			continue
		}
		if err != nil {
			t.note(Unclear, Place{File: name}, "", "the file cannot be read: %v", err)
			continue
		}
		some = true
		a.take(assignments(lines, a.vars))
	}
	if !some {
		t.root.Close()
		return nil, fmt.Errorf("%s: there is neither amavisd.conf nor conf.d in it", dir)
	}
	a.make()
	a.rest()
	return t.end("amavis", []string{
		"amavis is asked after the MTA has accepted a message, milterscan before: " +
			"what is refused is refused to the server that sends it, and nobody is sent a bounce.",
		"The profile \"default\" comes after the rules that were taken over: " +
			"\"milterscan check --effective --rules\" lists all of them.",
	}), nil
}

// take keeps the assignments of a file, and notes those that are code.
func (a *amavis) take(list []assignment) {
	for _, one := range list {
		if one.err != nil {
			a.note(Impossible, one.at, one.text, "%v", one.err)
			continue
		}
		if old, twice := a.given[one.name]; twice {
			a.note(Needless, old.at, old.text, "a later line sets it again, and the last one counts")
		} else {
			a.order = append(a.order, one.name)
		}
		a.given[one.name] = one
	}
}

// find returns an assignment, and notes what became of it.
func (a *amavis) find(name string, how How, why string) (assignment, bool) {
	one, ok := a.given[name]
	if ok && !a.used[name] {
		a.used[name] = true
		a.note(how, one.at, one.text, "%s", why)
	}
	return one, ok
}

// origin names an assignment.
func (one assignment) origin() string { return one.at.String() + " " + one.name }

// number returns the number that a setting has, and notes what became of it.
func (a *amavis) number(name string, how How, why string) (float64, assignment, bool) {
	one, ok := a.given[name]
	if !ok || one.value.kind != "number" && one.value.kind != "text" {
		return 0, one, false
	}
	n, err := strconv.ParseFloat(one.value.text, 64)
	if err != nil {
		return 0, one, false
	}
	a.find(name, how, why)
	return n, one, true
}

// make writes the configuration, and notes what became of each setting.
func (a *amavis) make() {
	a.out.top.set("profile", "default", "the rules that come after those below")
	a.local()
	a.limits()
	a.engines()
	a.infected()
	a.banned()
	a.lists()
	a.spam()
	a.banks()
}

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
		case "expression":
			a.note(Impossible, one.at, one.name+" qr'"+v.text+"'",
				"addresses are written as patterns such as \"boss*@example.com\"")
		}
	}
	walk(one.value)
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
		{[]string{"@spam_lovers_maps", "@spam_lovers_acl", "%spam_lovers"}, "spam lovers", true,
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
		a.find(name, Impossible, "infected mail is let through for nobody by a list; "+
			"a rule of your own with to and when = [\"infected\"] would do it")
	}
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
	if len(s.from) == 0 {
		a.find(name, Impossible, "it names nobody as data; a rule with from or to names them")
		return
	}
	if to {
		s.from, s.to = nil, s.from
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

// spam takes over the levels of spam.
func (a *amavis) spam() {
	t := a.out.table("spam.spamassassin")
	t.words("address", []string{"tcp:127.0.0.1:783"},
		"milterscan's own: amavis loads SpamAssassin, milterscan asks spamd, which has to run")
	kill, at, ok := a.number("$sa_kill_level_deflt", Taken, "a rule about the score")
	if ok {
		action, origin := a.destiny("$final_spam_destiny", "D_PASS", a.keeps("$spam_quarantine_to"))
		rule := a.out.rule(a.nameRule("much spam"), at.origin())
		rule.words("when", []string{"spam/spamassassin >= " + strconv.FormatFloat(kill, 'g', -1, 64)}, at.origin())
		rule.set("action", action, origin)
		if action == "deliver" {
			a.mark(rule)
		}
	}
	tag2, at2, ok2 := a.number("$sa_tag2_level_deflt", Taken, "a rule about the score")
	if ok2 && (!ok || tag2 < kill) {
		rule := a.out.rule(a.nameRule("spam"), at2.origin())
		rule.words("when", []string{"spam/spamassassin >= " + strconv.FormatFloat(tag2, 'g', -1, 64)}, at2.origin())
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

// rest says what became of all other settings.
func (a *amavis) rest() {
	for _, name := range a.order {
		if a.used[name] {
			continue
		}
		why := ""
		for _, g := range amavisNeedless {
			if slices.ContainsFunc(strings.Fields(g.names), func(p string) bool { return strings.HasPrefix(name, p) }) {
				why = g.why
			}
		}
		if why != "" {
			a.find(name, Needless, why)
			continue
		}
		a.find(name, Impossible,
			"it is not taken over; docs/migrating.md has what the settings of amavis are called here")
	}
}
