package archive

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/milterscan/milterscan/scan/scratch"
)

// Price is what a step of work costs: near the time that a processor takes for it,
// in picoseconds. Work is counted and not measured, so that the same message comes
// to the same, however busy the host is.
type Price int64

// The prices common to all formats.
const (
	priceByte   = 3_000     // one byte unpacked, and kept
	priceRead   = 500_000   // one reading of the container
	priceSeen   = 300       // one byte read
	priceStream = 5_000_000 // the start of a decoder, for one of the streams of a file
)

// PricePart is what a member costs, or any other part of a message: finding, naming, sniffing and
// keeping it.
const PricePart Price = 20_000_000

// What some decoders cost for a byte beyond priceByte.
const (
	priceBits   Price = 8_000  // what goes from bit to bit
	priceFilter Price = 15_000 // the filters of PDF, which may be those of PNG on lines of one byte
	priceSorted Price = 30_000 // bzip2, and LZMA in the process itself
	priceParsed Price = 45_000 // the objects of a document
)

// ErrWork is why the context of an overworked budget is done.
var ErrWork = errors.New("more work than is done for one message")

// work counts the work done for one message.
type work struct {
	limit int64 // picoseconds; 0 is no limit
	done  atomic.Int64
	over  context.CancelCauseFunc

	light int64  // bytes unpacked and members that weigh nothing
	heavy func() // called once there are more
	once  sync.Once
}

// priceMember is what a member weighs, in bytes.
const priceMember = 4 << 10

// Weigh sets heavy to be called once, when the unpacked bytes and the members weigh
// more than light bytes: from here on the message takes memory worth waiting for.
// The caller that charges the budget waits until heavy returns.
func (b *Budget) Weigh(light int64, heavy func()) { b.work.light, b.work.heavy = light, heavy }

// weigh sees whether it is time to call heavy.
func (b *Budget) weigh() {
	if b.work.heavy != nil && b.expanded.Load()+priceMember*b.entries.Load() > b.work.light {
		b.work.once.Do(b.work.heavy)
	}
}

// Within limits the work that may be charged, to what a processor does in that
// time; 0 is no limit. The context that it returns is done, with the cause
// ErrWork, once more was charged: every walk sees that. It is to be called before
// anything is charged, and the function it returns in the end.
func (b *Budget) Within(ctx context.Context, limit time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	b.work.limit, b.work.over = 1000*int64(limit), cancel
	return ctx, func() { cancel(nil) }
}

// Work charges n steps of one price.
func (b *Budget) Work(n int64, each Price) {
	b.work.done.Add(n * int64(each))
	if b.Overworked() {
		b.work.over(ErrWork)
	}
}

// left returns the work left, which is negative if there was more. What separate processes do is
// for them to limit; but what they do beyond their share is taken off here, so that a message does
// not come to the limits of all together.
func (b *Budget) left() int64 {
	return b.work.limit - b.work.done.Load() - b.beyond()
}

// Worked returns the work that was charged here, that of separate processes left out.
func (b *Budget) Worked() time.Duration { return time.Duration(b.work.done.Load() / 1000) }

// Overworked reports whether more work was charged than the limit.
func (b *Budget) Overworked() bool {
	return b.work.limit > 0 && b.left() < 0
}

// Rest returns how much work may be done with what was opened, 0 if there is no limit: the rest
// of the limit. Where that is less than half of it, what comes after must not come away
// empty-handed, and what was spent must not be there once more: it is in the middle between that rest
// and that half, a quarter of the limit at least.
func (b *Budget) Rest() time.Duration {
	left, half := max(b.left(), 0), b.work.limit/2
	if left < half {
		left = (left + half) / 2
	}
	return time.Duration(left / 1000)
}

// shareApart is the divisor of the limit that gives what separate processes may do before it is taken
// off the limit: to start them and to hand them a container is work, too.
const shareApart = 5

// beyond returns how much of the work of separate processes was beyond their share.
func (b *Budget) beyond() int64 { return max(0, 1000*b.spent.Load()-b.work.limit/shareApart) }

// affords returns how many steps of one price may still be charged, and no more than
// most.
func (b *Budget) affords(most int64, each Price) int64 {
	if b.work.limit <= 0 {
		return most
	}
	return max(0, min(most, b.left()/int64(each)))
}

// Affords reports whether n steps of one price may still be charged.
func (b *Budget) Affords(n int64, each Price) bool { return b.affords(n, each) >= n }

// Watched returns a content that charges b for every byte read of it. So a search
// that begins again and again has an end, too.
func Watched(c Content, b *Budget) Content {
	if shown, ok := c.(pieced); ok {
		return watchedPieces{watched{c, b}, shown}
	}
	return watched{c, b}
}

type watched struct {
	Content
	budget *Budget
}

// Lore returns that of the content: what others know of it costs nothing.
func (w watched) Lore() *scratch.Lore { return scratch.LoreOf(w.Content) }

func (w watched) ReadAt(p []byte, off int64) (int, error) {
	w.budget.Work(1, priceRead)
	w.budget.Work(int64(len(p)), priceSeen)
	return w.Content.ReadAt(p, off)
}

// pieced is a content some of which lies together in memory (package scratch).
type pieced interface{ Piece(off int64) []byte }

type watchedPieces struct {
	watched
	shown pieced
}

// Piece charges for a piece as for a reading: how much of it is looked at is not
// known, but seldom all.
func (w watchedPieces) Piece(off int64) []byte {
	w.budget.Work(4, priceRead)
	return w.shown.Piece(off)
}
