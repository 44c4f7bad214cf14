package guide

import (
	"iter"
	"slices"
	"strings"
)

// What a search may cost: longer questions are cut off.
const (
	mostQuestion = 200 // bytes
	mostWords    = 8
	mostHits     = 30
	mostExcerpt  = 200 // bytes
)

// Hit is a place that a search has found.
type Hit struct {
	Page    *Page
	Anchor  string
	Heading string
	Excerpt string
	score   int
}

// Search returns the places where all words of a question are, the best first: those with
// the words in their headings.
func (g *Guide) Search(question string) (hits []Hit) {
	words := strings.Fields(strings.ToLower(question[:min(len(question), mostQuestion)]))
	words = words[:min(len(words), mostWords)]
	if len(words) == 0 {
		return nil
	}
	for _, p := range g.order {
		for _, s := range p.sections {
			if score := s.score(strings.ToLower(p.Title), words); score > 0 {
				hits = append(hits, Hit{p, s.anchor, s.heading, excerpt(s.text, words[0]), score})
			}
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return b.score - a.score })
	return hits[:min(len(hits), mostHits)]
}

// score says how well a section answers, 0 if a word is not there.
func (s section) score(title string, words []string) (score int) {
	heading, text := strings.ToLower(s.heading), strings.ToLower(s.text)
	for _, w := range words {
		switch {
		case heading == w:
			score += 20
		case strings.Contains(heading, w):
			score += 8
		case strings.Contains(text, w):
			score += 1
		default:
			return 0
		}
		if strings.Contains(title, w) {
			score += 4
		}
	}
	return score
}

// excerpt returns the words around the first place of a word.
func excerpt(text, word string) string {
	text = strings.Join(strings.Fields(text), " ")
	at := max(strings.Index(strings.ToLower(text), word), 0)
	if at > len(text) { // a letter may be longer in lower case
		at = 0
	}
	from := max(at-mostExcerpt/3, 0)
	if from > 0 {
		if space := strings.IndexByte(text[from:], ' '); space >= 0 {
			from += space + 1
		}
	}
	to := min(from+mostExcerpt, len(text))
	if to < len(text) {
		if space := strings.LastIndexByte(text[from:to], ' '); space > 0 {
			to = from + space
		}
	}
	return strings.ToValidUTF8(text[from:to], "")
}

// Places returns all that can be found, with its whole text, for searches elsewhere.
func (g *Guide) Places() iter.Seq[Hit] {
	return func(yield func(Hit) bool) {
		for _, p := range g.order {
			for _, s := range p.sections {
				if !yield(Hit{Page: p, Anchor: s.anchor, Heading: s.heading, Excerpt: strings.Join(strings.Fields(s.text), " ")}) {
					return
				}
			}
		}
	}
}
