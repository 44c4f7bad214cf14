package moving

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/policy"
)

// rspamd is a running import of rspamd.
type rspamd struct {
	*conf
	actions map[string]entry // thresholds
	subject entry
}

// rspamdFiles are the files of rspamd that are not read, and where milterscan has the same.
var rspamdFiles = map[string]string{
	"dkim_signing.conf":      "signing stays with a signer after milterscan",
	"arc.conf":               "sealing stays with a signer after milterscan",
	"greylist.conf":          "[greylist] puts off new senders, with times of its own: docs/greylisting.md",
	"ratelimit.conf":         "[[rate.limit]]: docs/rates.md",
	"rbl.conf":               "[[spam.list]]: docs/senders.md; as a scorer rspamd goes on asking its own",
	"dmarc.conf":             "auth.dmarc, and [dmarc_reports]",
	"spf.conf":               "auth.spf",
	"dkim.conf":              "auth.dkim",
	"mime_types.conf":        "[attachment]",
	"phishing.conf":          "content.phishing",
	"milter_headers.conf":    "headers of rules, spam.score_header and auth.results",
	"external_services.conf": "[[virus]] with type = \"icap\", and [spam.spamassassin]",
}

// Rspamd takes over local.d and override.d of rspamd, which goes on as a scorer that milterscan asks.
func Rspamd(dir string) (*Result, error) {
	t, err := begin(dir)
	if err != nil {
		return nil, err
	}
	r := &rspamd{conf: &conf{taking: t, vars: map[string]string{}, set: map[string]setting{}, said: map[string]bool{},
		kept: map[string][]clause{}},
		actions: map[string]entry{}}
	var names []string
	for _, pattern := range []string{"local.d/*", "override.d/*"} {
		some, _ := fs.Glob(t.root.FS(), pattern) // the patterns are valid
		slices.Sort(some)
		names = append(names, some...)
	}
	if len(names) == 0 {
		t.root.Close()
		return nil, fmt.Errorf("%s: there is neither local.d nor override.d in it, with files", dir)
	}
	t.out.top.set("profile", "default", "the rules that come after those below")
	t.out.table("spam.rspamd").words("address", []string{"http://127.0.0.1:11333"},
		"milterscan's own: rspamd's normal worker is asked, which goes on scoring")
	later := map[string][]*uclNode{}
	for _, name := range names {
		if root := r.file(name); root != nil {
			later[path.Base(name)] = append(later[path.Base(name)], root)
		}
	}
	for _, step := range []struct {
		file string
		take func(*uclNode)
	}{{"antivirus.conf", r.antivirus}, {"multimap.conf", r.multimap}, {"force_actions.conf", r.force},
		{"actions.conf", r.thresholds}, {"settings.conf", r.settings}} {
		for _, root := range later[step.file] {
			step.take(root)
		}
	}
	r.scored("", scope{}, r.actions)
	return t.end("rspamd", []string{
		"rspamd goes on as a scorer that milterscan asks: symbols, weights, words it has learned, " +
			"and its own lists stay with it. Its milter and its proxy are taken out of the MTA.",
		"What rspamd would do by itself does not count; the rules that were made of its thresholds do.",
	}), nil
}

// file reads a file that is taken over; it notes any other.
func (r *rspamd) file(name string) *uclNode {
	at, base := Place{File: name}, path.Base(name)
	switch base {
	case "antivirus.conf", "multimap.conf", "force_actions.conf", "actions.conf", "settings.conf":
	default:
		if why, ok := rspamdFiles[base]; ok {
			r.note(Impossible, at, "", "it is not read: %s", why)
		} else if strings.HasSuffix(base, ".conf") || strings.HasSuffix(base, ".inc") {
			r.note(Needless, at, "", "it is about rspamd itself, which goes on as a scorer")
		}
		return nil
	}
	text, err := r.bytes(name)
	if err != nil {
		r.note(Unclear, at, "", "the file cannot be read: %v", err)
		return nil
	}
	root, err := readUCL(name, strings.ToValidUTF8(string(text), "\ufffd"), func(at Place, what string) {
		r.note(Unclear, at, what, "directives are not followed; put what it names into this file")
	})
	if err != nil {
		r.note(Unclear, at, "", "the file cannot be followed to its end: %v; what comes before that was read", err)
	}
	return root
}

// thresholds takes over the scores from which on rspamd acts.
func (r *rspamd) thresholds(root *uclNode) {
	if inner := root.get("actions"); inner != nil && inner.kind == "object" {
		root = inner
	}
	for _, n := range root.nodes {
		what := n.key + " = " + n.text
		switch n.key {
		case "reject", "add_header", "rewrite_subject", "quarantine", "discard", "soft_reject", "greylist":
			if n.text == "null" || isOff(n.text) {
				r.note(Taken, n.at, what, "no rule is made of it")
				delete(r.actions, n.key)
				continue
			}
			if _, err := number(n.text); err != nil {
				r.note(Unclear, n.at, what, "it is no score")
				continue
			}
			r.actions[n.key] = entry{n.text, n.at.String()}
			if n.key == "greylist" {
				r.note(Differs, n.at, what, "[greylist] with min_score puts new senders off whose mail has such a "+
					"score: switch it on with greylist.enabled")
				delete(r.actions, n.key)
				continue
			}
			r.note(Taken, n.at, what, "a rule about the score that rspamd gives")
		case "subject":
			r.subject = entry{n.text, n.at.String()}
			r.note(Differs, n.at, what, "tag of a rule puts the text before the subject; %%s is left out")
		default:
			r.note(Needless, n.at, what, "it is about how rspamd scores")
		}
	}
}

// isOff reports whether a text says no.
func isOff(s string) bool {
	switch strings.ToLower(s) {
	case "false", "no", "off":
		return true
	}
	return false
}

// scored writes rules for thresholds, the highest first.
func (r *rspamd) scored(name string, s scope, actions map[string]entry) {
	var keys []string
	for key := range actions {
		keys = append(keys, key)
	}
	score := func(key string) float64 { n, _ := number(actions[key].value); return n }
	slices.SortFunc(keys, func(a, b string) int {
		if score(a) != score(b) {
			return map[bool]int{true: -1, false: 1}[score(a) > score(b)]
		}
		return strings.Compare(a, b)
	})
	for i, key := range keys {
		if i > 0 && score(key) == score(keys[i-1]) {
			continue // the stricter action decides, and its rule comes before this one
		}
		e := actions[key]
		rule := r.out.rule(r.nameRule(strings.TrimSpace(name+" rspamd "+key)), e.origin)
		r.write(rule, s, e.origin)
		rule.words("when", []string{"spam/rspamd >= " + strconv.FormatFloat(score(key), 'g', -1, 64)}, e.origin)
		r.act(rule, key, "", e.origin)
	}
}

// act writes the outcome of a rule for one of rspamd's actions, and reports whether there is such an action.
func (r *rspamd) act(rule *section, action, message, origin string) bool {
	switch strings.ReplaceAll(strings.ToLower(action), "_", " ") {
	case "reject":
		rule.set("action", "reject", origin)
		if message != "" && oneLine(message) == message &&
			!strings.ContainsFunc(message, func(c rune) bool { return c > '~' }) && len(message) < 200 {
			rule.set("reply", policy.Reply{Code: policy.Refused.Code, Enhanced: policy.Refused.Enhanced,
				Text: message}.String(), origin)
		}
	case "soft reject":
		rule.set("action", "tempfail", origin)
	case "discard":
		rule.set("action", "discard", origin)
	case "quarantine":
		rule.set("action", "quarantine", origin)
	case "no action", "accept":
		rule.set("action", "deliver", origin)
	case "add header":
		rule.set("action", "deliver", origin)
		rule.raw("headers", inline([][2]string{{"X-Spam", "Yes"}}), origin)
	case "rewrite subject":
		rule.set("action", "deliver", origin)
		tag := strings.TrimSpace(strings.NewReplacer("%s", "", "%d", "").Replace(r.subject.value))
		if tag == "" {
			tag = "***SPAM***"
		}
		rule.set("tag", tag, origin)
	default:
		rule.set("action", "deliver", origin)
		return false
	}
	return true
}

// antivirus takes over the engines.
func (r *rspamd) antivirus(root *uclNode) {
	for _, n := range root.nodes {
		what := "antivirus " + n.key
		if n.kind != "object" {
			r.note(Needless, n.at, n.key+" = "+n.text, "it is about all engines of rspamd")
			continue
		}
		if isOff(n.word("enabled")) {
			r.note(Needless, n.at, what, "it is off")
			continue
		}
		kind := n.word("type")
		if kind == "" {
			kind = n.key
		}
		server := n.get("servers").words()
		if kind != "clamav" || len(server) == 0 {
			r.note(Impossible, n.at, what, "engines of the type %q are asked by [[virus]] with type = \"icap\", "+
				"\"http\" or \"command\": docs/engines.md", oneLine(kind))
			continue
		}
		var addresses []string
		for _, s := range strings.FieldsFunc(strings.Join(server, ","),
			func(c rune) bool { return c == ',' || c == ' ' }) {
			switch {
			case strings.HasPrefix(s, "/"):
				addresses = append(addresses, "unix:"+s)
			case strings.Contains(s, ":"):
				addresses = append(addresses, "tcp:"+s)
			default:
				addresses = append(addresses, "tcp:"+s+":3310")
			}
		}
		if len(addresses) == 0 {
			r.note(Unclear, n.at, what, "servers names no server")
			continue
		}
		t := r.out.add("virus")
		t.set("name", r.nameList(n.key), n.at.String())
		t.set("type", "clamd", n.at.String())
		t.words("address", addresses, n.at.String())
		if size, err := number(n.word("max_size")); err == nil && size >= 1<<20 { // less is refused
			t.set("max_stream", bytesText(size), n.get("max_size").at.String())
		}
		r.note(Taken, n.at, what, "[[virus]]; infected mail is refused, whatever action it has here")
	}
}

// multimap takes over the lists with an action; the others only add to the score.
func (r *rspamd) multimap(root *uclNode) {
	for _, n := range root.nodes {
		if n.kind != "object" {
			continue
		}
		what := "multimap " + n.key
		action := n.word("action")
		if action == "" {
			r.note(Needless, n.at, what, "it adds to the score, and rspamd goes on scoring")
			continue
		}
		s, err := r.mapped(n)
		if err != nil {
			r.note(Impossible, n.at, what, "%v", err)
			continue
		}
		rule := r.out.rule(r.nameRule(strings.ToLower(n.key)), n.at.String())
		r.write(rule, s, n.at.String())
		switch strings.ReplaceAll(strings.ToLower(action), "_", " ") {
		case "accept", "no action":
			rule.words("when", []string{"spam/*", anyMail}, n.at.String())
		case "reject", "soft reject", "discard", "quarantine": // whatever was found
		default:
			rule.words("when", []string{anyMail}, n.at.String())
		}
		if !r.act(rule, action, n.word("message"), n.at.String()) {
			r.note(Unclear, n.at, what, "there is no action %q", oneLine(action))
			continue
		}
		if strings.EqualFold(action, "accept") {
			r.note(Differs, n.at, what,
				"a rule by which nothing counts that is found about spam; what is infected or forbidden still counts")
			continue
		}
		r.note(Taken, n.at, what, "a rule")
	}
}

// mapped reads the map of a list.
func (r *rspamd) mapped(n *uclNode) (s scope, err error) {
	kind := n.word("type")
	if isOn(n.word("regexp")) {
		return s, fmt.Errorf("its map has expressions; write the addresses as patterns such as \"boss*@example.com\" " +
			"into a file, and from = [\"file:...\"]")
	}
	list := map[string]*[]entry{"from": &s.from, "rcpt": &s.to, "ip": &s.client}[kind]
	if list == nil {
		return s, fmt.Errorf("a list of the type %q is no condition of a rule; docs/policy.md has those that are",
			oneLine(kind))
	}
	if f := n.word("extract_from"); kind == "from" && f != "" && f != "smtp" {
		return s, fmt.Errorf("it is about the From field: write a rule with header_from")
	}
	for _, file := range n.get("map").words() {
		entries, err := r.mapFile(file, kind, n)
		if err != nil {
			return s, err
		}
		*list = append(*list, entries...)
	}
	if len(*list) == 0 {
		return s, fmt.Errorf("its map has no entry that could be read")
	}
	return s, nil
}

// mapFile reads a file with one entry on each line.
func (r *rspamd) mapFile(file, kind string, n *uclNode) (list []entry, err error) {
	name := strings.TrimPrefix(file, "file://")
	for _, prefix := range []string{"$LOCAL_CONFDIR/", "${LOCAL_CONFDIR}/", "/etc/rspamd/", "$CONFDIR/"} {
		name = strings.TrimPrefix(name, prefix)
	}
	lines, err := r.open(name)
	if err != nil {
		return nil, fmt.Errorf("its map %s cannot be read: %w; put a copy into the directory", oneLine(file), err)
	}
	for _, l := range lines {
		word, _ := cutWord(withoutComment(l.text))
		if word == "" {
			continue
		}
		var value string
		var err error
		if kind == "ip" {
			v, ok := network(word)
			if value = v; !ok {
				err = fmt.Errorf("it is not a network")
			}
		} else {
			value, err = address(strings.ToLower(word))
		}
		if err != nil {
			r.note(Unclear, l.at, word, "%v (map of %s)", err, n.key)
			continue
		}
		list = append(list, entry{value, l.at.String()})
	}
	return list, nil
}

// symbols is an expression that is a row of symbols, all of which or any of which must be there.
var symbols = regexp.MustCompile(`^\s*!?\s*\w+(\s*(&&?|\|\|?|and|or|AND|OR)\s*!?\s*\w+)*\s*$`)

// force takes over the actions that symbols bring about.
func (r *rspamd) force(root *uclNode) {
	rules := root.get("rules")
	if rules == nil {
		return
	}
	for _, n := range rules.nodes {
		what, expr := "force_actions "+n.key, n.word("expression")
		when, requires, unless, err := terms(expr)
		if n.kind != "object" || err != nil {
			r.note(Impossible, n.at, what, "%v; a rule has when, requires and unless", err)
			continue
		}
		rule := r.out.rule(r.nameRule(strings.ToLower(n.key)), n.at.String())
		rule.words("when", when, n.at.String())
		if len(requires) > 0 {
			rule.words("requires", requires, n.at.String())
		}
		if len(unless) > 0 {
			rule.words("unless", unless, n.at.String())
		}
		if !r.act(rule, n.word("action"), n.word("message"), n.at.String()) {
			r.note(Unclear, n.at, what, "there is no action %q", oneLine(n.word("action")))
			continue
		}
		r.note(Taken, n.at, what, "a rule about symbols of rspamd")
	}
}

// terms splits an expression of symbols into the conditions of a rule.
func terms(expr string) (when, requires, unless []string, err error) {
	if !symbols.MatchString(expr) {
		return nil, nil, nil, fmt.Errorf("the expression %q has more than symbols with & or | between them",
			oneLine(expr))
	}
	expr = strings.NewReplacer(" and ", "&", " AND ", "&", " or ", "|", " OR ", "|").Replace(expr)
	some := strings.Contains(expr, "|")
	if some && (strings.ContainsAny(expr, "&!")) {
		return nil, nil, nil, fmt.Errorf("the expression %q has both & and |, or ! and |", oneLine(expr))
	}
	for _, word := range strings.FieldsFunc(expr, func(c rune) bool { return c == '&' || c == '|' }) {
		word = strings.TrimSpace(word)
		symbol, not := strings.CutPrefix(word, "!")
		name := "spam/rspamd/" + strings.TrimSpace(symbol)
		switch {
		case not:
			unless = append(unless, name)
		case some || len(when) == 0:
			when = append(when, name)
		default:
			requires = append(requires, name)
		}
	}
	if len(when) == 0 {
		return nil, nil, nil, fmt.Errorf("the expression %q asks for nothing that is there", oneLine(expr))
	}
	return when, requires, unless, nil
}

// settings takes over the settings for some senders, recipients and clients.
func (r *rspamd) settings(root *uclNode) {
	if inner := root.get("settings"); inner != nil && inner.kind == "object" {
		root = inner
	}
	for _, n := range root.nodes {
		what := "settings " + n.key
		if n.kind != "object" {
			continue
		}
		s, err := settingScope(n)
		apply := n.get("apply")
		switch {
		case err != nil:
			r.note(Impossible, n.at, what, "%v", err)
		case isOn(n.word("whitelist")) || isOn(n.word("want_spam")):
			rule := r.out.rule(r.nameRule(strings.ToLower(n.key)), n.at.String())
			r.write(rule, s, n.at.String())
			rule.words("when", []string{"spam/*", anyMail}, n.at.String())
			rule.set("action", "deliver", n.at.String())
			r.note(Differs, n.at, what,
				"a rule by which nothing counts that is found about spam; what is infected or forbidden still counts")
		case apply != nil && apply.get("actions") != nil && len(apply.nodes) == 1:
			own := map[string]entry{}
			for _, a := range apply.get("actions").nodes {
				if _, err := number(a.text); err == nil && a.key != "greylist" {
					own[strings.ReplaceAll(a.key, " ", "_")] = entry{a.text, a.at.String()}
				}
			}
			r.scored(strings.ToLower(n.key), s, own)
			r.stop(n, s, own)
			r.note(Taken, n.at, what, "rules with its thresholds, and one for mail below the lowest of them")
		default:
			r.note(Impossible, n.at, what, "of settings, whitelist, want_spam and thresholds are taken over; "+
				"write a rule with from, to or client for the rest")
		}
	}
}

// stop writes the rule that keeps the thresholds for all from mail with its own thresholds.
func (r *rspamd) stop(n *uclNode, s scope, own map[string]entry) {
	lowest := math.Inf(1)
	for _, e := range own {
		score, _ := number(e.value)
		lowest = min(lowest, score)
	}
	if math.IsInf(lowest, 1) {
		return
	}
	rule := r.out.rule(r.nameRule(strings.ToLower(n.key)+" below its limits"), n.at.String())
	r.write(rule, s, n.at.String())
	rule.words("when", []string{"spam/rspamd < " + strconv.FormatFloat(lowest, 'g', -1, 64)}, n.at.String())
	rule.set("action", "deliver", n.at.String())
}

// settingScope reads which mail settings are for.
func settingScope(n *uclNode) (s scope, err error) {
	for _, c := range n.nodes {
		switch c.key {
		case "from", "rcpt":
			for _, text := range c.words() {
				p, err := address(strings.ToLower(text))
				if err != nil {
					return s, err
				}
				if c.key == "from" {
					s.from = append(s.from, entry{p, c.at.String()})
				} else {
					s.to = append(s.to, entry{p, c.at.String()})
				}
			}
		case "ip":
			for _, text := range c.words() {
				p, ok := network(text)
				if !ok {
					return s, fmt.Errorf("%q is not a network", oneLine(text))
				}
				s.client = append(s.client, entry{p, c.at.String()})
			}
		case "priority", "apply", "whitelist", "want_spam", "id", "name":
		default:
			return s, fmt.Errorf("the condition %q is not taken over; write a rule", oneLine(c.key))
		}
	}
	if s.everybody() {
		return s, fmt.Errorf("it is for nobody in particular")
	}
	return s, nil
}
