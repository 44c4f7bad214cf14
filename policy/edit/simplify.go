package edit

import (
	"cmp"
	"errors"
	"path"
	"strings"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// simplify makes plain text of a page: what it shows, without what it could do.
func (w *work) simplify(c *change, s *site, edits []policy.Edit) error {
	switch {
	case !w.whole(s, edits):
		return errInside
	case s.entity.Type == "text/plain":
		return nil
	case !strings.HasPrefix(s.entity.Type, "text/") && !isXML(s.entity.Type):
		return errors.New("the part is no page")
	}
	p, err := w.page(s.part)
	if err != nil {
		return err
	}
	shown, err := p.read(p.content, w.Markup)
	if err != nil {
		return err
	}
	if shown.Cut {
		return errors.New("the page is over the limits for pages")
	}
	var names []string
	for _, n := range s.entity.Names {
		names = []string{strings.TrimSuffix(n, path.Ext(n)) + ".txt"}
		break
	}
	c.set("Content-Type", contentType("text/plain", []parameter{{"charset", "utf-8"}}, names...))
	if names != nil {
		c.set("Content-Disposition", disposition(cmp.Or(s.entity.Disposition, "attachment"), names...))
	}
	c.body = text(strings.ReplaceAll(shown.Text, "\n", w.newline) + w.newline)
	c.with, c.charset, c.plain = entity.QuotedPrintable, "utf-8", true
	return nil
}
