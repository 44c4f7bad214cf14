package moving

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// nameRule is a line of filename.rules.conf, or of one like it.
type nameRule struct {
	action string   // "allow", "deny", "rename" or "send"
	to     []string // for "send"
	expr   string
	re     *regexp.Regexp
	tails  []string // the endings of the names that it matches; nil if they are not known
	mime   bool     // it is about the media type
	note   string   // what of the action is not taken over
	text   string
	at     Place
}

// readNames reads the file with rules that a setting names, and the patterns of two further settings,
// which come before it.
func (c *conf) readNames(key, allow, deny string) (rules []nameRule, some bool) {
	for _, list := range []struct{ key, action string }{{allow, "allow"}, {deny, "deny"}} {
		s := c.get(list.key, "")
		l := c.single(s)
		for _, expr := range strings.Fields(l.value) {
			some = true
			rules = c.addName(rules, nameRule{action: list.action, expr: expr, text: s.key + " " + expr, at: l.at})
		}
		if l.value == "" {
			c.done(Needless, s, "it is empty")
		}
		c.done(Taken, s, "as its patterns, which the lines below %s are for", "[attachment]")
	}
	s := c.get(key, "")
	l := c.single(s)
	if l.value == "" {
		c.done(Needless, s, "it names no file")
		return rules, some
	}
	name, err := c.inside(l.value)
	var lines []line
	if err == nil {
		lines, err = c.open(name)
	}
	if err != nil {
		c.done(Unclear, s, "its file cannot be read: %v; what milterscan is shipped with is in force instead", err)
		return rules, some
	}
	for _, line := range lines {
		if !comment(line.text) {
			rules = c.nameLine(rules, line)
		}
	}
	c.done(Taken, s, "line by line; see %s in this report", name)
	return rules, true
}

// nameLine reads one line: what to do, an expression, a text for the log and one for people, with tabs
// between.
func (c *conf) nameLine(rules []nameRule, l line) []nameRule {
	fields := slices.DeleteFunc(strings.Split(l.text, "\t"), func(s string) bool { return strings.TrimSpace(s) == "" })
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	if len(fields) < 2 {
		c.note(Unclear, l.at, l.text, "the line has no two fields; fields have tabs between them")
		return rules
	}
	r := nameRule{expr: fields[1], text: fields[0] + " " + fields[1], at: l.at}
	if len(fields) > 4 && fields[1] == "-" {
		r.expr = fields[2]
	}
	if len(fields) > 4 {
		r.mime, r.expr = true, fields[2]
	}
	switch word, rest := cutWord(strings.ToLower(fields[0])); {
	case word == "allow" || word == "deny":
		r.action = word
	case strings.ReplaceAll(strings.ToLower(fields[0]), " ", "") == "deny+delete":
		r.action, r.note = "deny", "; a copy is kept where one of other blocked files is"
	case word == "rename":
		if r.action = word; rest != "" {
			r.note = "; the new name ends in .renamed"
		}
	case strings.Contains(word, "@"):
		r.action = "send"
		r.to = strings.FieldsFunc(fields[0], func(r rune) bool { return r == ' ' || r == ',' })
		if i := slices.IndexFunc(r.to, func(a string) bool { return !mailbox(a) }); i >= 0 {
			c.note(Unclear, l.at, r.text, "%q is not the address of a mailbox", oneLine(r.to[i]))
			return rules
		}
	default:
		c.note(Unclear, l.at, l.text, "%q is nothing to do; there are allow, deny, deny+delete, rename and addresses",
			oneLine(fields[0]))
		return rules
	}
	return c.addName(rules, r)
}

// addName adds a rule if its expression can be taken over.
func (c *conf) addName(rules []nameRule, r nameRule) []nameRule {
	if err := expression(r.expr); err != nil {
		instead := "what it denied passes, unless another line denies it; " +
			"write patterns such as \"*.exe\" into attachment.deny"
		if r.action == "allow" {
			instead = "what it allowed is allowed only if no line after it denies it; " +
				"write patterns such as \"*.zip.zip\" into attachment.allow"
		}
		c.note(Impossible, r.at, r.text, "%v; %s", err, instead)
		return rules
	}
	re, err := regexp.Compile("(?is)" + r.expr)
	if err != nil {
		c.note(Impossible, r.at, r.text, "the expression is not understood: %v", err)
		return rules
	}
	r.re = re
	r.tails = tails(r.expr)
	return append(rules, r)
}

// tails returns the endings, in small letters, of the names that an expression matches; nil if they are
// not known.
func tails(expr string) (list []string) {
	shapes, err := globs(expr)
	if err != nil {
		return nil
	}
	for _, g := range shapes {
		tail := g[strings.LastIndexByte(g, '*')+1:]
		if tail == "" {
			return nil
		}
		list = append(list, tail)
	}
	return list
}

// apart reports whether no name can match both rules.
func (r nameRule) apart(o nameRule) bool {
	if r.tails == nil || o.tails == nil {
		return false
	}
	for _, a := range r.tails {
		for _, b := range o.tails {
			if strings.HasSuffix(a, b) || strings.HasSuffix(b, a) {
				return false
			}
		}
	}
	return true
}

// patterns returns a rule as patterns of [attachment]: extensions where that says it all.
func (r nameRule) patterns() []string {
	shapes, err := globs(r.expr)
	var list []string
	for _, g := range shapes {
		ext, ok := strings.CutPrefix(g, "*.")
		if !ok || strings.ContainsAny(ext, "*?/:. \t") || ext == "" {
			err = errShape
			break
		}
		list = append(list, ext)
	}
	if err != nil {
		return []string{"/" + r.expr + "/"}
	}
	return list
}

// trick returns a note for a rule about names that milterscan always refuses; "" for another rule.
func (r nameRule) trick() string {
	switch matches := r.re.MatchString; {
	case matches("x.txt") || matches("letter from ann.doc") || r.tails != nil:
		return ""
	case matches("x{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}"):
		return "names with a class identifier are always refused, as attachment/clsid-name"
	case matches("x" + strings.Repeat(" ", 200) + "y"):
		return "names with five blanks or more before the extension are always refused, as attachment/blank-name"
	case matches("letter.wor.doc") && matches("a.bcd.efg"):
		return "a second extension is refused where it is that of a program or a page after that of a document, as " +
			"attachment/double-extension, so that report.final.doc and photo.pdf.jpg pass"
	}
	return ""
}

// longest returns how long a name may be, if a rule denies longer ones and nothing else.
func (r nameRule) longest() (int, bool) {
	re, err := syntax.Parse(r.expr, syntax.Perl)
	if err != nil || re.Op != syntax.OpRepeat || re.Max >= 0 {
		return 0, false
	}
	switch re.Sub[0].Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return re.Min - 1, re.Min > 1
	}
	return 0, false
}

// fileNames takes over the rules about names of files.
func (c *conf) fileNames() {
	rules, some := c.readNames("Filename Rules", "Allow Filenames", "Deny Filenames")
	members, someMembers := c.readNames("Archives Filename Rules", "Archives Allow Filenames",
		"Archives Deny Filenames")
	rules, members = c.settle(rules), c.settle(members)
	t := c.out.table("attachment")
	var allow []entry
	if some {
		t.entries("deny", denied(rules), "Filename Rules")
		t.raw("deny_old", "[]", "Filename Rules: they have all that is denied")
	}
	if someMembers {
		t.entries("deny_members", denied(members), "Archives: Filename Rules")
	}
	allow = append(c.allowed(rules, members), c.allowed(members, rules)...)
	slices.SortFunc(allow, func(a, b entry) int { return strings.Compare(a.value, b.value) })
	if allow = slices.CompactFunc(allow, func(a, b entry) bool { return a.value == b.value }); len(allow) > 0 {
		t.entries("allow", allow, "Filename Rules")
	}
}

// denied returns the patterns of the rules that deny.
func denied(rules []nameRule) (list []entry) {
	for _, r := range rules {
		if r.action != "deny" {
			continue
		}
		for _, p := range r.patterns() {
			if !slices.ContainsFunc(list, func(e entry) bool { return e.value == p }) {
				list = append(list, entry{p, r.at.String()})
			}
		}
	}
	return list
}

// settle returns the rules that are left after those for which milterscan needs no pattern: it refuses such
// names by itself, or gets a separate rule. A note says which.
func (c *conf) settle(rules []nameRule) (rest []nameRule) {
	for _, r := range rules {
		if r.action == "deny" {
			if n, ok := r.longest(); ok {
				c.longestName(n, r)
				continue
			}
			if why := r.trick(); why != "" {
				c.note(Differs, r.at, r.text, "%s", why)
				continue
			}
			c.note(map[bool]How{true: Differs, false: Taken}[r.note != ""], r.at, r.text,
				"a pattern of [attachment]%s", r.note)
		}
		if r.action == "rename" || r.action == "send" {
			c.partRule(r, rest)
			continue
		}
		rest = append(rest, r)
	}
	return rest
}

// longestName sets how long names may be, once.
func (c *conf) longestName(n int, r nameRule) {
	t := c.out.table("attachment")
	if slices.ContainsFunc(t.rows, func(row setRow) bool { return row.key == "longest_name" }) {
		c.note(Differs, r.at, r.text,
			"attachment.longest_name, which is set already and is one for attachments and for members of archives")
		return
	}
	t.raw("longest_name", fmt.Sprint(n), r.at.String())
	c.note(Taken, r.at, r.text, "attachment.longest_name")
}

// partRule writes a separate rule for files that are renamed, or whose mail is sent to other addresses.
func (c *conf) partRule(r nameRule, before []nameRule) {
	shapes, err := globs(r.expr)
	for _, b := range before {
		if err == nil && !b.apart(r) {
			err = fmt.Errorf("a line before it, %s, may be for the same names", b.at)
		}
	}
	if err != nil || r.mime {
		c.note(Impossible, r.at, r.text,
			"rules go by patterns such as \"*.fdf\", and this cannot be one (%v); write a rule with part", err)
		return
	}
	rule := c.out.rule(c.nameRule(map[string]string{
		"rename": "renamed files", "send": "files for somebody else",
	}[r.action]), r.at.String())
	rule.words("part", shapes, r.at.String())
	rule.set("action", "deliver", r.at.String())
	if r.action == "send" {
		rule.words("redirect", r.to, r.at.String())
		c.note(Taken, r.at, r.text, "a rule with redirect")
		return
	}
	rule.set("edit", "rename", r.at.String())
	rule.raw("else", "{ action = \"deliver\" }", r.at.String())
	c.note(Differs, r.at, r.text, "a rule with edit = \"rename\": the new name ends in .renamed, "+
		"and files in archives and in signed mail keep theirs")
}

// allowed returns exceptions for the rules that allow names which a later rule denies. A name that an
// earlier rule denies, or one of the others, gets none, since milterscan's exceptions come first.
func (c *conf) allowed(rules, others []nameRule) (list []entry) {
	for i, r := range rules {
		if r.action != "allow" {
			continue
		}
		meets := func(o nameRule) bool { return o.action == "deny" && !o.apart(r) }
		switch {
		case !slices.ContainsFunc(rules[i:], meets):
			c.note(Needless, r.at, r.text,
				"no line after it that was taken over denies such a name, and other names pass")
		case slices.ContainsFunc(rules[:i], meets) || slices.ContainsFunc(others, meets):
			c.note(Impossible, r.at, r.text, "exceptions of milterscan come before all that is denied, "+
				"and such a name may be denied by a line before it, or in the other file; it stays denied. "+
				"Write what you mean into attachment.allow")
		default:
			for _, p := range r.patterns() {
				list = append(list, entry{p, r.at.String()})
			}
			c.note(Taken, r.at, r.text, "attachment.allow")
		}
	}
	return list
}
