package moving

import (
	"fmt"
	"regexp"
	"strings"
)

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
