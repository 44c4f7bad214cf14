// Package document looks into documents for what makes them act: macros, fields,
// templates and objects of Office, actions of PDF, commands of shortcuts, files
// embedded in notes, scripts in pictures. What a part is, its content says; its
// name only adds to that.
package document

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
)

// Scanner is a scan.Scanner. It keeps no state.
type Scanner struct {
	basic    *grammar
	trusted  []string
	unpacked int64 // bytes the parts of one message may unpack to
}

// New returns a scanner for the configuration.
func New(c Config) (*Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	g, err := newGrammar(c)
	if err != nil {
		return nil, err
	}
	return &Scanner{basic: g, trusted: slices.Clone(c.TrustedHosts), unpacked: int64(c.MaxUnpacked)}, nil
}

// Name returns the name under which failures are reported; all other findings
// have the word "attachment".
func (s *Scanner) Name() string { return name }

// Local implements scan.IsLocal.
func (s *Scanner) Local() bool { return true }

// Scan looks into every part, the smallest first: macros, relations and menus are small, so
// that they are seen whatever else takes all the work there is. A part that cannot be read is
// an error; Scan returns the findings about the others with it.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	defer m.Enter(ctx)()
	var errs []error
	work := new(archive.Budget)
	ctx, done := work.Within(ctx, m.Work)
	defer done()
	children, ledger := childrenOf(m), &ledger{s.unpacked, work}
	all := make([]*examination, len(m.Parts))
	for i := range m.Parts {
		all[i] = s.examine(ctx, m, i, children[i], ledger)
	}
	for _, i := range bySize(m.Parts) {
		if err := ctx.Err(); err != nil {
			errs = append(errs, err)
			break
		}
		e := all[i]
		err := e.inspect()
		if work.Overworked() {
			e.overworked(m)
		}
		if err != nil && !(work.Overworked() && errors.Is(err, context.Canceled)) {
			errs = append(errs, fmt.Errorf("part %s: %w", m.Parts[i].Path, err))
		}
		if work.Overworked() {
			break
		}
	}
	conclude(all)
	var found []scan.Finding
	for _, e := range all {
		found = append(found, e.report.found...)
	}
	return found, errors.Join(errs...)
}

// bySize returns the indices of parts, the smallest first.
func bySize(parts []scan.Part) []int {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	size := func(i int) int64 {
		if parts[i].Content == nil {
			return 0
		}
		return parts[i].Content.Size()
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(size(a), size(b)) })
	return order
}

// conclude judges macros, once all pieces of their documents were seen: in ODF
// each module and what starts it are in different members of a package.
func conclude(all []*examination) {
	for _, e := range all {
		owner := e
		if up := e.part.Parent; !e.flat && e.part.Archived && up >= 0 && up < len(all) {
			owner = all[up]
		}
		owner.macros.add(e.shared)
		owner.callbacks = append(owner.callbacks, e.ribbons...)
	}
	for _, e := range all {
		if up := e.part.Parent; up >= 0 && up < len(all) {
			e.macros.call(all[up].callbacks)
		}
		e.judgeMacros()
	}
}

// childrenOf lists, for each part, the parts directly inside it.
func childrenOf(m *scan.Message) map[int][]int {
	children := map[int][]int{}
	for i, p := range m.Parts {
		if p.Parent >= 0 {
			children[p.Parent] = append(children[p.Parent], i)
		}
	}
	return children
}

// inspector looks for one sort of document. Several may match one part: a file
// may well be a PDF and something else.
type inspector struct {
	matches func(*examination) bool
	inspect func(*examination) error
}

var inspectors = [...]inspector{
	{(*examination).isCompound, (*examination).compound},
	{(*examination).isActiveMime, (*examination).activeMime},
	{(*examination).isBIFF, (*examination).looseBIFF},
	{(*examination).isBinaryLink, (*examination).binaryLink},
	{(*examination).isPDF, (*examination).pdf},
	{(*examination).isRTF, (*examination).rtf},
	{(*examination).isOneNote, (*examination).oneNote},
	{(*examination).isShellLink, (*examination).shellLink},
	{(*examination).isInternetShortcut, (*examination).internetShortcut},
	{(*examination).isDesktopEntry, (*examination).desktopEntry},
	{(*examination).isXML, (*examination).xml},
	{(*examination).isSYLK, (*examination).sylk},
	{(*examination).isTable, (*examination).table},
}
