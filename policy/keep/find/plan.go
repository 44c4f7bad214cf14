package find

import (
	"context"
	"encoding/json"
	"time"

	"github.com/milterscan/milterscan/policy"
)

// Sizes say how many records are put into a small block, as they come, and into a large
// one, which is made of small ones. A record in no block yet is read by every search.
type Sizes struct{ Small, Large int }

// Usual are the sizes that a search of a million records takes least time with.
var Usual = Sizes{256, Rows}

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
	// Small lists the first blocks, in the order of keys, that are small: n at most.
	Small(ctx context.Context, n int) ([]Keys, error)
	// Within lists all blocks that begin within some keys.
	Within(ctx context.Context, k Keys) ([]Keys, error)
	// Each has the records with some keys, in the order of these. What follows the first most records may be left out.
	Each(k Keys, most int) Each
}

// Step is some work on the blocks.
type Step struct {
	Was, Will Extent
	Replaced  []Keys // blocks
	Blocks    []Block
	Merged    bool // the blocks are large ones
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
	n, most := e.Next-e.High, z.Small
	if n < int64(most) {
		return nil, nil
	}
	if n >= int64(z.Large) {
		most = z.Large
	}
	w := &Step{Was: e, Will: e, Merged: most == z.Large}
	b, err := Filled(ctx, most, s.Each(Keys{e.High, e.Next - 1}, most))
	if err != nil {
		return nil, err
	}
	w.Will.High = e.Next
	if b != nil {
		w.Blocks, w.Will.High = []Block{*b}, b.Last+1
	}
	return w, nil
}

// merging makes a large block of small ones, and of the records between them.
func (z Sizes) merging(ctx context.Context, s Shelf, e Extent) (*Step, error) {
	small, err := s.Small(ctx, z.Large/z.Small)
	if err != nil || len(small) < z.Large/z.Small {
		return nil, err
	}
	w := &Step{Was: e, Will: e, Merged: true}
	all := Keys{small[0].First, small[len(small)-1].Last}
	w.Replaced, err = s.Within(ctx, all)
	for err == nil {
		var b *Block
		b, err = Filled(ctx, z.Large, s.Each(all, z.Large))
		if b == nil {
			break
		}
		w.Blocks, all.First = append(w.Blocks, *b), b.Last+1
	}
	return w, err
}

// Filled makes a block of the first of some records, nil if there are none.
func Filled(ctx context.Context, most int, each Each) (*Block, error) {
	var b Builder
	err := each(ctx, func(key int64, r policy.Record) bool { return b.Add(key, r) && b.Len() < most })
	if err != nil || b.Len() == 0 {
		return nil, err
	}
	block := b.Block()
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
