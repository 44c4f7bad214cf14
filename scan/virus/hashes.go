package virus

import (
	"context"
	"fmt"

	"github.com/milterscan/milterscan/scan"
)

// hashes is the built-in engine. It looks for the EICAR test string in every
// part and in the raw message, wherever it stands, and for every part in its
// hash lists. It never changes once made.
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

// Name is "virus/" and the name of the entry.
func (h *hashes) Name() string { return h.name }

// Scan searches every part to its end. The raw message counts only where no part
// has the test string: it is there for what stands between the parts.
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
	raw, err := searchEICAR(ctx, m.Raw)
	if err != nil {
		return all, fmt.Errorf("the message: %w", err)
	}
	if raw {
		all = append(all, found(h.name, eicarName, scan.WholeMessage))
	}
	return all, nil
}

// look returns the names of what c is or holds, in one pass over it.
func (h *hashes) look(ctx context.Context, c scan.Content) (names []string, err error) {
	if c.Size() == 0 {
		return nil, nil
	}
	search, sums := eicarSearch{}, h.known.sums(c.Size())
	err = each(ctx, c, func(b *block, n int) error {
		piece := b[4 : 4+n]
		search.Write(piece)
		for _, s := range sums {
			s.hash.Write(piece)
		}
		return nil
	})
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
	err := each(ctx, c, func(b *block, n int) error {
		search.Write(b[4 : 4+n])
		return nil
	})
	return search.found, err
}
