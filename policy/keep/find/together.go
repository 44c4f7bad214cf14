package find

import (
	"context"
	"errors"
	"iter"
)

// Piece is a part of a block, by the first key of that.
type Piece struct {
	Block int64
	Part  Part
}

// ReadParts calls use with each of some parts that is there, and with its place in the list. use keeps nothing of it.
type ReadParts func(ctx context.Context, list []Piece, use func(i int, data []byte)) error

// reading is some parts that one block is asked for.
type reading struct {
	block int64
	parts []Part
	use   func(i int, data []byte) error
	read  int // of them
	err   error
}

// one uses a part.
func (r *reading) one(i int, data []byte) {
	if r.read++; r.err == nil {
		r.err = r.use(i, data)
	}
}

// access reads parts of a block at once, and calls use with each, and its place in the list.
type access func(list []Part, use func(i int, data []byte) error) error

// asking asks one block. It has access called for one part after the other.
type asking struct {
	block int64
	do    func(access) error
	err   error
}

var errGivenUp = errors.New("what was asked is not wanted any more")

// steps goes through the parts that are asked for. The caller reads each before the next comes.
func (a *asking) steps(yield func(*reading) bool) {
	a.err = a.do(func(list []Part, use func(i int, data []byte) error) error {
		r := &reading{block: a.block, parts: list, use: use}
		if !yield(r) {
			return errGivenUp
		}
		if r.err == nil && r.read < len(list) {
			return ErrAbsent
		}
		return r.err
	})
}

// together asks several blocks side by side: what they want next is read at once. Each has an error of its own; an error of
// reading ends all.
func together(ctx context.Context, read ReadParts, all []*asking) error {
	var next []func() (*reading, bool)
	for _, a := range all {
		step, stop := iter.Pull(a.steps)
		defer stop()
		next = append(next, step)
	}
	for {
		var wanted, of []*reading // that were asked for, and whose each piece is
		var list []Piece
		var place []int // of each piece among those of its reading
		going := next[:0]
		for _, step := range next {
			r, ok := step()
			if !ok {
				continue
			}
			wanted, going = append(wanted, r), append(going, step)
			for i, p := range r.parts {
				list, of, place = append(list, Piece{r.block, p}), append(of, r), append(place, i)
			}
		}
		if next = going; len(wanted) == 0 {
			return nil
		}
		if err := read(ctx, list, func(i int, data []byte) { of[i].one(place[i], data) }); err != nil {
			return err
		}
	}
}

// mostTogether is how many bytes the parts of blocks have that are read at once, about, and mostBlocks how many blocks.
const (
	mostTogether = 4 << 20
	mostBlocks   = 64
	perRow       = 16 // bytes of a part that is read as a whole, about
)

// some returns how many of the first of some blocks are asked together: no more than most.
func some(blocks []Span, most int) int {
	size := 0
	for n, b := range blocks[:min(len(blocks), most)] {
		if b.Level < Huge {
			size += perRow * b.Rows
		} else {
			size += Usual.Piece
		}
		if n > 0 && size > mostTogether {
			return n
		}
	}
	return min(len(blocks), most)
}
