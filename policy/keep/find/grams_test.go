package find

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// TestGramsInLittleRoom: grams that there is no room for at once are written one part after the other, each once and in their order,
// and none is missing.
func TestGramsInLittleRoom(t *testing.T) {
	const rows = 300
	var g forward
	for i := range rows {
		list := []uint32{uint32(i)}
		if i%10 == 0 {
			list = []uint32{uint32(i), uint32((i + 7) % rows), uint32((i + 31) % rows)}
			slices.Sort(list)
		}
		g.add(fmt.Appendf(nil, "%x@example%d.net", i*i*7919, i%13), list)
	}
	g.sort()
	all, pieces := written(t, &g, rows, mostHeld)
	for _, room := range []int{1 << 13, 1 << 15} {
		few, more := written(t, &g, rows, room)
		if !maps.EqualFunc(few, all, slices.Equal) {
			t.Errorf("%d bytes: other grams", room)
		}
		if more <= pieces {
			t.Errorf("%d bytes: %d pieces, and %d with room for all", room, more, pieces)
		}
	}
}

// written returns the lists of all grams that are written, and in how many pieces.
func written(t *testing.T, g *forward, rows, room int) (map[uint32][]byte, int) {
	t.Helper()
	parts := map[Part][]byte{}
	w := &hugeWriter{merger: &merger{rows: make([]Row, rows)}, z: Sizes{Piece: 1 << 16}, room: room, put: func(p Part, data []byte) error {
		if parts[p] != nil {
			t.Errorf("part %x is written twice", p)
		}
		parts[p] = data
		return nil
	}}
	pieces, err := w.grams(senders, g.grams)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[uint32][]byte{}
	last := int64(-1)
	for n := range pieces {
		data, err := unsealed(parts[wide(gramsPiece, senders, n)])
		if err != nil {
			t.Fatal(err)
		}
		p, err := openPosting(data)
		if err != nil || p.start(0) != pieces[n].first || p.count != int(pieces[n].count) {
			t.Fatal(n, err)
		}
		for i := range p.count {
			if int64(p.start(i)) <= last {
				t.Fatalf("%x comes after %x", p.start(i), last)
			}
			last = int64(p.start(i))
			if err := p.visit(i, func(_ int, list []byte) error {
				lists[p.start(i)] = slices.Clone(list)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return lists, len(pieces)
}
