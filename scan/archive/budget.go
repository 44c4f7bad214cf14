package archive

import (
	"io"
	"sync/atomic"

	"github.com/milterscan/milterscan/scan/units"
)

// Limits bound what the containers of one message may cost together.
type Limits struct {
	Expanded units.Size // bytes unpacked in all
	Member   units.Size // bytes of one member
	Ratio    int64      // unpacked bytes for each byte of container, beyond the first 1 MB
	Entries  int64      // members in all
	Depth    int        // containers inside containers
}

// Budget is what is left of the Limits while one message is opened. It may be
// charged from several goroutines at once.
type Budget struct {
	Limits
	expanded, entries atomic.Int64
}

// NewBudget returns a full budget.
func NewBudget(l Limits) *Budget { return &Budget{Limits: l} }

// Entry charges one member.
func (b *Budget) Entry() error {
	if b.entries.Add(1) > b.Entries {
		return ErrLimit
	}
	return nil
}

// Grow charges n unpacked bytes.
func (b *Budget) Grow(n int64) error {
	if b.expanded.Add(n) > int64(b.Expanded) {
		return ErrLimit
	}
	return nil
}

// Meter returns a reader that charges what it reads, and ends with ErrLimit when
// the member, the ratio to the packed size, or the message has had enough.
func (b *Budget) Meter(r io.Reader, packed int64) io.Reader {
	return &meter{b: b, r: r, packed: packed}
}

type meter struct {
	b            *Budget
	r            io.Reader
	packed, read int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.read += int64(n)
	free := int64(units.MB)
	if m.b.Grow(int64(n)) != nil || m.read > int64(m.b.Member) || m.read > free && m.read/max(m.packed, 1) > m.b.Ratio {
		return n, ErrLimit
	}
	return n, err
}
