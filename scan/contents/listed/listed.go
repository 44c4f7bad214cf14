// Package listed finds links and files that are on lists which others publish.
package listed

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/listing"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/open/texts"
	"github.com/milterscan/milterscan/scan/scratch"
)

// word is the scanner of all findings of this package.
const word = "feed"

// The findings, before the names of lists.
const (
	ruleLink   = word + "/link/"
	ruleFile   = word + "/file/"
	ruleFailed = word + "/failed/"
)

// Catalogue lists everything this scanner reports.
func Catalogue() []scan.Rule {
	return []scan.Rule{
		{Name: ruleLink + "*", Kind: scan.Suspicious, About: "A link leads to a host or page on the list of that name."},
		{Name: ruleFile + "*", Kind: scan.Infected, About: "A part has a hash on the list of that name."},
		{Name: ruleFailed + "*", Kind: scan.Failed, About: "The list of that name has never been fetched, so what is on it is not known."},
		{Name: scan.FailedRule(word), Kind: scan.Failed, About: "Parts of the message could not be read to compare them with lists."},
	}
}

// List is a list of links or files.
type List struct {
	Name  string
	Kind  listing.Kind
	Score float64
	Table func() *listing.Table // as it is now, nil if it was never fetched
}

// Scanner compares messages with lists.
type Scanner struct {
	lists []List
	texts *texts.Inventory
	by    []markup.Redirector
}

// New returns a scanner. Links through one of the redirectors are looked up by both of their places.
func New(lists []List, t *texts.Inventory, redirectors []string) *Scanner {
	s := &Scanner{lists: lists, texts: t}
	for _, r := range redirectors {
		s.by = append(s.by, markup.ParseRedirector(r))
	}
	return s
}

// Name implements scan.Scanner.
func (s *Scanner) Name() string { return word }

// Scan implements scan.Scanner.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) (found []scan.Finding, err error) {
	var links, files []list
	for _, l := range s.lists {
		t := l.Table()
		if t == nil {
			found = append(found, scan.Finding{Kind: scan.Failed, Scanner: word, Rule: ruleFailed + l.Name, Part: scan.WholeMessage,
				Detail: "the list has never been fetched; \"milterscan feed update\" says why"})
			continue
		}
		if l.Kind == listing.Hashes {
			files = append(files, list{l, t})
		} else {
			links = append(links, list{l, t})
		}
	}
	inLinks, err := s.links(ctx, m, links)
	inFiles, also := compare(ctx, m, files)
	return append(append(found, inLinks...), inFiles...), errors.Join(err, also)
}

// list is a list as it is for one message.
type list struct {
	List
	table *listing.Table
}

// finding returns a finding about an entry of the list.
func (l list) finding(kind scan.Kind, rule string, part int, detail string) scan.Finding {
	return scan.Finding{Kind: kind, Scanner: word, Rule: rule + l.Name, Part: part, Detail: detail, Score: l.Score}
}

// listed is a part and the entry that lists something in it.
type listed struct {
	list, part int
}

// links looks all links up, those in codes and those that are not shown as well. What an
// entry of a list adds to the score it adds once.
func (s *Scanner) links(ctx context.Context, m *scan.Message, lists []list) (found []scan.Finding, err error) {
	if len(lists) == 0 {
		return nil, nil
	}
	all, err := s.texts.Of(ctx, m)
	if all == nil {
		return nil, errors.Join(err, errors.New("the links of the message are not known"))
	}
	seen, scored := map[listed]bool{}, map[int]bool{}
	for t, link := range all.Links() {
		first := markup.ParseLink(link.Target)
		for i, l := range lists {
			entry, ok := l.has(first, markup.Unwrap(first, s.by))
			if !ok || seen[listed{i, t.Part}] {
				continue
			}
			seen[listed{i, t.Part}] = true
			f := l.finding(scan.Suspicious, ruleLink, t.Part, "a link leads to "+shown(entry))
			if scored[i] {
				f.Score = 0
			}
			scored[i] = true
			found = append(found, f)
		}
	}
	return found, nil // a part that cannot be read is told by the scanner of contents
}

// has returns the entry that lists one of the places of a link.
func (l list) has(places ...markup.URL) (string, bool) {
	for _, u := range places {
		if !u.Web() {
			continue
		}
		if entry, ok := l.table.Host(u.Host); ok {
			return entry, true
		}
		if u.Scheme == "" {
			u.Scheme = "http" // as a link without one is opened
		}
		if entry, ok := l.table.URL(u); ok {
			return entry, true
		}
	}
	return "", false
}

// longest is how many bytes of an entry a finding quotes.
const longest = 200

func shown(entry string) string { return fmt.Sprintf("%.*q", longest, entry) }

// functions are the hashes that lists have.
var functions = []func() hash.Hash{md5.New, sha1.New, sha256.New}

// compare takes the hashes of all parts that any list has some of.
func compare(ctx context.Context, m *scan.Message, lists []list) (found []scan.Finding, err error) {
	wanted := func(h hash.Hash) bool {
		for _, l := range lists {
			if l.table.HasSums(h.Size()) {
				return true
			}
		}
		return false
	}
	var sums []hash.Hash
	for _, f := range functions {
		if h := f(); wanted(h) {
			sums = append(sums, h)
		}
	}
	if len(sums) == 0 {
		return nil, nil
	}
	for i, p := range m.Parts {
		if p.Content == nil || p.Content.Size() == 0 {
			continue
		}
		if err := pour(ctx, p.Content, sums); err != nil {
			return found, fmt.Errorf("part %q: %w", p.Path, err)
		}
		for _, l := range lists {
			if sum := l.sum(sums); sum != nil {
				found = append(found, l.finding(scan.Infected, ruleFile, i, fmt.Sprintf("its hash is %x", sum)))
			}
		}
	}
	return found, nil
}

// pour takes the hashes of a content.
func pour(ctx context.Context, c scan.Content, sums []hash.Hash) error {
	for _, h := range sums {
		h.Reset()
	}
	return scratch.Windows(c, 0, 0, func(b []byte, _ int64) error {
		for _, h := range sums {
			h.Write(b)
		}
		return ctx.Err()
	})
}

// sum returns the first of some hashes that is listed.
func (l list) sum(sums []hash.Hash) []byte {
	for _, h := range sums {
		if sum := h.Sum(nil); l.table.Sum(sum) {
			return sum
		}
	}
	return nil
}
