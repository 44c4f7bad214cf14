package attachment

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Pattern is one entry of a list of names; Config says how it is written.
type Pattern string

// pathPrefix makes a pattern one on the names from the outermost attachment
// inwards.
const pathPrefix = "path:"

// UnmarshalText reads a pattern and refuses one that could never match.
func (p *Pattern) UnmarshalText(text []byte) error {
	v := Pattern(strings.TrimSpace(string(text)))
	if _, err := v.compile(); err != nil {
		return err
	}
	*p = v
	return nil
}

// MarshalText writes the pattern as it was written.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p), nil }

// extension returns the extension a pattern represents, in lower case, or "".
func (p Pattern) extension() string {
	ext := strings.TrimPrefix(string(p), ".")
	if strings.ContainsAny(ext, "*?/:. \t") {
		return ""
	}
	return strings.ToLower(ext)
}

// onPath cuts the prefix off that makes a pattern one on the path.
func (p Pattern) onPath() (rest string, yes bool) { return strings.CutPrefix(string(p), pathPrefix) }

// compile makes an expression of any pattern that is no plain extension.
func (p Pattern) compile() (*regexp.Regexp, error) {
	text, path := p.onPath()
	switch {
	case text == "":
		return nil, errors.New("a pattern is empty; write an extension such as \"exe\"")
	case len(text) > 1 && text[0] == '/' && text[len(text)-1] == '/':
		re, err := regexp.Compile("(?is)" + text[1:len(text)-1])
		if err != nil {
			return nil, fmt.Errorf("%q: %v", text, err)
		}
		return re, nil
	case !path && strings.Contains(text, "/"):
		return nil, fmt.Errorf("%q: a name has no slash; put %q before a pattern on the path", text, pathPrefix)
	case !path && text[0] == '.':
		text = "*" + text
	}
	return regexp.Compile("(?is)^" + globExpression(text) + "$")
}

// globExpression returns a glob as a regular expression.
func globExpression(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch {
		case strings.HasPrefix(glob[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case glob[i] == '*':
			b.WriteString("[^/]*")
		case glob[i] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	return b.String()
}

// patternSet is a list of patterns ready for matching.
type patternSet struct {
	extensions map[string]bool
	names      []expression
	paths      []expression
}

// expression is a compiled pattern with its text, for details.
type expression struct {
	text string
	re   *regexp.Regexp
	end  string // what names end in that it matches, in whatever case; "" for anything
}

func newPatternSet(lists ...[]Pattern) (patternSet, error) {
	set := patternSet{extensions: map[string]bool{}}
	for _, list := range lists {
		for _, p := range list {
			if err := set.add(p); err != nil {
				return set, err
			}
		}
	}
	return set, nil
}

func (s *patternSet) add(p Pattern) error {
	if ext := p.extension(); ext != "" {
		s.extensions[ext] = true
		return nil
	}
	re, err := p.compile()
	if err != nil {
		return err
	}
	if _, path := p.onPath(); path {
		s.paths = append(s.paths, expression{string(p), re, p.end()})
	} else {
		s.names = append(s.names, expression{text: string(p), re: re})
	}
	return nil
}

// match returns the pattern that matches a name, or "".
func (s *patternSet) match(name string) string {
	if ext := extension(name); s.extensions[ext] {
		return ext
	}
	return first(s.names, name)
}

// matchPath returns the pattern that matches a name with the names around it, or "".
func (s *patternSet) matchPath(around surroundings, name string) string {
	path := ""
	for _, e := range s.paths {
		if !around.work.affords(1, priceEnd) {
			return ""
		}
		if !endsFolded(name, e.end) {
			continue
		}
		if !around.work.affords(int64(len(around.names)+len(name)), pricePath) {
			return ""
		}
		if path == "" {
			path = around.names + name
		}
		if e.re.MatchString(path) {
			return e.text
		}
	}
	return ""
}

func first(list []expression, text string) string {
	for _, e := range list {
		if e.re.MatchString(text) {
			return e.text
		}
	}
	return ""
}

// extension returns what follows the last dot of a name, in lower case, "" if
// there is none.
func extension(name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return ""
	}
	return strings.ToLower(name[dot+1:])
}

// longestPattern bounds a line of a file of patterns, in bytes.
const longestPattern = 64 << 10

// readPatterns reads a file of patterns.
func readPatterns(file string) ([]Pattern, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []Pattern
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestPattern)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		var p Pattern
		if err := p.UnmarshalText([]byte(text)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		list = append(list, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}
