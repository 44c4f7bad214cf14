package attachment

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
)

// nameRules are the lists that names are held against.
type nameRules struct {
	deny, old, members, macro, allow patternSet
}

func newNameRules(c Config) (n nameRules, err error) {
	deny := c.Deny
	for _, file := range c.DenyFiles {
		more, err := readPatterns(file)
		if err != nil {
			return n, fmt.Errorf("deny_files: %w", err)
		}
		deny = append(deny[:len(deny):len(deny)], more...)
	}
	for _, list := range []struct {
		set  *patternSet
		key  string
		from []Pattern
	}{
		{&n.deny, "deny", deny}, {&n.old, "deny_old", c.DenyOld}, {&n.members, "deny_members", c.DenyMembers},
		{&n.macro, "macro", c.Macro}, {&n.allow, "allow", c.Allow},
	} {
		if *list.set, err = newPatternSet(list.from); err != nil {
			return n, fmt.Errorf("%s: %w", list.key, err)
		}
	}
	return n, nil
}

// judgeNames holds every name of the part against the lists and the tricks.
func (s *Scanner) judgeNames(r *report, m *scan.Message) {
	around := holders(m, r.index)
	for _, raw := range r.Names {
		if raw == "" || s.names.allow.match(lastOf(raw)) != "" || s.names.allow.matchPath(around+lastOf(raw)) != "" {
			continue
		}
		s.judgeName(r, raw, around)
		if r.place != internal {
			s.judgeTricks(r, raw)
		}
	}
}

// judgeName holds one name against the lists, first as it stands, then as
// Windows or a client may take it.
func (s *Scanner) judgeName(r *report, raw, around string) {
	plain := lastOf(raw)
	as, pattern := s.denied(r, plain, around)
	if pattern != "" {
		r.add(as, fmt.Sprintf("%s matches %s", printable(raw), pattern))
		return
	}
	for _, seen := range disguises(raw) {
		if _, pattern := s.denied(r, seen.name, around); pattern != "" && !seen.doubtful(pattern) {
			r.add(ruleDisguised, fmt.Sprintf("%s is taken for %s, which matches %s", printable(raw), printable(seen.name), pattern))
			return
		}
	}
	if pattern := s.names.macro.match(plain); pattern != "" {
		r.add(ruleMacroName, fmt.Sprintf("%s matches %s", printable(raw), pattern))
	}
}

// denied returns the rule and the pattern that deny a name, or two empty
// strings.
func (s *Scanner) denied(r *report, name, around string) (rule, string) {
	if r.place != attached && s.members == MembersOwn {
		return ruleName, either(s.names.members.match(name), s.names.members.matchPath(around+name))
	}
	if pattern := either(s.names.deny.match(name), s.names.deny.matchPath(around+name)); pattern != "" {
		if pattern == "com" && isComposite(r.Type) {
			return "", "" // a forwarded mail is named by its subject, which may end in a domain
		}
		return ruleName, pattern
	}
	return ruleOldName, either(s.names.old.match(name), s.names.old.matchPath(around+name))
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// holders are the names round a part from the outside in, each with a slash
// behind it: "forwarded.eml/invoice.zip/". A part without a name has its type.
func holders(m *scan.Message, i int) string {
	var names []string
	for p := m.Parts[i].Parent; p >= 0 && p < i; i, p = p, m.Parts[p].Parent {
		names = append(names, holderName(m.Parts[p]))
	}
	var b strings.Builder
	for n := len(names) - 1; n >= 0; n-- {
		b.WriteString(names[n])
		b.WriteByte('/')
	}
	return b.String()
}

func holderName(p scan.Part) string {
	switch name := p.Name(); {
	case name != "":
		return strings.ReplaceAll(lastOf(name), "/", "_")
	case p.Type == "message/rfc822" || p.Type == "message/global":
		return "message.eml"
	}
	return "unnamed"
}

// judgeTricks looks for what is done to a name to deceive.
func (s *Scanner) judgeTricks(r *report, raw string) {
	name := lastOf(raw)
	switch {
	case strings.ContainsFunc(raw, isBidi):
		r.add(ruleBidi, printable(raw))
	case strings.ContainsFunc(raw, isControl):
		r.add(ruleControl, printable(raw))
	}
	if clsid(r.place).MatchString(raw) {
		r.add(ruleCLSID, printable(raw))
	}
	if blanksBeforeExtension(name) {
		r.add(ruleBlanks, printable(raw))
	}
	if n := utf8.RuneCountInString(name); n > s.longest {
		r.add(ruleLong, fmt.Sprintf("%d characters: %s", n, printable(name)))
	}
	if inner, last := s.doubleExtension(r, raw); last != "" {
		r.add(ruleDouble, fmt.Sprintf("%s ends in .%s.%s", printable(raw), inner, last))
	}
}

// Windows takes a class identifier at the end of a name for its type. In an
// attachment one anywhere is refused; archives hold folders named so.
var (
	clsidAnywhere  = regexp.MustCompile(`(?i)\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}`)
	clsidExtension = regexp.MustCompile(`(?i)[^/\\]\.\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}[. ]*$`)
)

func clsid(p place) *regexp.Regexp {
	if p == attached {
		return clsidAnywhere
	}
	return clsidExtension
}

// manyBlanks before an extension move it out of sight.
const manyBlanks = 5

func blanksBeforeExtension(name string) bool {
	name = strings.TrimRightFunc(name, isBlankRune)
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return false
	}
	stem := name[:dot]
	bare := strings.TrimRightFunc(stem, isBlankRune)
	return utf8.RuneCountInString(stem[len(bare):]) >= manyBlanks
}

// doubleExtension returns the last two extensions of a name if the last is of a
// program, or in an attachment of a web page, and the one before of a document.
func (s *Scanner) doubleExtension(r *report, raw string) (inner, last string) {
	names := append([]disguise{{name: lastOf(raw)}}, disguises(raw)...)
	for _, d := range names {
		last = extension(d.name)
		stem := strings.TrimRight(strings.TrimSuffix(strings.ToLower(d.name), "."+last), " \t_")
		inner = strings.TrimSpace(extension(stem))
		if last == "" || last == "com" || !documentExtensions[inner] {
			continue
		}
		_, pattern := s.denied(r, d.name, "")
		if pattern != "" || r.place == attached && pageExtensions[last] {
			return inner, last
		}
	}
	return "", ""
}
