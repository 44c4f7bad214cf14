package attachment

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
)

// What it takes to hold a path against a pattern.
const (
	priceEnd  archive.Price = 30_000 // to look whether it ends as the pattern does
	pricePath archive.Price = 60_000 // a byte of it, if it does
)

// surroundings are the names around a part, and the work left for holding it against patterns on paths.
type surroundings struct {
	names string // from the outside in, each with a slash after it
	work  *pathWork
}

// pathWork is the work left for the patterns on paths of one message. Names are paid where they are
// found; but a path has the names of all that is around a member, again for each member.
type pathWork struct {
	budget *archive.Budget
	over   bool
}

func newPathWork(m *scan.Message) *pathWork {
	w := &pathWork{budget: new(archive.Budget)}
	w.budget.Within(context.Background(), m.Work)
	return w
}

// affords charges n steps of one price, and reports whether they may be done.
func (w *pathWork) affords(n int64, each archive.Price) bool {
	if w == nil {
		return true
	}
	w.budget.Work(n, each)
	w.over = w.over || w.budget.Overworked()
	return !w.over
}

// judge says so if not all patterns could be held against all paths.
func (w *pathWork) judge() []scan.Finding {
	if !w.over {
		return nil
	}
	r := report{part: part{index: scan.WholeMessage}}
	r.add(ruleManyPaths,
		"holding the paths of all parts against the patterns on paths takes more work than limits.cpu leaves for it")
	return r.found
}

// end returns what names end in that a pattern on paths matches, in whatever case: in a glob, what follows the last
// of its signs and slashes.
func (p Pattern) end() string {
	text, path := p.onPath()
	if !path || len(text) > 1 && text[0] == '/' && text[len(text)-1] == '/' {
		return ""
	}
	return text[strings.LastIndexAny(text, "*?/")+1:]
}

// endsFolded reports whether a text ends in another, whatever the case of both.
func endsFolded(text, end string) bool {
	for end != "" {
		a, n := utf8.DecodeLastRuneInString(text)
		b, k := utf8.DecodeLastRuneInString(end)
		if n == 0 || a != b && !strings.EqualFold(string(a), string(b)) {
			return false
		}
		text, end = text[:len(text)-n], end[:len(end)-k]
	}
	return true
}
