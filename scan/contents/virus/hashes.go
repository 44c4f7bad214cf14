package virus

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scratch"
)

// hashes is the built-in engine. It looks for the EICAR test string in every
// part and between the parts, wherever it is, and for every part in its hash
// lists. It never changes once made.
type hashes struct {
	name  string
	known *hashList
}

func newHashes(c Config) (*hashes, error) {
	known, err := loadLists(c.Lists)
	if err != nil {
		return nil, err
	}
	return &hashes{name: word + "/" + c.Name, known: known}, nil
}

// Name returns "virus/" and the name of the entry.
func (h *hashes) Name() string { return h.name }

// Scan searches every part to its end, and then, unless a part has the test
// string, the bytes between the parts.
func (h *hashes) Scan(ctx context.Context, m *scan.Message) ([]scan.Finding, error) {
	var all []scan.Finding
	tested := false
	for i, p := range m.Parts {
		if p.Content == nil {
			continue
		}
		names, err := h.look(ctx, p.Content)
		if err != nil {
			return all, fmt.Errorf("part %q: %w", p.Path, err)
		}
		for _, name := range names {
			all = append(all, found(h.name, name, i))
			tested = tested || name == eicarName
		}
	}
	if tested {
		return all, nil
	}
	for _, c := range between(m) {
		there, err := searchEICAR(ctx, c)
		if err != nil {
			return all, fmt.Errorf("the message: %w", err)
		}
		if there {
			return append(all, found(h.name, eicarName, scan.WholeMessage)), nil
		}
	}
	return all, nil
}

// between returns the stretches of the raw message that belong to no part: headers,
// delimiters and the text around them. Where opening noted anything at all, it is
// the whole: it is then not certain which bytes belong to which part.
func between(m *scan.Message) []scan.Content {
	if m.Root == nil || len(m.Notes) > 0 {
		return []scan.Content{m.Raw}
	}
	var gaps []scan.Content
	at := int64(0)
	gap := func(to int64) {
		if to-at >= int64(len(eicar)) {
			gaps = append(gaps, io.NewSectionReader(m.Raw, at, to-at))
		}
	}
	parts := map[*entity.Entity]bool{}
	for _, p := range m.Parts {
		parts[p.Entity] = p.Content != nil
	}
	for e := range leaves(m.Root) {
		if parts[e] {
			gap(e.Body.Start)
			at = e.Body.End
		}
	}
	gap(m.Raw.Size())
	return gaps
}

// leaves returns all leaves of the first reading, in their order.
func leaves(e *entity.Entity) iter.Seq[*entity.Entity] {
	return func(yield func(*entity.Entity) bool) { eachLeaf(e, yield) }
}

func eachLeaf(e *entity.Entity, yield func(*entity.Entity) bool) bool {
	if !e.Composite() {
		return yield(e)
	}
	for _, child := range e.Children {
		if !eachLeaf(child, yield) {
			return false
		}
	}
	return true
}

// look returns the names of what c is or holds, in one pass over it, or none where opening it has searched it.
func (h *hashes) look(ctx context.Context, c scan.Content) (names []string, err error) {
	if c.Size() == 0 {
		return nil, nil
	}
	sums := h.known.sums(c.Size())
	search, seen := scratch.LoreOf(c).Recall(eicarKey{}).(*eicarSearch)
	if !seen || len(sums) > 0 {
		search = new(eicarSearch)
		err = pour(ctx, c, func(piece []byte) error {
			search.See(piece)
			for _, s := range sums {
				s.hash.Write(piece)
			}
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	if search.found {
		names = append(names, eicarName)
	}
	return append(names, h.known.names(sums, c.Size())...), nil
}

func searchEICAR(ctx context.Context, c scan.Content) (bool, error) {
	var search eicarSearch
	err := pour(ctx, c, func(piece []byte) error { search.See(piece); return nil })
	return search.found, err
}
