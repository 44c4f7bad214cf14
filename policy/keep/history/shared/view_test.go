package shared

import (
	"slices"
	"testing"

	"github.com/milterscan/milterscan/policy/keep/find"
)

// viewOf returns a view of blocks with some numbers of records, the newest first.
func viewOf(rows ...int) *view {
	v := &view{parts: map[piece][]byte{}, ahead: map[find.Part]pace{}}
	for i, n := range rows {
		v.spans = append(v.spans, find.Span{Rows: n, First: int64(1000 - i)})
	}
	v.place()
	return v
}

// TestNext: what is fetched at once is no more blocks than were worth it, and about mostAhead bytes, however unlike blocks are.
func TestNext(t *testing.T) {
	large := slices.Repeat([]int{find.Rows}, 200)
	for _, test := range []struct {
		name string
		rows []int
		from int64
		pace pace
		want int
	}{
		{"the first is one", large, 1000, pace{}, 1},
		{"the second are two", large, 999, pace{2, 1}, 2},
		{"as many as fit", large, 999, pace{64, 16}, 16},
		{"one that is too large is fetched alone", large, 999, pace{64, 1000}, 1},
		{"small ones, and what fits of a large one", append(slices.Repeat([]int{256}, 40), find.Rows, find.Rows), 1000, pace{64, 200}, 40},
		{"no more than there are", large[:3], 999, pace{64, 1}, 2},
		{"no more than mostBlocks", slices.Repeat([]int{1}, 200), 1000, pace{mostBlocks, 1}, mostBlocks},
	} {
		v := viewOf(test.rows...)
		v.ahead[find.PartSizes] = test.pace
		got := v.next(test.from, find.PartSizes)
		if len(got) != test.want || got[0] != test.from || !slices.IsSortedFunc(got, func(a, b int64) int { return int(b - a) }) {
			t.Errorf("%s: %d blocks, want %d: %v", test.name, len(got), test.want, got)
		}
	}
}

// TestLeave: what was fetched of blocks and not wanted is forgotten when later ones are asked.
func TestLeave(t *testing.T) {
	v := viewOf(10, 10, 10)
	for _, block := range []int64{1000, 999, 998} {
		v.parts[piece{block, find.PartRows}], v.parts[piece{block, find.PartIDs}] = []byte{1}, nil
	}
	for place, want := range []int{6, 4, 2} {
		if v.leave(place); len(v.parts) != want {
			t.Errorf("at place %d %d parts are held, want %d", place, len(v.parts), want)
		}
	}
}
