// Package content judges what a message shows and what its pages could do: links
// that lead elsewhere than they say, forms, scripts, embedded things, images that
// report back, files hidden in scripts.
package content

import (
	"context"
	"slices"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
	"github.com/milterscan/milterscan/scan/open/texts"
)

// Scanner is a scan.Scanner. It keeps no state but the inventory's.
type Scanner struct {
	texts *texts.Inventory
	links linkJudge
	bugs  bugJudge
	lists *lists
	ours  ours
	config
}

// config is what findings are made of, ready for use.
type config struct {
	scores     map[string]float64
	hiddenText int
	smuggled   int
}

// With is what a scanner works with.
type With struct {
	Texts   *texts.Inventory         // reads messages; others may use it as well
	Trusted func(scan.Envelope) bool // reports mail from our clients; nil: there is none
	Domains []string                 // ours, ".example.com" for all below one
	Called  Called                   // finds our people by their names; nil: only files name them
}

// New returns a scanner for the configuration. It reads the files of lists and names; an
// error names file and line.
func New(c Config, w With) (*Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	lists, err := newLists(c.Lists)
	if err != nil {
		return nil, err
	}
	more, err := readDomains(c.SafeFiles)
	if err != nil {
		return nil, err
	}
	ours, err := newOurs(c, w)
	if err != nil {
		return nil, err
	}
	s := &Scanner{
		lists:  lists,
		texts:  w.Texts,
		ours:   ours,
		links:  newLinkJudge(c),
		bugs:   bugJudge{c.BugSize, hosts(c.BugHosts), c.Spacers},
		config: config{c.allScores(), c.HiddenText, int(c.Smuggled)},
	}
	s.links.more = more
	return s, nil
}

// Name returns the word under which all findings of this package are.
func (s *Scanner) Name() string { return scannerWord }

// Local implements scan.IsLocal: files and the directory of our people are in memory.
func (s *Scanner) Local() bool { return true }

// Scan judges every page. A part that cannot be read is an error; Scan returns the
// findings about the others with it.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	texts, err := s.texts.Of(ctx, m)
	b := book{scores: s.scores}
	for _, t := range texts.Texts {
		if ctx.Err() != nil {
			break
		}
		if isPage(t.Form) {
			s.judge(b.page(t.Part), t)
		} else if t.Page.Cut && len(s.lists.lists) > 0 {
			b.page(t.Part).add(ruleLimit, "not all of the text was searched")
		}
	}
	s.judgeRemote(&b, texts)
	s.judgeCodes(&b, m, texts)
	judgeAuthors(&b, m)
	s.ours.judge(&b, m)
	for _, u := range texts.Unread {
		if isPage(u.Form) || len(s.lists.lists) > 0 {
			b.page(u.Part).add(ruleLimit, "the texts of this message are larger than what is read of them")
		}
	}
	return append(b.findings(), s.lists.judge(ctx, m, texts)...), err
}

func isPage(f texts.Form) bool {
	return f == texts.HTML || f == texts.XHTML || f == texts.SVG
}

// judge finds all there is against one page. What a page could do matters more
// in a file, which a browser opens, than in a message.
func (s *Scanner) judge(r *report, t texts.Text) {
	switch {
	case t.Form == texts.SVG: // what pictures could do is for those who look into documents
	case t.Place == texts.Body:
		s.judgeElements(r, t.Page)
		s.judgeHidden(r, t.Page)
	default:
		if acts := acting(t.Page); len(acts) > 0 {
			r.add(ruleAttachment, "a page with "+enumerate(acts))
		}
	}
	if t.Place != texts.Member {
		s.links.judge(r, t.Page)
	}
	if how := s.smuggles(t); how != "" {
		r.add(ruleSmuggling, how)
	}
	if t.Page.Cut {
		r.add(ruleLimit, "the page holds more than what is read of one")
	}
}

// Objections returns all findings about a page, one by one with the places they are
// about, as if it were the text of a message.
func (s *Scanner) Objections(p *markup.Page) []markup.Objection {
	found := []markup.Objection{}
	r := &report{found: &found}
	s.judgeElements(r, p)
	s.links.judge(r, p)
	return found
}

// judgeHidden reports text that no reader sees.
func (s *Scanner) judgeHidden(r *report, p *markup.Page) {
	if s.hiddenText > 0 && p.Hidden >= s.hiddenText {
		r.addf(ruleHiddenText, "%d characters are hidden by style, %d are shown", p.Hidden, p.Letters)
	}
}

// fewLetters is the least text that counts as one.
const fewLetters = 2

// judgeRemote reports a page that shows nothing by itself, in a message that
// shows nothing else: what it is will be known when it is read, and can be
// changed until then.
func (s *Scanner) judgeRemote(b *book, all *texts.Texts) {
	shows := func(t texts.Text) bool { return t.Place == texts.Body && t.Letters >= fewLetters }
	if slices.ContainsFunc(all.Texts, shows) {
		return
	}
	for _, t := range all.Texts {
		if t.Place != texts.Body || !isPage(t.Form) {
			continue
		}
		if place := s.remoteOnly(t.Page); place != "" {
			b.page(t.Part).add(ruleExternal, "nothing is shown but what comes from "+place)
		}
	}
}

// remoteOnly returns a place all of a page comes from, "" if some of it is in the mail
// or there is nothing to show.
func (s *Scanner) remoteOnly(p *markup.Page) (place string) {
	for _, l := range p.Links {
		if !l.Fetched() || l.Hidden || !shownHere(l) {
			continue
		}
		u := markup.ParseLink(l.Target)
		switch {
		case u.Scheme == "cid", u.Scheme == "data":
			return ""
		case u.Web() && place == "" && !s.bugs.isBug(p, l, u):
			place = u.Place()
		}
	}
	return place
}

// shownHere reports whether what a link fetches is shown in its place.
func shownHere(l markup.Link) bool {
	switch l.Where {
	case "img", "image", "input", "iframe", "frame", "object", "embed", "video", "svg":
		return true
	}
	return false
}
