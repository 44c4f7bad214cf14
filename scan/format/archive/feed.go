package archive

import "io"

// codec is what a decoder costs for each byte that it reads and, beyond priceByte, for
// each that it yields.
type codec struct{ in, out Price }

// What decoders cost. The figures are those of a byte of what is hard for them: of
// data that hardly pack for what they read, of zeros for what they yield.
var (
	codecNone    = codec{}
	codecFast    = codec{in: 10_000}                     // lz4, Zstandard
	codecDeflate = codec{in: 15_000, out: 1_000}         //
	codecBits    = codec{in: 60_000, out: priceBits}     // what goes from bit to bit: Deflate64, LHA, ARJ
	codecFilter  = codec{in: 15_000, out: priceFilter}   // the filters of PDF
	codecSorted  = codec{in: 110_000, out: 25_000}       // bzip2
	codecLZMA    = codec{in: 95_000, out: 6_000}         //
	codecBranch  = codec{in: 95_000, out: 30_000}        // LZMA after BCJ2
	codecGuess   = codec{in: 2_500_000, out: 30_000}     // PPMd
	codecRAR     = codec{in: 60_000, out: 2 * priceBits} //
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

// feed is what a decoder reads. It charges for each byte, and ends with the work: a
// decoder may read to the end of a file without anything to show for it.
type feed struct {
	r     io.Reader
	w     *walk
	eaten int64
	from  int64 // bytes unpacked from the container when it began
	vain  int64 // bytes charged because nothing came of them
}

// feed returns r as the next decoder is to read it. What the decoder before read is
// settled.
func (w *walk) feed(r io.Reader) *feed {
	w.settle()
	w.fed = &feed{r: r, w: w, from: w.total}
	return w.fed
}

func (f *feed) Read(p []byte) (int, error) {
	if err := f.w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.r.Read(p)
	f.eat(int64(n))
	return n, err
}

// eat charges for n bytes that were read, and for those before that were read in vain.
func (f *feed) eat(n int64) {
	f.w.budget.Work(n, f.w.cost.in)
	f.eaten += n
	f.charge(feedAhead)
}

// charge charges for what was read in vain, all but what the decoder may be ahead.
func (f *feed) charge(ahead int64) {
	vain := f.eaten - feedShare*(f.w.total-f.from) - ahead
	if vain > f.vain {
		f.w.budget.Work(vain-f.vain, priceVain)
		f.vain = vain
	}
}

// settle charges for what the last decoder read in vain, now that it has ended.
func (w *walk) settle() {
	if w.fed != nil {
		w.fed.charge(0)
		w.fed = nil
	}
}
