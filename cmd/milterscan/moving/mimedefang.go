package moving

import (
	"fmt"
	"regexp"
	"strings"
)

// Mimedefang takes over the addresses, numbers and lists of extensions that mimedefang-filter assigns as literals.
// The rest is a program in Perl; the report names each of its functions by the line.
func Mimedefang(dir string, step func()) (*Result, error) {
	t, err := begin(dir, step)
	if err != nil {
		return nil, err
	}
	const name = "mimedefang-filter"
	lines, err := t.open(name)
	if err != nil {
		t.root.Close()
		return nil, fmt.Errorf("%s/%s: %w", dir, name, err)
	}
	c := &conf{taking: t, vars: map[string]string{}, set: map[string]setting{}, said: map[string]bool{},
		kept: map[string][]clause{}}
	t.out.top.set("profile", "default", "the rules that come after those below")
	for _, l := range lines {
		c.filterLine(l)
	}
	return t.end("MIMEDefang", []string{
		"MIMEDefang's engines are called by its code: write [[virus]] for each, docs/engines.md shows how. " +
			"Until then no mail is infected but by lists of hashes.",
		"A filter of MIMEDefang is a program. What it decides is written as rules of milterscan: " +
			"docs/policy.md has what rules go by, docs/recipes.md has examples.",
		defaultProfile + "MIMEDefang does what its filter says, and nothing by itself.",
	}), nil
}

// function finds the line that begins a function of a filter.
var function = regexp.MustCompile(`^\s*sub\s+(\w+)`)

// filterFunctions says which settings of milterscan replace each function that MIMEDefang calls.
var filterFunctions = map[string]string{
	"filter_begin":        "what it does at the beginning of a message is a rule without part, or limits",
	"filter":              "what it does to a part is a rule with part or when, and edit",
	"filter_multipart":    "what it does to a part is a rule with part or when, and edit",
	"filter_end":          "what it does at the end is a rule about the score, or headers of a rule",
	"filter_relay":        "what it asks of clients is a rule with client, or [[spam.list]]",
	"filter_helo":         "what it asks of HELO is relay.helo and a rule about relay/helo-*",
	"filter_sender":       "what it asks of senders is a rule with from",
	"filter_recipient":    "what it asks of recipients is a rule with to, or [[people.source]] with domains",
	"filter_bad_filename": "which names are bad is attachment.deny",
}

// filterLine takes over one line of the filter.
func (c *conf) filterLine(l line) {
	if m := function.FindStringSubmatch(l.text); m != nil {
		why, known := filterFunctions[m[1]]
		if !known {
			why = "it is a function of the filter's own"
		}
		c.note(Impossible, l.at, "sub "+m[1], "it is code in Perl, and no code is run; %s", why)
		return
	}
	text := strings.TrimSpace(l.text)
	if !strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(text, "my "), "our "), "$") ||
		!strings.Contains(text, "=") {
		return
	}
	a, some := assigned(strings.TrimSpace(text), c.vars)
	if !some {
		return
	}
	switch a.name {
	case "$AdminAddress", "$DaemonAddress", "$MaxMIMEParts", "$bad_exts", "$AdminName", "$DaemonName",
		"$SALocalTestsOnly", "$AddWarningsInline":
	default:
		if strings.HasPrefix(a.name, "$Stupidity{") {
			c.note(Needless, l.at, text, "it works around faults of other programs")
		}
		return // a variable of the program
	}
	if a.err != nil {
		c.note(Impossible, l.at, text, "%v", a.err)
		return
	}
	c.filterSetting(l, a, text)
}

// filterSetting takes over one assignment.
func (c *conf) filterSetting(l line, a assignment, text string) {
	switch {
	case a.name == "$bad_exts":
		c.badExtensions(l, a.value.text, text)
	case a.name == "$AdminAddress" && mailbox(a.value.text):
		rule := c.out.rule(c.nameRule("infected"), l.at.String())
		rule.words("when", []string{"infected"}, l.at.String())
		rule.set("action", "reject", l.at.String())
		rule.words("notify", []string{a.value.text}, l.at.String())
		c.note(Taken, l.at, text,
			"notify of a rule about infected mail, which is refused; write it into further rules that are to tell")
	case a.name == "$DaemonAddress" && mailbox(a.value.text):
		c.out.table("notices").set("from", a.value.text, l.at.String())
		c.note(Taken, l.at, text, "notices.from")
	case a.name == "$MaxMIMEParts":
		if n, err := number(a.value.text); err == nil && n >= 1 && n <= 1e6 {
			c.out.table("limits").raw("parts", fmt.Sprint(int(n)), l.at.String())
			c.note(Differs, l.at, text, "limits.parts, which counts members of archives as well")
			return
		}
		c.note(Needless, l.at, text, "it is no limit")
	default:
		c.note(Needless, l.at, text, "milterscan has its own texts, and spamd its own settings")
	}
}

// badExtensions takes over the list of extensions of the shipped filter: (ade|adp|...).
func (c *conf) badExtensions(l line, expr, text string) {
	t := c.out.table("attachment")
	if len(t.rows) > 0 {
		c.note(Impossible, l.at, text, "the filter sets it before, and that was taken")
		return
	}
	var list []entry
	for _, alternative := range alternatives(expr) {
		shapes, err := globs("^(" + alternative + ")$")
		for _, s := range shapes {
			if strings.ContainsAny(s, "*?/:. \t{}\\") || s == "" {
				err = errShape
				continue
			}
			list = append(list, entry{s, l.at.String()})
		}
		switch {
		case err != nil && strings.HasPrefix(alternative, `\{`):
			c.note(Needless, l.at, "$bad_exts "+alternative,
				"names with a class identifier are always refused, as attachment/clsid-name")
		case err != nil:
			c.note(Impossible, l.at, "$bad_exts "+alternative, "%v; write the extension into attachment.deny", err)
		}
	}
	t.entries("deny", list, l.at.String())
	t.raw("deny_old", "[]", l.at.String()+": the list has all that is denied")
	c.note(Taken, l.at, text,
		"attachment.deny, which has what is refused; contents and members of archives are judged as shipped")
}

// alternatives splits an expression at its bars outside of inner brackets.
func alternatives(expr string) (list []string) {
	if inner, ok := strings.CutPrefix(expr, "("); ok && strings.HasSuffix(inner, ")") {
		expr = strings.TrimPrefix(strings.TrimSuffix(inner, ")"), "?:")
	}
	begun, depth := 0, 0
	for i := 0; i < len(expr); i++ {
		switch expr[i] {
		case '\\':
			i++
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '|':
			if depth == 0 {
				list = append(list, expr[begun:i])
				begun = i + 1
			}
		}
	}
	return append(list, expr[begun:])
}
