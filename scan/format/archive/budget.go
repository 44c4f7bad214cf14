package archive

import (
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Limits bound what the containers of one message may cost together.
type Limits struct {
	Expanded units.Size // bytes unpacked in all
	Member   units.Size // bytes of one member
	Ratio    int64      // unpacked bytes for each byte of container, beyond the first 32 MB
	Entries  int64      // members in all
	Depth    int        // Containers inside containers

	// Passwords that are tried in turn on encrypted members; the first 32 on each
	// member.
	Passwords []string
	// Whether words of the message itself that may be passwords are tried after those.
	TryWords bool `toml:"words"`
	// How long words of a mail that may be passwords are tried, after its own, on what the same sender sends
	// to the same recipient: at most 1h. "0s": not at all.
	WordsFor units.Duration `toml:"words_for"`
}

// freeOfRatio may be unpacked from any container, whatever the ratio: screenshots,
// empty scans and logs pack as well as bombs do, and so little is none.
const freeOfRatio = 32 * units.MB

// maxWindow is the largest dictionary a decoder is let allocate: what the
// strongest common presets of xz, 7z and rar ask for.
const maxWindow = 64 * units.MB

// Budget holds the rest of the Limits while one message is opened. It may be
// charged from several goroutines at once.
type Budget struct {
	Limits
	Words             func() []string // of the message that may be passwords, the likeliest first; nil for none
	Earlier           func() []string // likewise of messages that came before; nil for none
	expanded, entries atomic.Int64
	spent, taken      atomic.Int64 // by separate processes: work and processor time, in nanoseconds
	work              work
}

// NewBudget returns a full budget.
func NewBudget(l Limits) *Budget { return &Budget{Limits: l} }

// Entry charges one member; ErrLimit if there were too many.
func (b *Budget) Entry() error {
	b.Work(1, PricePart)
	if b.entries.Add(1) > b.Entries {
		return ErrLimit
	}
	b.weigh()
	return nil
}

// Grow charges n unpacked bytes; ErrLimit if that is too much.
func (b *Budget) Grow(n int64) error {
	b.Work(n, priceByte)
	if b.expanded.Add(n) > int64(b.Expanded) {
		return ErrLimit
	}
	b.weigh()
	return nil
}

// Left returns what may still be spent; the limits that are not used up stay as they
// are.
func (b *Budget) Left() Limits {
	l := b.Limits
	l.Expanded = max(0, l.Expanded-units.Size(b.expanded.Load()))
	l.Entries = max(0, l.Entries-b.entries.Load())
	return l
}

// Spend charges work that a separate process did for a container.
func (b *Budget) Spend(d time.Duration) {
	b.spent.Add(int64(max(d, 0)))
	b.Work(0, 0)
}

// Spent returns all work that was charged, that of separate processes included.
func (b *Budget) Spent() time.Duration { return time.Duration(b.spent.Load()) + b.Worked() }

// Take charges processor time that a separate process took for a container: on a busy
// host it is more than the work.
func (b *Budget) Take(d time.Duration) { b.taken.Add(int64(max(d, 0))) }

// Taken returns the processor time that was charged.
func (b *Budget) Taken() time.Duration { return time.Duration(b.taken.Load()) }
