// Package attachment judges attachments, and what archives hold, by every name
// a client might show for them and by what their content is.
package attachment

import (
	"context"
	"errors"
	"fmt"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// Scanner is a scan.Scanner. It keeps no state.
type Scanner struct {
	names    nameRules
	allowed  map[Hash]bool
	contents map[Kind]bool
	members  Members
	longest  int
	config   Config // the limits on size and number
}

// New returns a scanner for the configuration. It reads the files that hold
// further patterns; an error names file and line.
func New(c Config) (*Scanner, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	names, err := newNameRules(c)
	if err != nil {
		return nil, err
	}
	s := &Scanner{
		names:    names,
		allowed:  map[Hash]bool{},
		contents: map[Kind]bool{},
		members:  c.Members,
		longest:  c.LongestName,
		config:   c,
	}
	for _, h := range c.AllowHashes {
		s.allowed[h] = true
	}
	for _, k := range c.DenyContents {
		s.contents[k] = true
	}
	return s, nil
}

// Name returns the word under which all findings of this package are.
func (s *Scanner) Name() string { return word }

// Local implements scan.IsLocal.
func (s *Scanner) Local() bool { return true }

// Scan judges every part. A part that cannot be read is an error; Scan returns the
// findings about the others with it.
func (s *Scanner) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	var found []scan.Finding
	var errs []error
	n, work := newNest(m), newPathWork(m)
	for i := range m.Parts {
		if err := ctx.Err(); err != nil {
			return found, errors.Join(append(errs, err)...)
		}
		p := part{Part: &m.Parts[i], index: i, place: n.places[i]}
		if p.place != attached && s.members == MembersIgnore {
			continue
		}
		of, err := s.judge(ctx, n, p, work)
		if err != nil {
			errs = append(errs, fmt.Errorf("part %s: %w", m.Parts[i].Path, err))
		}
		found = append(found, of...)
	}
	found = append(append(found, s.judgeNumber(n)...), work.judge()...)
	return found, errors.Join(errs...)
}

// judge finds all there is against one part, unless its content is allowed.
func (s *Scanner) judge(ctx context.Context, n *nest, p part, work *pathWork) ([]scan.Finding, error) {
	r := report{part: p}
	s.judgeNames(&r, surroundings{n.around(p.index), work})
	err := s.judgeContent(&r)
	s.judgeSize(&r)
	if err != nil || len(r.found) == 0 || len(s.allowed) == 0 {
		return r.found, err
	}
	hash, allowed, err := s.allowedHash(ctx, n.m, p.index)
	if err != nil || !allowed {
		return r.found, err
	}
	waived := r.found[0]
	r.found = nil
	r.add(ruleAllowed, fmt.Sprintf("%s has the allowed hash %s", waived.Rule, hash))
	return r.found, nil
}

// judgeSize holds attachments against the largest size.
func (s *Scanner) judgeSize(r *report) {
	limit := int64(s.config.MaxSize)
	if limit == 0 || r.place != attached || r.Content == nil || !r.isFile() {
		return
	}
	if n := r.Content.Size(); n > limit {
		r.add(ruleTooLarge, fmt.Sprintf("%s has %d bytes, more than %v", r.label(), n, s.config.MaxSize))
	}
}

// judgeNumber holds the number of attachments against its limit.
func (s *Scanner) judgeNumber(in *nest) []scan.Finding {
	n := 0
	seen := map[*entity.Entity]bool{}
	for i := range in.m.Parts {
		p := part{Part: &in.m.Parts[i], index: i, place: in.places[i]}
		if p.place != attached || !p.isFile() || isShownInText(in.m, p) || p.Entity != nil && p.Entity.Reading != "" || seen[p.Entity] {
			continue
		}
		n++
		seen[p.Entity] = p.Entity != nil // another way to decode it is no other attachment
	}
	if s.config.MaxCount == 0 || n <= s.config.MaxCount {
		return nil
	}
	r := report{part: part{index: scan.WholeMessage}}
	r.add(ruleTooMany, fmt.Sprintf("%d attachments, more than %d", n, s.config.MaxCount))
	return r.found
}
