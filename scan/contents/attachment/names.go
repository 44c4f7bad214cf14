package attachment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
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
func (s *Scanner) judgeNames(r *report, around surroundings) {
	s.judgeOtherNames(r)
	for _, raw := range r.Names {
		if raw == "" || s.names.allow.match(lastOf(raw)) != "" || s.names.allow.matchPath(around, lastOf(raw)) != "" {
			continue
		}
		as := disguises(raw)
		s.judgeName(r, raw, as, around)
		if r.place != internal {
			s.judgeTricks(r, raw, as)
		}
	}
}

// judgeOtherNames holds what some clients call a file that has no name against the
// lists: its description, and where it says to be. Neither is meant as a name, so
// what reads as a word of a sentence or a domain does not count.
func (s *Scanner) judgeOtherNames(r *report) {
	if r.Entity == nil || slices.ContainsFunc(r.Names, notEmpty) || !r.isFile() {
		return
	}
	for _, field := range [...]string{"Content-Description", "Content-Location"} {
		for _, value := range r.Entity.Header.Values(field) {
			name := bareName(strings.TrimSpace(entity.DecodeWords(value[:min(len(value), longestOther)])))
			if name == "" || s.names.allow.match(name) != "" || field == "Content-Location" && strings.Contains(value, ":") {
				continue
			}
			if as, pattern := s.denied(r, name, surroundings{}); pattern != "" && pattern != "com" &&
				(pattern != "js" || !strings.ContainsAny(name, " \t")) {
				r.add(as, fmt.Sprintf("%s %s matches %s", field, printable(name), pattern))
			}
		}
	}
}

// longestOther bounds how much of such a field is read.
const longestOther = 4 << 10

// judgeName holds one name against the lists, first as it is, then as
// Windows or a client may take it.
func (s *Scanner) judgeName(r *report, raw string, taken []disguise, around surroundings) {
	plain := lastOf(raw)
	as, pattern := s.denied(r, plain, around)
	if pattern != "" {
		r.add(as, fmt.Sprintf("%s matches %s", printable(raw), pattern))
		return
	}
	for _, seen := range taken {
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
func (s *Scanner) denied(r *report, name string, around surroundings) (rule, string) {
	if r.place != attached && s.members == MembersOwn {
		return ruleName, either(s.names.members.match(name), s.names.members.matchPath(around, name))
	}
	if pattern := either(s.names.deny.match(name), s.names.deny.matchPath(around, name)); pattern != "" {
		if isComposite(r.Type) && (pattern == "com" || pattern == "js" && strings.ContainsAny(name, " \t")) {
			return "", "" // a forwarded mail is named by its subject, which may end in a domain, or "about vue.js"
		}
		return ruleName, pattern
	}
	return ruleOldName, either(s.names.old.match(name), s.names.old.matchPath(around, name))
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
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

// judgeTricks looks for tricks in a name that deceive: a trick counts where
// the real extension is one that runs or is a page, or where readers see another
// than the real one.
func (s *Scanner) judgeTricks(r *report, raw string, taken []disguise) {
	name := lastOf(raw)
	names := append([]disguise{{name: name}}, taken...)
	risky := s.runs(names)
	switch {
	case strings.ContainsFunc(raw, isBidi) && (risky || turnsExtension(name)):
		r.add(ruleBidi, printable(raw))
	case strings.ContainsFunc(raw, isControl) && (risky || s.cutsExtension(name)):
		r.add(ruleControl, printable(raw))
	}
	if strings.IndexByte(raw, '{') >= 0 && (clsid(r.place).MatchString(raw) || risky && clsidAnywhere.MatchString(raw)) {
		r.add(ruleCLSID, printable(raw))
	}
	if shown := beforeBlanks(name); shown != "" && (risky || showsOther(shown, name)) {
		r.add(ruleBlanks, printable(raw))
	}
	if n := utf8.RuneCountInString(name); n > s.longest {
		r.add(ruleLong, fmt.Sprintf("%d characters: %s", n, printable(name)))
	}
	if inner, last := s.doubleExtension(r, names); last != "" {
		r.add(ruleDouble, fmt.Sprintf("%s ends in .%s.%s", printable(raw), inner, last))
	}
}

// runs reports whether a name, as it is or as some program takes it, ends in a
// denied extension or that of a page.
func (s *Scanner) runs(names []disguise) bool {
	return slices.ContainsFunc(names, func(d disguise) bool { return s.denies(d.name) || pageExtensions[extension(d.name)] })
}

// denies reports whether a name is on any of the lists, wherever it is.
func (s *Scanner) denies(name string) bool {
	return s.names.deny.match(name) != "" || s.names.old.match(name) != "" || s.names.members.match(name) != ""
}

// turnsExtension reports whether the extension of a name is written in another
// direction than the letters in it: what turns the direction to the left is not
// closed before the last dot, or comes after it. Embeddings that are closed again,
// as messengers put them around numbers, leave it where it is.
func turnsExtension(name string) bool {
	last := strings.LastIndexByte(name, '.')
	var open []direction
	for i, r := range name {
		switch {
		case i > last && r != pdf && r != pdi && isBidi(r) && directions[r].left:
			return true
		case i > last:
		case r == pdf:
			if n := len(open); n > 0 && !open[n-1].isolate {
				open = open[:n-1]
			}
		case r == pdi:
			for n := len(open) - 1; n >= 0; n-- {
				if open[n].isolate {
					open = open[:n]
					break
				}
			}
		case isBidi(r):
			open = append(open, directions[r])
		}
	}
	return slices.ContainsFunc(open, func(d direction) bool { return d.left })
}

// What closes embeddings and overrides, and what closes isolates with all that was
// opened in them (Unicode Standard Annex 9, section 3.3.2).
const (
	pdf = '\u202c'
	pdi = '\u2069'
)

// direction is one that a character opens; left is also what depends on the
// letters that follow.
type direction struct{ left, isolate bool }

var directions = map[rune]direction{
	'\u202a': {}, '\u202d': {}, '\u2066': {isolate: true}, // LRE, LRO, LRI
	'\u202b': {left: true}, '\u202e': {left: true}, // RLE, RLO
	'\u2067': {left: true, isolate: true}, '\u2068': {left: true, isolate: true}, // RLI, FSI
}

// cutsExtension reports whether a program that ends a name at a control character
// sees another extension than one that passes over it. No honest name has a NUL.
func (s *Scanner) cutsExtension(name string) bool {
	whole := extension(bareName(name))
	for i, r := range name {
		if !isControl(r) {
			continue
		}
		cut := bareName(name[:i])
		ext := extension(cut)
		if r == 0 || ext != whole && (documentExtensions[ext] || pageExtensions[ext] || s.denies(cut)) {
			return true
		}
	}
	return false
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

// beforeBlanks returns the visible part of a name whose extension is out of sight,
// "" for any other name.
func beforeBlanks(name string) string {
	name = strings.TrimRightFunc(name, func(r rune) bool { return r == '.' || isBlankRune(r) })
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return ""
	}
	stem := name[:dot]
	bare := strings.TrimRightFunc(stem, isBlankRune)
	if utf8.RuneCountInString(stem[len(bare):]) < manyBlanks {
		return ""
	}
	return bare
}

// showsOther reports whether the visible part of a name promises another sort of
// file than the name does.
func showsOther(shown, name string) bool {
	seen := extension(shown)
	return (documentExtensions[seen] || pageExtensions[seen]) && seen != extension(bareName(name))
}

// doubleExtension returns the last two extensions of a name if the last is of a
// program, or in an attachment of a web page, and the one before of a document.
func (s *Scanner) doubleExtension(r *report, names []disguise) (inner, last string) {
	for _, d := range names {
		if last = extension(d.name); last == "" || last == "com" {
			continue
		}
		stem := strings.TrimRight(strings.TrimSuffix(strings.ToLower(d.name), "."+last), " \t_")
		inner = strings.TrimSpace(extension(stem))
		if !documentExtensions[inner] {
			continue
		}
		_, pattern := s.denied(r, d.name, surroundings{})
		if pattern != "" || r.place == attached && pageExtensions[last] {
			return inner, last
		}
	}
	return "", ""
}
