package moving

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// perlOnly has the signs that expressions of Perl have and those of milterscan, whose time grows only
// with the text, do not.
var perlOnly = []struct{ sign, name string }{
	{`\(\?<?[=!]`, "looks ahead or behind"},
	{`\\[1-9]`, "refers back to what it has matched (\\1)"},
	{`[*+?}]\+`, "is possessive"},
	{`\(\?>`, "has an atomic group"},
	{`\(\?(R|[0-9]|&|\()`, "calls itself or asks a condition"},
	{`\\[GKRXZ]`, "has a sign that only Perl has"},
}

// expression checks a regular expression of Perl, and returns why it cannot be taken over.
func expression(text string) error {
	_, err := regexp.Compile(text)
	if err == nil {
		return nil
	}
	for _, p := range perlOnly {
		if regexp.MustCompile(p.sign).MatchString(text) {
			return fmt.Errorf("the expression %s, which only Perl can", p.name)
		}
	}
	return fmt.Errorf("the expression is not understood: %w", err)
}

// maxShapes bounds the globs that are made of one expression.
const maxShapes = 256

// errShape is returned for an expression that no few globs can replace.
var errShape = errors.New("the expression stands for too much to be written as patterns")

// globs returns patterns, in small letters and with "*" for anything, that match the same texts as
// an expression, if a few patterns can.
func globs(text string) ([]string, error) {
	if err := expression(text); err != nil {
		return nil, err
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	shapes, err := expand(re.Simplify())
	if err != nil {
		return nil, err
	}
	for i, s := range shapes {
		if s = "*" + s + "*"; strings.HasPrefix(s, "*^") {
			s = s[2:]
		}
		s = strings.TrimSuffix(s, "$*")
		if strings.ContainsAny(s, "^$") {
			return nil, errShape
		}
		for strings.Contains(s, "**") {
			s = strings.ReplaceAll(s, "**", "*")
		}
		shapes[i] = s
	}
	slices.Sort(shapes)
	return slices.Compact(shapes), nil
}

// expand returns the texts that an expression matches, with "^" and "$" for the ends of the text: no
// address and no file name that is taken over holds these signs.
func expand(re *syntax.Regexp) ([]string, error) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []string{""}, nil
	case syntax.OpBeginText, syntax.OpBeginLine:
		return []string{"^"}, nil
	case syntax.OpEndText, syntax.OpEndLine:
		return []string{"$"}, nil
	case syntax.OpLiteral:
		s := strings.ToLower(string(re.Rune))
		if strings.ContainsAny(s, "^$*?") {
			return nil, errShape
		}
		return []string{s}, nil
	case syntax.OpCharClass:
		return class(re.Rune)
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpQuest:
		some, err := expand(re.Sub[0])
		return append(some, ""), err
	case syntax.OpStar, syntax.OpPlus:
		if op := re.Sub[0].Op; op == syntax.OpAnyChar || op == syntax.OpAnyCharNotNL {
			return []string{"*"}, nil
		}
	case syntax.OpConcat:
		return sequence(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			some, err := expand(sub)
			if all = append(all, some...); err != nil || len(all) > maxShapes {
				return nil, errShape
			}
		}
		return all, nil
	}
	return nil, errShape
}

// class returns the characters of a class, if they are few.
func class(ranges []rune) (all []string, err error) {
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] >= maxShapes {
			return nil, errShape
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if s := strings.ToLower(string(r)); !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	if len(all) > maxShapes || slices.ContainsFunc(all, func(s string) bool { return strings.ContainsAny(s, "^$*?") }) {
		return nil, errShape
	}
	return all, nil
}

// sequence returns the texts that several expressions match, one after the other.
func sequence(list []*syntax.Regexp) ([]string, error) {
	all := []string{""}
	for _, sub := range list {
		some, err := expand(sub)
		if err != nil || len(all)*len(some) > maxShapes {
			return nil, errShape
		}
		next := make([]string, 0, len(all)*len(some))
		for _, a := range all {
			for _, b := range some {
				next = append(next, a+b)
			}
		}
		all = next
	}
	return all, nil
}
