package moving

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

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
