package find

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Sizes say how many records are put into a small block, as they come, and into a large
// one, which is made of small ones. A record in no block yet is read by every search.
type Sizes struct {
	Small, Large int
	Huge         int // records of a block that is made of large ones; 0 for none
	Long         int // bytes of a dictionary; one that is longer has grams in huge blocks
	Piece        int // bytes of a part of these, about
}

// Usual are the sizes that a search of a million records takes least time with, and of ten million.
var Usual = Sizes{Small: 256, Large: Rows, Huge: 1 << 17, Long: 32 << 10, Piece: 64 << 10}

// Extent says which records are in blocks.
type Extent struct {
	Low, High int64 // keys from low to below high are
	Next      int64 // the key of the next record
}

// Keys is from where to where the keys of a block are.
type Keys struct{ First, Last int64 }

// Each calls use with some records, until use returns false.
type Each func(ctx context.Context, use func(key int64, r policy.Record) bool) error

// Shelf is where records and their blocks are kept.
type Shelf interface {
	// Blocks lists all blocks, in the order of keys.
	Blocks(ctx context.Context) ([]Span, error)
	// Size returns how many bytes the parts of the blocks have that begin within some keys.
	Size(ctx context.Context, k Keys) (int64, error)
	// Parts calls use with the parts of some blocks from one number to below another, which are use's.
	Parts(ctx context.Context, blocks []Span, from, to Part, use func(p Piece, data []byte)) error
	// Alive returns what reports whether a record of one of these blocks is still there.
	Alive(ctx context.Context, blocks []Span) (func(Row) bool, error)
	// Each has the records with some keys, in the order of these. What follows the first most records may be left out.
	Each(k Keys, most int) Each
}

// Step is some work on the blocks.
type Step struct {
	Was, Will Extent // the same if blocks are replaced
	Replaced  []Span // blocks
	Blocks    []Block
	Gathers   bool // the blocks are to be put together by Gather
	Huge      Span // of what that made, if there is any
}

// Plan makes the next step for records that came since, or of small blocks; nil if there is none.
func (z Sizes) Plan(ctx context.Context, s Shelf, e Extent) (*Step, error) {
	if w, err := z.recent(ctx, s, e); w != nil || err != nil {
		return w, err
	}
	return z.merging(ctx, s, e)
}

// recent puts the records that came since into a block.
func (z Sizes) recent(ctx context.Context, s Shelf, e Extent) (*Step, error) {
	n, most, level := e.Next-e.High, z.Small, Small
	if n < int64(most) {
		return nil, nil
	}
	if n >= int64(z.Large) {
		most, level = z.Large, Large
	}
	w := &Step{Was: e, Will: e}
	b, err := Filled(ctx, level, most, s.Each(Keys{e.High, e.Next - 1}, most))
	if err != nil {
		return nil, err
	}
	w.Will.High = e.Next
	if b != nil {
		w.Blocks, w.Will.High = []Block{*b}, b.Last+1
	}
	return w, nil
}

// merging makes a large block of small ones.
func (z Sizes) merging(ctx context.Context, s Shelf, e Extent) (*Step, error) {
	all, err := s.Blocks(ctx)
	if err != nil {
		return nil, err
	}
	for run, closed := range runs(all, Small) {
		for ; len(run) >= z.Large/z.Small || closed && len(run) > 1; run = run[1:] {
			some, err := fitting(ctx, s, run, z.Large, mostMerged)
			if err != nil {
				return nil, err
			}
			if len(some) > 1 {
				return z.merged(ctx, s, e, some)
			}
		}
	}
	return z.gathering(ctx, s, e, all)
}

// gathering finds large blocks of which a huge one can be made.
func (z Sizes) gathering(ctx context.Context, s Shelf, e Extent, all []Span) (*Step, error) {
	for run := range runs(all, Large) {
		for ; z.Huge > 0 && rowsOf(run) > z.Huge-z.Large; run = run[1:] {
			some, err := fitting(ctx, s, run, z.Huge, mostGather)
			if err != nil {
				return nil, err
			}
			if len(some) > 1 {
				return &Step{Was: e, Will: e, Replaced: some, Gathers: true}, nil
			}
		}
	}
	return nil, nil
}

func rowsOf(blocks []Span) (n int) {
	for _, b := range blocks {
		n += b.Rows
	}
	return n
}

// runs goes through the blocks of a level that follow each other, and says of each run whether a larger block comes after it, so that
// it grows no more.
func runs(all []Span, level Level) iter.Seq2[[]Span, bool] {
	return func(yield func([]Span, bool) bool) {
		for from := 0; from < len(all); from++ {
			to := from
			for to < len(all) && all[to].Level == level {
				to++
			}
			if to > from && !yield(all[from:to], to < len(all) && all[to].Level > level) {
				return
			}
			from = to
		}
	}
}

// fitting returns as many of the first blocks of a run as one block can be made of: of some records and bytes at most.
func fitting(ctx context.Context, s Shelf, run []Span, rows int, bytes int64) ([]Span, error) {
	oldest, newest, n := run[0].Oldest.Time, run[0].Newest.Time, 0
	for i, b := range run {
		oldest, newest, n = min(oldest, b.Oldest.Time), max(newest, b.Newest.Time), n+b.Rows
		if n > rows || b.Last-run[0].First > farKeys || newest-oldest > farTimes {
			run = run[:i]
			break
		}
	}
	for len(run) > 1 {
		size, err := s.Size(ctx, Keys{run[0].First, run[len(run)-1].First})
		if err != nil || size <= bytes {
			return run, err
		}
		run = run[:len(run)/2]
	}
	return run, nil
}

// merged makes a large block of small ones. Where one of these is damaged, their records are read.
func (z Sizes) merged(ctx context.Context, s Shelf, e Extent, small []Span) (*Step, error) {
	w := &Step{Was: e, Will: e, Replaced: small}
	b, err := Merged(ctx, s, small)
	if b != nil {
		w.Blocks = []Block{*b}
	}
	if !isDamaged(err) {
		return w, err
	}
	return w, w.refill(ctx, s, z.Large)
}

// refill makes large blocks of the records of those that are replaced.
func (w *Step) refill(ctx context.Context, s Shelf, most int) error {
	all := Keys{w.Replaced[0].First, w.Replaced[len(w.Replaced)-1].Last}
	for {
		b, err := Filled(ctx, Large, most, s.Each(all, most))
		if b == nil || err != nil {
			return err
		}
		w.Blocks, all.First = append(w.Blocks, *b), b.Last+1
	}
}

// Filled makes a block of a level of the first of some records, nil if there are none.
func Filled(ctx context.Context, l Level, most int, each Each) (*Block, error) {
	var b Builder
	err := each(ctx, func(key int64, r policy.Record) bool { return b.Add(key, r) && b.Len() < most })
	if err != nil || b.Len() == 0 {
		return nil, err
	}
	block := b.Block()
	block.Level = l
	return &block, nil
}

// Read returns the record that a store keeps as this text, and as received at this time in milliseconds, as it is indexed.
func Read(at int64, text []byte) policy.Record {
	r := policy.Record{}
	if json.Unmarshal(text, &r) != nil { // a search that comes to it says so
		r = policy.Record{}
	}
	r.Upgrade()
	r.Time = time.UnixMilli(at)
	return r
}
