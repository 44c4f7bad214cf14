package pipeline

import (
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/edit"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/open/unpack"
)

// newEditor makes what edits messages. What it takes out of pages is what the
// scanner of pages objects to.
func newEditor(c *config.Config, with *Shared, opener *unpack.Opener, scanners []scan.Scanner) (*edit.Editor, error) {
	var pages edit.Pages
	for _, s := range scanners {
		if p, ok := s.(edit.Pages); ok {
			pages = p
		}
	}
	return edit.New(edit.Options{
		Config:    c.Edit,
		NewParser: opener.NewParser,
		NewBuffer: func() edit.Buffer { return with.Spool.Buffer() },
		Pages:     pages,
		Markup:    c.Content.Limits.Limits,
		Formats:   with.Workers.Formats(),
		Archive:   c.Limits.Archive,
	})
}
