package edit

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// disarm takes out of a page, or makes inert, what the findings are about. Text
// stays.
func (w *work) disarm(c *change, s *site, edits []policy.Edit) error {
	if !w.whole(s, edits) {
		return errInside
	}
	asked, err := w.asked(edits)
	if err != nil {
		return err
	}
	p, err := w.page(s.part)
	if err != nil {
		return err
	}
	if changed, err := w.harmless(p, asked); err != nil || !changed {
		return err
	}
	c.body, c.with = p.content, fitting(s.entity, w.Message.Parts[s.part].Content, p.content)
	c.charset = p.label
	if p.decoded {
		c.inUTF8()
	}
	return nil
}

// maxPasses bounds how often a page is gone through: what was put before one link
// may come to be in another that has no end.
const maxPasses = 4

// harmless makes a page harmless, and reports whether that took any change.
func (w *work) harmless(p *page, asked map[string]bool) (changed bool, err error) {
	rules := w.against(p.page)
	for range maxPasses {
		d := &disarmer{work: w, asked: asked, content: p.content, at: map[markup.Span][]markup.Objection{}}
		if err := d.run(p); err != nil {
			return false, err
		}
		splices := d.all()
		if len(splices) == 0 {
			return changed, d.check(p.page, rules)
		}
		changed = true
		if p.content, err = patch(p.content, spanOf(p.content), splices); err != nil {
			return false, err
		}
		if p.page, err = p.read(p.content, w.wordless()); err != nil {
			return false, err
		}
		if err := d.check(p.page, rules); err != nil {
			return false, err
		}
		if !slices.ContainsFunc(warns, func(rule string) bool { return asked[rule] }) {
			return true, nil
		}
	}
	return false, errors.New("every pass over the page finds more to change")
}

// against returns the rules that are broken by a page.
func (w *work) against(p *markup.Page) map[string]bool {
	rules := map[string]bool{}
	for _, o := range w.Pages.Objections(p) {
		rules[o.Rule] = true
	}
	return rules
}

// disarms are the findings that disarming removes the cause of; for those about a
// page in a file, it removes all that acts.
var (
	acting = []string{
		"content/applet", "content/embed", "content/event-handler", "content/form", "content/iframe", "content/link-program",
		"content/link-script",
		"content/meta-refresh", "content/object", "content/script", foreign,
	}
	pages   = []string{"content/html-attachment", "content/smuggling", "attachment/svg-script"}
	fetches = []string{"content/remote-style", "content/web-bug"}
	unlinks = []string{"content/link-bad", "content/link-program", "content/link-script"}
	warns   = []string{"content/link-hidden", "content/link-lookalike", "content/link-mailto", "content/link-mismatch",
		"content/link-numeric", "content/link-userinfo"}
)

// foreign is the name for HTML inside a picture, which is no separate finding.
const foreign = "foreignobject"

// asked returns the findings that some edits are for.
func (w *work) asked(edits []policy.Edit) (map[string]bool, error) {
	asked := map[string]bool{}
	for _, e := range edits {
		for _, f := range e.Found {
			rule := w.Found[f].Rule
			switch {
			case slices.Contains(pages, rule):
				for _, a := range acting {
					asked[a] = true
				}
			case slices.Contains(acting, rule), slices.Contains(fetches, rule), slices.Contains(unlinks, rule), slices.Contains(warns, rule):
				asked[rule] = true
			default:
				return nil, fmt.Errorf("a finding %s cannot be disarmed", rule)
			}
		}
	}
	return asked, nil
}

// disarmer goes through a page and collects the changes.
type disarmer struct {
	*work
	content scan.Content
	links   []markup.Link
	at      map[markup.Span][]markup.Objection // by tag
	asked   map[string]bool
	splices []splice

	around
	other  around               // the same for what may be tags in other tokens
	within []splice             // of those
	forms  int                  // open ones that became something else
	warned *markup.Span         // the last tag that has a warning
	opens  map[markup.Span]bool // tags of other elements than "a" whose content is shown for a link
	sheet  markup.Span          // a style sheet to be changed once its end is sure
}

// around is what comes before a token, and what it is in.
type around struct {
	raw    rawElement
	before recentText  // the text shown before it
	inLink [2]string   // the element whose link is open: as browsers read the page, and in what only some clients do
	style  markup.Span // the tag of the style sheet that is being read
}

// rawElement is an element with literal text that is to go with it.
type rawElement struct {
	name string
	end  int64 // where what was read of it ends
	text []markup.Span
}

// run collects the changes to a page.
func (d *disarmer) run(p *page) error {
	d.links, d.opens = p.page.Links, map[markup.Span]bool{}
	for _, l := range d.links {
		if l.Where != "a" && l.Inside.Len() > 0 {
			d.opens[l.Tag] = true
		}
	}
	for _, o := range append(d.Pages.Objections(p.page), d.scriptLinks(p.page)...) {
		if d.asked[o.Rule] && (o.Link < 0 || d.links[o.Link].Where != markup.InText) {
			d.at[o.Tag] = append(d.at[o.Tag], o)
		}
	}
	r := p.reader(int(d.Markup.Token))
	for n := 0; ; n++ {
		if n%1024 == 0 && d.ctx.Err() != nil {
			return d.ctx.Err()
		}
		t, err := r.Next()
		switch {
		case err == io.EOF && r.Cut():
			return errors.New("a tag of the page is longer than the limit for one tag")
		case err == io.EOF:
			d.endStyle(nil)
			return nil
		case err != nil:
			return err
		}
		d.token(t)
	}
}

// scriptLinks returns scripts in the place of addresses that no reader clicks, such
// as those of backgrounds, where all that acts has to go.
func (d *disarmer) scriptLinks(p *markup.Page) (found []markup.Objection) {
	if !d.asked[foreign] {
		return nil
	}
	for i, l := range p.Links {
		if u := markup.ParseLink(l.Target); l.Fetched() && l.Where != markup.InStyle && u.Active() && u.Scheme != "data" {
			found = append(found, markup.Objection{Rule: "content/link-script", Tag: l.Tag, Link: i, Place: u.Place()})
		}
	}
	return found
}

// token looks at one token.
func (d *disarmer) token(t *markup.Token) {
	if t.Maybe {
		d.maybe(t)
		return
	}
	if d.raw.name != "" && !d.goesOn(t) {
		d.raw = rawElement{}
	}
	d.endStyle(t)
	switch t.Kind {
	case markup.Text:
		d.before.add(t.Text())
	case markup.Literal:
		d.literal(t)
	case markup.StartTag:
		d.startTag(t)
	case markup.EndTag:
		d.endTag(t)
	}
}

// maybe makes what is a tag for some clients harmless. What is before and after it as others
// split the page is not what these have there.
func (d *disarmer) maybe(t *markup.Token) {
	d.around, d.other = d.other, d.around
	splices := d.splices
	d.splices = d.within
	switch t.Kind {
	case markup.Text:
		d.before.add(t.Text())
	case markup.StartTag:
		d.startTag(t)
	case markup.EndTag:
		d.endLink(t)
	}
	d.raw = rawElement{}
	d.within, d.splices = d.splices, splices
	d.around, d.other = d.other, d.around
}

// all returns the changes. Where something is taken out as a whole, nothing in it is left to
// change.
func (d *disarmer) all() []splice {
	if len(d.within) == 0 {
		return d.splices
	}
	whole := slices.DeleteFunc(slices.Clone(d.splices), func(s splice) bool { return s.at.Len() == 0 })
	slices.SortFunc(whole, func(a, b splice) int { return cmp.Compare(a.at.Start, b.at.Start) })
	all := d.splices
	for _, s := range d.within {
		i, at := slices.BinarySearchFunc(whole, s.at.Start, func(w splice, start int64) int { return cmp.Compare(w.at.Start, start) })
		if !at {
			i--
		}
		if i < 0 || s.at.End > whole[i].at.End {
			all = append(all, s)
		}
	}
	return all
}

// goesOn reports whether a token belongs to the element with literal text before
// it, and takes that text out once its end is sure. Where it has no end some
// clients show what follows, so only its tag goes.
func (d *disarmer) goesOn(t *markup.Token) bool {
	if t.Name != d.raw.name || t.Span.Start != d.raw.end {
		return false
	}
	switch t.Kind {
	case markup.Literal:
		d.raw.text = append(d.raw.text, t.Span)
		d.raw.end = t.Span.End
		return true
	case markup.EndTag:
		for _, s := range d.raw.text {
			d.drop(s)
		}
		d.drop(t.Tag())
		d.raw = rawElement{name: t.Name, end: -1}
		return true
	}
	return false
}

// replace puts something in the place of a span, and drop nothing.
func (d *disarmer) replace(at markup.Span, with string) {
	d.splices = append(d.splices, splice{spanIn(at), text(with)})
}

// drop takes a span out, so that the text before and after it does not come
// together as a new tag.
func (d *disarmer) drop(at markup.Span) {
	before, err := bytesAt(d.content, markup.Span{Start: max(at.Start-1, 0), End: at.Start})
	if err == nil && len(before) == 1 && strings.ContainsRune("<!/&?", rune(before[0])) {
		d.replace(at, " ")
		return
	}
	d.replace(at, "")
}

// check makes sure that nothing is left in the new page of what had to go, and
// nothing is new in it. Addresses in its text do not count: they may have come
// to light, and lead nowhere by themselves. A link that misleads only now, since it
// shows the text of a link that was inside it, gets a warning as well.
func (d *disarmer) check(after *markup.Page, rules map[string]bool) error {
	if after.Cut {
		return errors.New("the new page is over the limits for pages")
	}
	for _, o := range d.Pages.Objections(after) {
		if o.Link >= 0 && after.Links[o.Link].Where == markup.InText {
			continue
		}
		switch {
		case rules[o.Rule]:
		case slices.Contains(warns, o.Rule):
			d.asked[o.Rule] = true
		default:
			return fmt.Errorf("the new page would have a new finding: %s", o.Rule)
		}
		if d.asked[o.Rule] && !slices.Contains(warns, o.Rule) {
			return fmt.Errorf("the new page would still have the finding: %s", o.Rule)
		}
	}
	if len(d.scriptLinks(after)) > 0 {
		return errors.New("the new page would still have a script in place of an address")
	}
	if d.asked[foreign] && slices.ContainsFunc(after.Elements, func(e markup.Element) bool { return e.Name == foreign }) {
		return errors.New("the picture would still hold a page")
	}
	return nil
}
