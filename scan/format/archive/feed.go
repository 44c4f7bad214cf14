package archive

import (
	"context"
	"io"
)

// codec is what a decoder costs for each byte that it reads and, beyond priceByte, for
// each that it yields.
type codec struct{ in, out Price }

// What decoders cost. The figures are those of a byte of data that are hard for them: of
// data that hardly pack for what they read, of zeros for what they yield.
var (
	codecNone    = codec{}
	codecFast    = codec{in: 10_000}                      // lz4, Zstandard
	codecDeflate = codec{in: Inflating}                   // as well as its steps
	codecBits    = codec{in: 60_000, out: priceBits}      // what goes from bit to bit: Deflate64, LHA, ARJ
	codecFilter  = codec{in: Inflating, out: priceFilter} // the filters of PDF
	codecSorted  = codec{in: 110_000, out: 25_000}        // bzip2
	codecApart   = codec{in: 110_000, out: 38_000}        // bzip2 in children, which may do more of it than a cache has room for
	codecLZMA    = codec{in: 2_000, out: 1_000}           // as well as its steps
	codecBranch  = codec{in: 2_000, out: 30_000}          // BCJ2, after LZMA
	codecGuess   = codec{in: 2_500_000, out: 70_000}      // PPMd, whose model no cache holds
	codecRAR     = codec{in: 33_000, out: 2 * priceBits}  // as well as its codes
)

// priceVain is what a byte costs that a decoder reads and that nothing comes of: it may
// be a table for a block in which there is nothing, or a stream of no bytes.
const priceVain Price = 110_000

// What a decoder may have read before anything comes of it, in bytes, and how many
// it may read for each that it yields: base 16 takes two.
const (
	feedAhead = 1 << 20
	feedShare = 2
)

// Feed is what a decoder reads. It charges for each byte, and ends with the work: a
// decoder may read to the end of a file without anything to show for it.
type Feed struct {
	ctx     context.Context
	r       io.Reader
	budget  *Budget
	each    Price
	yielded func() int64
	eaten   int64
	vain    int64 // bytes charged because nothing came of them
}

// NewFeed returns r as a decoder is to read it that takes that much for each byte. Yielded
// tells how many bytes came of it so far.
func NewFeed(ctx context.Context, r io.Reader, b *Budget, each Price, yielded func() int64) *Feed {
	return &Feed{ctx: ctx, r: r, budget: b, each: each, yielded: yielded}
}

// Inflating is what a decoder of Deflate takes for each byte that it reads, in addition to what its
// steps take.
const Inflating Price = 4_000

// priceInflate is what a step of package inflate takes.
const priceInflate Price = 8_000

// Inflated charges for steps of package inflate.
func (b *Budget) Inflated(steps int64) { b.Work(steps, priceInflate) }

// Read returns bytes of the reader that feeds it, until the work is more than is done.
func (f *Feed) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.r.Read(p)
	f.eat(int64(n))
	return n, err
}

// eat charges for n bytes that were read, and for those before that were read in vain.
func (f *Feed) eat(n int64) {
	f.budget.Work(n, f.each)
	f.eaten += n
	f.charge(feedAhead)
}

// Settle charges for what was read in vain, now that the decoder has ended.
func (f *Feed) Settle() { f.charge(0) }

// charge charges for what was read in vain, all but what the decoder may be ahead.
func (f *Feed) charge(ahead int64) {
	vain := f.eaten - feedShare*f.yielded() - ahead
	if vain > f.vain {
		f.budget.Work(vain-f.vain, priceVain)
		f.vain = vain
	}
}

// feed returns r as the next decoder is to read it. What the decoder before read is
// settled.
func (w *walk) feed(r io.Reader) *Feed {
	w.settle()
	from := w.total
	w.fed = NewFeed(w.ctx, r, w.budget, w.cost.in, func() int64 { return w.total - from })
	return w.fed
}

// settle charges for what the last decoder read in vain, now that it has ended.
func (w *walk) settle() {
	if w.fed != nil {
		w.fed.Settle()
		w.fed = nil
	}
}
