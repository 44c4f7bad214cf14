package content

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/format/words"
	"github.com/milterscan/milterscan/scan/open/texts"
)

// maxHits bounds the hits counted for one list in one message.
const maxHits = 1000

// shownHits is how many different words a detail names.
const shownHits = 5

// lists looks for the words of all lists at once.
type lists struct {
	lists  []list
	folded []folded
}

// list is a list ready for use.
type list struct {
	List
	where    map[Where]bool
	patterns []*regexp.Regexp
}

// folded is the words of all lists that fold alike.
type folded struct {
	fold    Fold
	matcher *words.Matcher
	words   []word
	lists   []int // whose words they are
}

// word is a word of a list.
type word struct {
	list int
	text string // as configured
}

func newLists(configured []List) (*lists, error) {
	l := &lists{}
	var errs []error
	byFold := map[Fold][]word{}
	for i, c := range configured {
		c, err := c.read()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		this := list{List: c, where: map[Where]bool{}}
		for _, w := range c.Where {
			this.where[w] = true
		}
		for _, p := range c.Patterns {
			re, _ := c.compile(p) // checked before
			this.patterns = append(this.patterns, re)
		}
		for _, w := range c.Words {
			byFold[c.Fold] = append(byFold[c.Fold], word{i, w})
		}
		l.lists = append(l.lists, this)
	}
	for _, f := range [...]Fold{FoldAll, FoldCase, FoldNone} {
		if all := byFold[f]; len(all) > 0 {
			l.folded = append(l.folded, newFolded(f, all))
		}
	}
	return l, errors.Join(errs...)
}

func newFolded(f Fold, all []word) folded {
	texts := make([]string, len(all))
	for i, w := range all {
		texts[i] = strings.Join(strings.Fields(f.apply(w.text)), " ")
	}
	this := folded{fold: f, matcher: words.New(texts), words: all}
	for _, w := range all {
		if n := len(this.lists); n == 0 || this.lists[n-1] != w.list {
			this.lists = append(this.lists, w.list)
		}
	}
	return this
}

// tally holds the hits of one list.
type tally struct {
	n     int
	parts []int
	shown []string
}

// full reports whether no more is counted.
func (t *tally) full() bool { return t.n >= maxHits }

// hit counts one word.
func (t *tally) hit(w string, in Where, part int) {
	t.n++
	if !slices.Contains(t.parts, part) {
		t.parts = append(t.parts, part)
	}
	what := printable(w) + " in the " + string(in)
	if len(t.shown) < shownHits && !slices.Contains(t.shown, what) {
		t.shown = append(t.shown, what)
	}
}

// judge looks through all of a message.
func (l *lists) judge(ctx context.Context, m *scan.Message, texts *texts.Texts) []scan.Finding {
	if len(l.lists) == 0 {
		return nil
	}
	tallies := make([]tally, len(l.lists))
	for _, f := range m.Header.Fields {
		if strings.EqualFold(f.Name, "Subject") {
			l.search(entity.DecodeWords(f.Value), InSubject, scan.WholeMessage, tallies)
		}
		if l.want(InHeaders) {
			l.search(f.Name+": "+entity.DecodeWords(f.Value), InHeaders, scan.WholeMessage, tallies)
		}
	}
	for i := range m.Parts {
		for _, n := range m.Parts[i].Names {
			l.search(n, InNames, i, tallies)
		}
	}
	for _, t := range texts.Texts {
		if ctx.Err() != nil {
			break
		}
		l.search(t.Text, whereOf(t), t.Part, tallies)
	}
	return l.findings(tallies)
}

// whereOf returns where a text is, as lists call it.
func whereOf(t texts.Text) Where {
	switch {
	case t.Place != texts.Body:
		return InAttachment
	case isPage(t.Form):
		return InHTML
	}
	return InText
}

// want reports whether any list looks there.
func (l *lists) want(in Where) bool {
	return slices.ContainsFunc(l.lists, func(this list) bool { return this.where[in] })
}

// search looks for everything in one text.
func (l *lists) search(text string, in Where, part int, tallies []tally) {
	wanted := func(i int) bool { return l.lists[i].where[in] && !tallies[i].full() }
	for _, f := range l.folded {
		if !slices.ContainsFunc(f.lists, wanted) {
			continue
		}
		as := f.fold.apply(text)
		f.matcher.Find(as, func(w, from, to int) bool {
			this := f.words[w]
			if wanted(this.list) && (!l.lists[this.list].WholeWord || words.Whole(as, from, to)) {
				tallies[this.list].hit(this.text, in, part)
				return !tallies[this.list].full() || slices.ContainsFunc(f.lists, wanted)
			}
			return true
		})
	}
	for i := range l.lists {
		if wanted(i) {
			l.lists[i].match(text, in, part, &tallies[i])
		}
	}
}

// match looks for the patterns of a list.
func (l *list) match(text string, in Where, part int, t *tally) {
	for _, p := range l.patterns {
		for _, found := range p.FindAllString(text, maxHits) {
			t.hit(found, in, part)
		}
	}
}

// findings returns one for each list.
func (l *lists) findings(tallies []tally) (found []scan.Finding) {
	for i, t := range tallies {
		if t.n == 0 {
			continue
		}
		part := scan.WholeMessage
		if len(t.parts) == 1 {
			part = t.parts[0]
		}
		hits := "1 hit"
		if t.n > 1 {
			hits = fmt.Sprintf("%d hits", t.n)
		}
		found = append(found, scan.Finding{
			Kind: scan.Suspicious, Scanner: scannerWord, Rule: scannerWord + "/list-" + l.lists[i].Name, Part: part,
			Detail: hits + ": " + strings.Join(t.shown, ", "), Score: l.lists[i].Score,
		})
	}
	return found
}
