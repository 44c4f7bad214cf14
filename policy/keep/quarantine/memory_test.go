package quarantine

import (
	"context"
	"slices"
	"sync"
	"time"
)

// memory is an Index that is forgotten with the test.
type memory struct {
	mu       sync.Mutex
	rows     map[string]Row
	complete bool
	err      error // what every call fails with
}

func newMemory() *memory { return &memory{rows: map[string]Row{}} }

func (m *memory) Put(_ context.Context, r Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[r.ID] = r
	return m.err
}

func (m *memory) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, id)
	return m.err
}

func (m *memory) Find(_ context.Context, f Filter) ([]Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.complete {
		return nil, ErrIncomplete
	}
	var list []Row
	for _, r := range m.rows {
		if f.Matches(r) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Row) int { return b.Time.Compare(a.Time) })
	if f.Limit > 0 {
		list = list[:min(f.Limit, len(list))]
	}
	return list, m.err
}

func (m *memory) Replace(_ context.Context, rows []Row, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows, m.complete = map[string]Row{}, true
	for _, r := range rows {
		m.rows[r.ID] = r
	}
	return m.err
}
