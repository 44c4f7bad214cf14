package edit

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/markup"
)

// Harmless returns a page in UTF-8 without all that acts, or that leads or fetches from
// where a rule may object to, whatever was found in it: for a person who is to look at
// it. The error says why it cannot be made so; then the page is not to be shown.
func (e *Editor) Harmless(ctx context.Context, content scan.Content, label string) (string, error) {
	w := &work{Editor: e, ctx: ctx}
	defer func() { (&Result{buffers: w.buffers}).Close() }()
	p, err := w.readPage(&page{content: content, label: label})
	if err != nil {
		return "", err
	}
	asked := map[string]bool{}
	for _, rule := range slices.Concat(acting, fetches, unlinks) {
		asked[rule] = true
	}
	if _, err := w.harmless(p, asked); err != nil {
		return "", err
	}
	text, err := io.ReadAll(markup.NewSource(p.content, p.content.Size(), p.label).UTF8())
	return strings.ToValidUTF8(string(text), "\ufffd"), err
}

// Disarms reports whether Disarm removes the cause of a finding.
func Disarms(rule string) bool {
	return slices.ContainsFunc([][]string{acting, pages, fetches, unlinks, warns}, func(list []string) bool {
		return slices.Contains(list, rule)
	})
}
