package find_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// gathered makes a huge block of all records of a shelf, by way of small and large ones.
func gathered(t testing.TB, s *shelf, z find.Sizes) find.Block {
	t.Helper()
	for w := range merges(t, s, z) {
		if w.Gathers {
			gather(t, s, z, w)
		}
	}
	if len(s.blocks) != 1 {
		t.Fatalf("%d blocks are left", len(s.blocks))
	}
	return s.blocks[s.first]
}

// merges goes through the steps that put all records of a shelf together, from small blocks on. Each is done when the caller has seen it.
func merges(t testing.TB, s *shelf, z find.Sizes) iter.Seq[*find.Step] {
	return func(yield func(*find.Step) bool) {
		t.Helper()
		s.small(t, z.Small)
		e := s.extent()
		e.High = e.Next
		for {
			w, err := z.Plan(t.Context(), s, e)
			if err != nil {
				t.Fatal(err)
			}
			if w == nil || !yield(w) {
				return
			}
			s.do(w)
		}
	}
}

// gather has a step put blocks together.
func gather(t testing.TB, s *shelf, z find.Sizes, w *find.Step) {
	t.Helper()
	b := find.Block{Parts: map[find.Part][]byte{}}
	if err := w.Gather(t.Context(), s, z, func(p find.Part, data []byte) error {
		if _, twice := b.Parts[p]; twice || p < find.HugePart {
			t.Errorf("part %x is written twice, or is none of a huge block", p)
		}
		b.Parts[p] = data
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if b.Span = w.Huge; b.Rows > 0 {
		w.Blocks = []find.Block{b}
	}
}

// ask returns the keys that a block lets through.
func ask(b find.Block, f history.Filter) (keys []int64, err error) {
	rows, err := find.NewQuery(f).Ask(b.Span, history.Cursor{}, func(p find.Part, use func([]byte) error) error {
		if data, ok := b.Parts[p]; ok {
			return use(data)
		}
		return find.ErrAbsent
	})
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	return keys, err
}

// kinds are sizes for 512 records: with grams of all that can have them and in many pieces, and without any but of subjects.
var kinds = map[string]find.Sizes{
	"grams": {Small: 8, Large: 64, Huge: 512, Piece: 256},
	"words": {Small: 8, Large: 64, Huge: 512, Long: 1 << 20, Piece: 256},
	"usual": {Small: 8, Large: 64, Huge: 512, Long: 400, Piece: find.Usual.Piece},
}

// TestHugeLetsAllThrough: a huge block lets every record through that a filter lets through, and of those that are asked for by
// what few have hardly any other.
func TestHugeLetsAllThrough(t *testing.T) {
	for name, z := range kinds {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, rand.Uint64()))
			filters := make([]history.Filter, 400)
			for i := range filters {
				filters[i] = historytest.MixedFilter(r)
			}
			letsThrough(t, newShelf(mixed(512)), z, filters)
			filters = nil
			for _, s := range historytest.Searches {
				filters = append(filters, s.Filter)
			}
			letsThrough(t, newShelf(natural(512)), z, filters)
		})
	}
}

func letsThrough(t *testing.T, s *shelf, z find.Sizes, filters []history.Filter) {
	t.Helper()
	for key := s.first; key < s.first+512; key += 37 {
		s.gone[key] = key%2 == 1
	}
	b := gathered(t, s, z)
	if b.Level != find.Huge || b.Rows >= 512 || b.Rows < 480 {
		t.Fatalf("%+v", b.Span)
	}
	most := 0
	for _, f := range filters {
		got, err := ask(b, f)
		if err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		wanted := 0
		for i, r := range s.records {
			if key := s.first + int64(i); f.Matches(r) && !s.gone[key] {
				if wanted++; !slices.Contains(got, key) {
					t.Fatalf("%+v: %d is not let through: %+v", f, key, r)
				}
			}
		}
		if len(got)-wanted > 100 {
			most++
		}
	}
	if most > len(filters)/4 {
		t.Errorf("%d of %d filters let many through that are not wanted", most, len(filters))
	}
}

// TestGatherDamaged: where a block is damaged, it is made of its records first.
func TestGatherDamaged(t *testing.T) {
	z := kinds["grams"]
	want := gathered(t, newShelf(mixed(512)), z)
	s := newShelf(mixed(512))
	damaged := 0
	for w := range merges(t, s, z) {
		if !w.Gathers {
			continue
		}
		if damaged++; damaged < 4 {
			b := s.blocks[s.first+64*int64(damaged)]
			parts := slices.Sorted(maps.Keys(b.Parts))
			data := b.Parts[parts[damaged*len(parts)/5]]
			data[0] ^= 1
		}
		gather(t, s, z, w)
		if damaged < 4 && (w.Gathers || len(w.Replaced) != 1 || w.Replaced[0].First != s.first+64*int64(damaged)) {
			t.Fatalf("%d: %+v", damaged, w.Replaced)
		}
	}
	if damaged != 4 {
		t.Errorf("%d times blocks were put together", damaged)
	}
	same(t, s.blocks[s.first], want)
}

// TestGatherContradicts: where the parts of a block contradict each other though their sums are right, that block is made of its
// records, and no other in its place for ever.
func TestGatherContradicts(t *testing.T) {
	const words, lists = 11 << 16, 11<<16 + 1 // of the senders
	for name, spoil := range map[string]func(b *find.Block){
		"a list": func(b *find.Block) {
			data := b.Parts[lists]
			data[4+8*binary.LittleEndian.Uint32(data)] = 9
			seal(data)
		},
		"the number of lists": func(b *find.Block) {
			data := b.Parts[lists]
			data[0]--
			seal(data)
		},
		"the number of values": func(b *find.Block) {
			data := b.Parts[words]
			data[0]--
			seal(data)
		},
		"a subject": func(b *find.Block) {
			data := b.Parts[1<<8]
			data[4*64] = 0xff
			seal(data)
		},
		"the number of records": func(b *find.Block) { b.Rows = find.Rows + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			z := kinds["grams"]
			s := newShelf(mixed(512))
			s.small(t, z.Large)
			for first, b := range s.blocks {
				b.Level = find.Large
				s.blocks[first] = b
			}
			bad := s.first + 2*int64(z.Large)
			b := s.blocks[bad]
			spoil(&b)
			s.blocks[bad] = b
			spans, _ := s.Blocks(t.Context())
			w := &find.Step{Replaced: spans, Gathers: true}
			gather(t, s, z, w)
			if len(w.Replaced) != 1 || w.Replaced[0].First != bad {
				t.Fatalf("%+v", w.Replaced)
			}
			s.do(w)
			spans, _ = s.Blocks(t.Context())
			w = &find.Step{Replaced: spans, Gathers: true}
			if gather(t, s, z, w); w.Huge.Rows != 512 {
				t.Errorf("%+v", w)
			}
		})
	}
}

// seal has the sum of a part be right.
func seal(data []byte) {
	end := len(data) - crc32.Size
	binary.LittleEndian.PutUint32(data[end:], crc32.Checksum(data[:end], crc32.MakeTable(crc32.Castagnoli)))
}

// TestHugeHeld: of the clients of a huge block only those are found that are on a list, and that are in a network, however many
// there are.
func TestHugeHeld(t *testing.T) {
	records := mixed(512)
	for i := range records {
		if i%40 > 0 {
			records[i].Client = fmt.Sprintf("10.1.%d.%d", i/128, i%128)
		} else {
			records[i].Client = ""
		}
	}
	s := newShelf(records)
	b := gathered(t, s, kinds["grams"])
	for wanted, f := range map[int]history.Filter{32: {Client: "10.1.1.0/27"}, 499: {Client: "8.0.0.0/5"}} {
		if got, err := ask(b, f); err != nil || len(got) > wanted {
			t.Errorf("%s: %d, %v", f.Client, len(got), err)
		}
	}
	k := find.NewHolding(history.Holding{Sort: history.Clients, Has: historytest.On("10.1.3.7", "10.1.0.1"), Most: 1}, 0)
	err := k.Blocks(t.Context(), []find.Span{b.Span}, func(_ context.Context, list []find.Piece, use func(i int, data []byte)) error {
		for i, p := range list {
			if data, ok := b.Parts[p.Part]; ok {
				use(i, data)
			}
		}
		return nil
	}, func(find.Span) error { t.Error("it is said to be damaged"); return nil })
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	held, err := k.Collect(t.Context(), func(_ context.Context, at find.Row, _ func() []find.Row) ([]byte, error) {
		read++
		return s.texts[at.Key-s.first], nil
	})
	if err != nil || len(held.Records) != 1 || held.More != 1 || held.Unrecorded != 13 || held.Asked != 512 || read != 1 {
		t.Errorf("%d, %d more, %d not recorded of %d, and %d records were read; %v", len(held.Records), held.More, held.Unrecorded, held.Asked,
			read, err)
	}
}

// TestGatherNothing: of blocks without records nothing is made.
func TestGatherNothing(t *testing.T) {
	s := newShelf(mixed(64))
	s.small(t, 8)
	s.forget()
	blocks, _ := s.Blocks(t.Context())
	w := &find.Step{Replaced: blocks, Gathers: true}
	if gather(t, s, kinds["grams"], w); len(w.Blocks) > 0 || len(w.Replaced) != 8 {
		t.Errorf("%+v", w)
	}
}

// FuzzHuge changes parts of a huge block, with sums that are right: what cannot be read is said to be damaged, and nothing
// crashes.
func FuzzHuge(f *testing.F) {
	s := newShelf(mixed(512))
	whole := gathered(f, s, kinds["usual"])
	parts := slices.Sorted(maps.Keys(whole.Parts))
	for i := range parts {
		f.Add(uint16(i), 0, byte(1))
		f.Add(uint16(i), 3, byte(255))
		f.Add(uint16(i), 9, byte(0))
	}
	r := rand.New(rand.NewPCG(3, 4))
	var filters []history.Filter
	for range 40 {
		filters = append(filters, historytest.MixedFilter(r))
	}
	f.Fuzz(func(t *testing.T, part uint16, at int, value byte) {
		p := parts[int(part)%len(parts)]
		data := slices.Clone(whole.Parts[p])
		end := len(data) - crc32.Size
		if at < 0 || end < 1 {
			return
		}
		data[at%end] = value
		seal(data)
		b := find.Block{Span: whole.Span, Parts: maps.Clone(whole.Parts)}
		b.Parts[p] = data
		for _, filter := range filters {
			if _, err := ask(b, filter); err != nil && !errors.Is(err, find.ErrDamaged) {
				t.Errorf("part %x, %+v: %v", p, filter, err)
			}
		}
	})
}
