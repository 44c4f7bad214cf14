package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/milterscan/milterscan/scan"
)

// Condition is one thing a rule asks of the findings. As text it is one of
//
//	infected           a finding of this kind: note, malformed, ambiguous,
//	                   suspicious, forbidden, infected, unscannable, failed
//	attachment/name    a finding of this rule; "*" matches anything, also
//	                   a slash: attachment/*, virus/*Eicar*
//	spam/rspamd >= 8   a finding of this rule that itself has such a score
//	score >= 5         the scores of all findings added up; also > < <=
//	score >= own 5     the same, by the limit that the recipient has set;
//	                   5 for those who have set none
//
// Those with a name or a kind are about one finding, the others about the message itself.
type Condition struct {
	kind    scan.Kind // for a kind
	pattern string    // for a rule's name
	compare string    // for the score: of the finding where there is a pattern, else of all
	limit   float64
	own     bool // the limit of the recipient comes before limit
}

// OfKind asks for findings of a kind.
func OfKind(k scan.Kind) Condition { return Condition{kind: k} }

// Named asks for findings by the name of their rule.
func Named(pattern string) Condition { return Condition{pattern: pattern} }

// ScoreAtLeast asks for a sum of all scores.
func ScoreAtLeast(limit float64) Condition { return Condition{compare: ">=", limit: limit} }

// AnyScore asks for a score, whatever it is.
func AnyScore() Condition { return Condition{compare: anyScore} }

// anyScore is the comparison that every score meets.
const anyScore = "any"

// named asks for findings of any of several rules.
func named(patterns ...string) []Condition {
	list := make([]Condition, len(patterns))
	for i, p := range patterns {
		list[i] = Named(p)
	}
	return list
}

// comparisons are ordered so that a longer one is found before its beginning.
var comparisons = [...]string{">=", "<=", ">", "<"}

// UnmarshalText reads a condition.
func (c *Condition) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if rest, ok := strings.CutPrefix(s, "score"); ok {
		return c.parseScore(strings.TrimSpace(rest), s)
	}
	if k, ok := scan.ParseKind(s); ok {
		*c = OfKind(k)
		return nil
	}
	pattern, rest := s, ""
	if i := strings.IndexAny(s, " \t<>"); i >= 0 {
		pattern, rest = s[:i], strings.TrimSpace(s[i:])
	}
	word, name, ok := strings.Cut(pattern, "/")
	if !ok || word == "" || name == "" || rest != "" && !strings.ContainsAny(rest[:1], "<>") {
		return fmt.Errorf("%q is no condition; write a kind such as \"infected\", a rule such as \"attachment/*\", or a score "+
			"such as \"score >= 5\"", text)
	}
	if rest == "" {
		*c = Named(s)
		return nil
	}
	err := c.parseScore(rest, s)
	if err == nil && c.own {
		err = fmt.Errorf("%q: the limit of a recipient is for the score of the message; write \"score %s %s %g\"", s, c.compare, ownWord, c.limit)
	}
	c.pattern = pattern
	return err
}

func (c *Condition) parseScore(rest, whole string) error {
	for _, op := range comparisons {
		number, ok := strings.CutPrefix(rest, op)
		if !ok {
			continue
		}
		number = strings.TrimSpace(number)
		standard, own := strings.CutPrefix(number, ownWord)
		if own {
			number = strings.TrimSpace(standard)
		}
		limit, err := strconv.ParseFloat(number, 64)
		if own && number == "" {
			return fmt.Errorf("%q says nothing for recipients who have set no limit; write \"score %s %s 6\"", whole, op, ownWord)
		}
		if err != nil || limit-limit != 0 { // not a number, or infinite
			break
		}
		*c = Condition{compare: op, limit: limit, own: own}
		return nil
	}
	return fmt.Errorf("%q compares the score with nothing; write \"score >= 5\"", whole)
}

// MarshalText returns the reverse of UnmarshalText.
func (c Condition) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String returns the condition as it may be written.
func (c Condition) String() string {
	switch {
	case c.compare == anyScore:
		return "any score"
	case c.compare != "":
		number := strconv.FormatFloat(c.limit, 'g', -1, 64)
		if c.own {
			number = ownWord + " " + number
		}
		return cmp.Or(c.pattern, "score") + " " + c.compare + " " + number
	case c.pattern != "":
		return c.pattern
	}
	return c.kind.String()
}

// aboutFinding reports whether the condition is about a single finding.
func (c Condition) aboutFinding() bool { return !c.AboutScore() }

// Matches reports whether a condition about a finding holds for f.
func (c Condition) Matches(f scan.Finding) bool { return c.matches(f) }

func (c Condition) matches(f scan.Finding) bool {
	switch {
	case c.AboutScore():
		return false
	case c.pattern != "":
		return matchGlob(c.pattern, f.Rule) && (c.compare == "" || c.holdsFor(f.Score))
	}
	return f.Kind == c.kind
}

// holdsFor reports whether the comparison holds for a score.
func (c Condition) holdsFor(score float64) bool {
	switch c.compare {
	case anyScore:
		return true
	case ">=":
		return score >= c.limit
	case ">":
		return score > c.limit
	case "<=":
		return score <= c.limit
	}
	return score < c.limit
}

// CanMatch reports whether any finding a catalogue lists could meet the
// condition. One that nothing can meet is a slip of the pen.
func (c Condition) CanMatch(catalogue []scan.Rule) bool {
	return slices.ContainsFunc(catalogue, func(r scan.Rule) bool {
		switch {
		case c.AboutScore():
			return true
		case c.pattern != "":
			return globsMeet(c.pattern, r.Name)
		}
		return r.Kind == c.kind
	})
}
