package moving

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// setting is one setting of MailScanner, as it is in force.
type setting struct {
	key, name string // as it is written, and as MailScanner compares it
	value     string
	at        Place  // empty if MailScanner's own value is in force
	preset    string // what MailScanner has without it
	file      bool   // its value may be the name of a file that is no ruleset
}

// text returns the setting as it is written.
func (s setting) text() string { return s.key + " = " + s.value }

// origin says where the value comes from.
func (s setting) origin() string {
	if s.at.File == "" {
		return "MailScanner's default: " + s.key + " = " + s.value
	}
	return s.at.String() + " " + s.key
}

// conf is a running import of MailScanner.conf.
type conf struct {
	*taking
	dir  string // as it was named
	vars map[string]string
	set  map[string]setting
	said map[string]bool // the settings about which a note says what became of them
	kept map[string][]clause
}

const (
	mainConf   = "MailScanner.conf"
	systemDir  = "/etc/MailScanner"
	maxInclude = 8 // files that include each other
)

// normal returns the name of a setting as MailScanner compares it.
func normal(key string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(key))
}

// readConf reads a file, and those that it includes.
func (c *conf) readConf(name string, within []string) error {
	lines, err := c.open(name)
	if err != nil {
		return err
	}
	within = append(slices.Clone(within), name)
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		for strings.HasSuffix(l.text, `\`) && i+1 < len(lines) && len(l.text) < maxLine {
			i++
			l.text = strings.TrimSuffix(l.text, `\`) + strings.TrimLeft(lines[i].text, " \t")
		}
		c.confLine(l, within)
	}
	return nil
}

// confLine takes one line.
func (c *conf) confLine(l line, within []string) {
	text := withoutComment(l.text)
	if text == "" {
		return
	}
	if rest, ok := cutInclude(text); ok {
		c.include(l.at, rest, within)
		return
	}
	key, value, ok := strings.Cut(text, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok || key == "" {
		c.note(Unclear, l.at, text, "the line is no setting: it has no \"=\" with a name before it")
		return
	}
	value, err := c.expanded(value)
	switch name := normal(key); {
	case err != nil:
		c.note(Unclear, l.at, text, "%v", err)
	case strings.HasPrefix(key, "%") && strings.HasSuffix(key, "%") && len(key) > 2:
		c.vars[strings.ToLower(key)] = value
	case name == "":
		c.note(Unclear, l.at, text, "the name of the setting has no letters")
	default:
		if old, twice := c.set[name]; twice {
			c.note(Needless, old.at, old.text(), "a later line sets it again, and the last one counts")
		}
		c.set[name] = setting{key: key, name: name, value: value, at: l.at}
	}
}

// withoutComment returns a line without blanks at its ends and without its comment, which begins the line
// or comes after a blank.
func withoutComment(text string) string {
	for i := range text {
		if text[i] == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t') {
			text = text[:i]
			break
		}
	}
	return strings.TrimSpace(text)
}

// cutInclude returns which files a line includes.
func cutInclude(text string) (string, bool) {
	word, rest := cutWord(text)
	return rest, strings.EqualFold(word, "include") && rest != "" && !strings.Contains(rest, "=")
}

// expanded fills in variables. They were filled in themselves when they were set, so that none can grow
// without end.
func (c *conf) expanded(value string) (string, error) {
	var b strings.Builder
	for rest := value; ; {
		before, name, after := cutVariable(rest)
		b.WriteString(before)
		if name == "" {
			break
		}
		v, ok := c.vars[strings.ToLower(name)]
		if !ok {
			return "", fmt.Errorf("the variable %s is not set before it is used", name)
		}
		if b.WriteString(v); b.Len() > maxLine {
			return "", fmt.Errorf("with its variables filled in, the value has more than %d bytes", maxLine)
		}
		rest = after
	}
	return b.String(), nil
}

// cutVariable cuts a text at its first variable, such as %org-name%; name is empty if there is none.
func cutVariable(s string) (before, name, after string) {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		end := strings.IndexByte(s[i+1:], '%')
		if end > 0 && strings.Trim(s[i+1:i+1+end],
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == "" {
			return s[:i], s[i : i+end+2], s[i+end+2:]
		}
	}
	return s, "", ""
}

// include reads the files that a pattern names.
func (c *conf) include(at Place, pattern string, within []string) {
	said := "include " + pattern
	pattern, err := c.expanded(pattern)
	if err == nil {
		pattern, err = c.inside(pattern)
	}
	if err != nil {
		c.note(Unclear, at, said, "%v", err)
		return
	}
	names, err := fs.Glob(c.root.FS(), pattern)
	if err != nil {
		c.note(Unclear, at, said, "the pattern of files is not understood")
		return
	}
	if len(names) == 0 && !strings.ContainsAny(pattern, "*?[") {
		names = []string{pattern}
	}
	slices.Sort(names)
	for _, name := range names {
		if base := path.Base(name); base == "README" || strings.HasPrefix(base, ".") {
			continue
		}
		switch {
		case slices.Contains(within, name):
			err = fmt.Errorf("%s includes itself", name)
		case len(within) >= maxInclude:
			err = fmt.Errorf("more than %d files include each other", maxInclude)
		default:
			err = c.readConf(name, within)
		}
		if err != nil {
			c.note(Unclear, at, said, "%s was not read: %v", name, err)
		}
	}
}

// inside returns the path, below the directory that is read, of a file that MailScanner names.
func (c *conf) inside(name string) (string, error) {
	if !path.IsAbs(name) {
		name = path.Clean(name)
		if name == ".." || strings.HasPrefix(name, "../") {
			return "", fmt.Errorf("%s is outside of the directory that is read", name)
		}
		return name, nil
	}
	name = path.Clean(name)
	for _, dir := range []string{c.vars["%etc-dir%"], systemDir, c.dir} {
		if rest, ok := strings.CutPrefix(name, strings.TrimSuffix(dir, "/")+"/"); ok && dir != "" && path.IsAbs(dir) {
			return rest, nil
		}
	}
	return "", fmt.Errorf("%s is outside of the directory that is read; put a copy into it, and name that", name)
}

// paths are the settings whose value may be a path that is no ruleset.
var paths = map[string]bool{
	"clamdsocket": true, "quarantinedir": true, "archivemail": true, "spamlistdefinitions": true,
	"phishingsafesitesfile": true, "phishingbadsitesfile": true, "filenamerules": true, "filetyperules": true,
	"archivesfilenamerules": true, "archivesfiletyperules": true, "inlinetextsignature": true,
	"inlinehtmlsignature": true,
}

// about notes what became of one line of a ruleset, or of the setting itself.
func (c *conf) about(how How, s setting, l clause, why string, values ...any) {
	if l.at == s.at {
		c.done(how, s, why, values...)
		return
	}
	c.note(how, l.at, s.key+" "+l.value, why, values...)
}

// get returns a setting, with MailScanner's own value if it is not set.
func (c *conf) get(key, preset string) setting {
	s, ok := c.set[normal(key)]
	if !ok {
		s = setting{key: key, name: normal(key), value: preset}
	}
	s.preset, s.file = preset, paths[s.name]
	return s
}

// done notes what became of a setting that a file has, unless it was said.
func (c *conf) done(how How, s setting, why string, values ...any) {
	if s.at.File == "" || c.said[s.name] {
		return
	}
	c.said[s.name] = true
	c.note(how, s.at, s.text(), why, values...)
}

// yes reports whether a value says yes; ok is false if it says neither yes nor no.
func yes(value string) (is, ok bool) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "yes", "1":
		return true, true
	case "no", "0", "":
		return false, true
	}
	return false, false
}

// single returns the value of a setting for all mail, and notes if a ruleset has others.
func (c *conf) single(s setting) clause {
	list := c.clauses(s)
	if len(list) > 1 {
		c.done(Impossible, s, "milterscan has one value of it for all mail; that for all mail, %q, was taken, "+
			"and the %d lines before it were not",
			list[len(list)-1].value, len(list)-1)
	}
	return list[len(list)-1]
}

// is reports whether a setting says yes for all mail.
func (c *conf) is(key, preset string) bool {
	s := c.get(key, preset)
	l := c.single(s)
	is, ok := yes(l.value)
	if !ok {
		c.done(Unclear, s, "%q is neither yes nor no; %q was taken", l.value, preset)
		is, _ = yes(preset)
	}
	return is
}

// number reads a number, with "k", "m" and "g" for a thousand, a million and a billion.
func number(s string) (float64, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	factor := 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "m": 1e6, "g": 1e9} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			s, factor = rest, f
			break
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n != n || n > 1e15 || n < -1e15 {
		return 0, fmt.Errorf("%q is no number", s)
	}
	return n * factor, nil
}
