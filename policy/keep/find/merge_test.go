package find_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// shelf has records and blocks in memory.
type shelf struct {
	first   int64 // key of the first record
	texts   [][]byte
	records []policy.Record // as they are read
	gone    map[int64]bool  // records
	blocks  map[int64]find.Block
}

func newShelf(records []policy.Record) *shelf {
	s := &shelf{first: 1000, gone: map[int64]bool{}, blocks: map[int64]find.Block{}}
	for _, r := range records {
		text := policy.JSON(r)
		s.texts, s.records = append(s.texts, text), append(s.records, find.Read(r.Time.UnixMilli(), text))
	}
	return s
}

func (s *shelf) extent() find.Extent {
	return find.Extent{High: s.first, Next: s.first + int64(len(s.records))}
}

func (s *shelf) Blocks(context.Context) (list []find.Span, err error) {
	for _, first := range slices.Sorted(maps.Keys(s.blocks)) {
		list = append(list, s.blocks[first].Span)
	}
	return list, nil
}

func (s *shelf) Size(_ context.Context, k find.Keys) (n int64, err error) {
	for first, b := range s.blocks {
		for _, data := range b.Parts {
			if first >= k.First && first <= k.Last {
				n += int64(len(data))
			}
		}
	}
	return n, nil
}

func (s *shelf) Parts(_ context.Context, blocks []find.Span, from, to find.Part, use func(find.Piece, []byte)) error {
	for _, b := range blocks {
		for p, data := range s.blocks[b.First].Parts {
			if p >= from && p < to {
				use(find.Piece{Block: b.First, Part: p}, data)
			}
		}
	}
	return nil
}

func (s *shelf) Alive(context.Context, []find.Span) (func(find.Row) bool, error) {
	return func(r find.Row) bool { return !s.gone[r.Key] }, nil
}

func (s *shelf) Each(k find.Keys, most int) find.Each {
	return func(_ context.Context, use func(int64, policy.Record) bool) error {
		for key := k.First; key <= k.Last && most > 0; key++ {
			if !s.gone[key] {
				if most--; !use(key, s.records[key-s.first]) {
					break
				}
			}
		}
		return nil
	}
}

// do makes a step, and returns what is indexed then.
func (s *shelf) do(w *find.Step) find.Extent {
	for _, b := range w.Replaced {
		delete(s.blocks, b.First)
	}
	for _, b := range w.Blocks {
		s.blocks[b.First] = b
	}
	return w.Will
}

// small puts all records into small blocks.
func (s *shelf) small(t testing.TB, each int) {
	t.Helper()
	e := s.extent()
	for e.High < e.Next {
		b, err := find.Filled(t.Context(), find.Small, each, s.Each(find.Keys{First: e.High, Last: e.Next - 1}, each))
		if err != nil || b == nil {
			t.Fatal(b, err)
		}
		s.blocks[b.First], e.High = *b, b.Last+1
	}
}

// mixed returns records of all kinds, some of which have contents.
func mixed(n int) (list []policy.Record) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		record := historytest.Mixed(r, i)
		if i%3 > 0 {
			record.Contents = historytest.Holds(i, record.Time).Contents
		}
		list = append(list, record)
	}
	return list
}

// same reports how the parts of a block differ from those of another.
func same(t *testing.T, got, want find.Block) {
	t.Helper()
	if got.Span != want.Span {
		t.Errorf("%+v, want %+v", got.Span, want.Span)
	}
	for _, p := range slices.Sorted(maps.Keys(want.Parts)) {
		if !bytes.Equal(got.Parts[p], want.Parts[p]) {
			t.Errorf("part %x has %d bytes that are not the %d of a block that is made of the records", p, len(got.Parts[p]), len(want.Parts[p]))
		}
	}
	if len(got.Parts) != len(want.Parts) {
		t.Errorf("%d parts, want %d", len(got.Parts), len(want.Parts))
	}
}

// TestMergedAsFilled: a block that is made of blocks is, byte by byte, the one that is made of their records.
func TestMergedAsFilled(t *testing.T) {
	for name, c := range map[string]struct {
		records []policy.Record
		gone    func(key int64) bool
	}{
		"all":           {mixed(900), func(int64) bool { return false }},
		"every seventh": {mixed(900), func(key int64) bool { return key%7 == 0 }},
		"half":          {mixed(900), func(key int64) bool { return key < 1450 }},
		"many words":    {natural(9000), func(key int64) bool { return key%100 == 50 }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(c.records)
			s.small(t, 256)
			blocks, err := s.Blocks(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i := range s.records {
				if key := s.first + int64(i); c.gone(key) {
					s.gone[key] = true
				}
			}
			got, err := find.Merged(t.Context(), s, blocks)
			if err != nil {
				t.Fatal(err)
			}
			want, err := find.Filled(t.Context(), find.Large, find.Rows, s.Each(find.Keys{First: s.first, Last: s.extent().Next - 1}, find.Rows))
			if err != nil {
				t.Fatal(err)
			}
			if name == "half" { // what is gone is no end of the block any more
				got.First, want.First = 0, 0
				delete(got.Parts, find.PartRows)
				delete(want.Parts, find.PartRows)
			}
			same(t, *got, *want)
		})
	}
}

// forget has all records be gone.
func (s *shelf) forget() {
	for i := range s.records {
		s.gone[s.first+int64(i)] = true
	}
}

func natural(n int) (list []policy.Record) {
	for i := range n {
		list = append(list, historytest.Natural(i, historytest.Now.Add(time.Duration(i)*time.Second)))
	}
	return list
}

// TestMergedOfNothing: of blocks of which no record is left none is made.
func TestMergedOfNothing(t *testing.T) {
	s := newShelf(mixed(40))
	s.small(t, 8)
	s.forget()
	blocks, _ := s.Blocks(t.Context())
	if b, err := find.Merged(t.Context(), s, blocks); b != nil || err != nil {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestMergedDamaged: whatever is damaged of a block is seen, and the block is made of the records then.
func TestMergedDamaged(t *testing.T) {
	whole := newShelf(mixed(64))
	whole.small(t, 8)
	want := merged(t, whole)
	for p := range whole.blocks[1008].Parts {
		s := newShelf(mixed(64))
		s.small(t, 8)
		data := s.blocks[1008].Parts[p]
		data[len(data)/2] ^= 0x40
		blocks, _ := s.Blocks(t.Context())
		if _, err := find.Merged(t.Context(), s, blocks); !errors.Is(err, find.ErrDamaged) {
			t.Errorf("part %x: %v", p, err)
		}
		same(t, merged(t, s), want)
	}
}

// merged has small blocks be put together into one.
func merged(t *testing.T, s *shelf) find.Block {
	t.Helper()
	z := find.Sizes{Small: 8, Large: 64}
	e := s.extent()
	e.High = e.Next
	w, err := z.Plan(t.Context(), s, e)
	if err != nil || w == nil || len(w.Blocks) != 1 || len(w.Replaced) != 8 {
		t.Fatalf("%+v, %v", w, err)
	}
	s.do(w)
	if w, err := z.Plan(t.Context(), s, e); w != nil || err != nil {
		t.Fatalf("there is more to do: %+v, %v", w, err)
	}
	return w.Blocks[0]
}

// TestMergedWithoutRecords: large blocks are made without reading any record.
func TestMergedWithoutRecords(t *testing.T) {
	s := newShelf(mixed(64))
	s.small(t, 8)
	s.records = nil
	if b := merged(t, &shelf{first: s.first, records: make([]policy.Record, 64), blocks: s.blocks, gone: s.gone}); b.Rows != 64 {
		t.Errorf("%+v", b.Span)
	}
}

// BenchmarkMerge makes a large block of 64 small ones, and of their records, which come from JSON.
func BenchmarkMerge(b *testing.B) {
	s := newShelf(natural(find.Rows))
	s.small(b, 256)
	blocks, _ := s.Blocks(b.Context())
	b.Run("blocks", func(b *testing.B) {
		for b.Loop() {
			if _, err := find.Merged(b.Context(), s, blocks); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/find.Rows, "us/record")
	})
	b.Run("records", func(b *testing.B) {
		for b.Loop() {
			for i, text := range s.texts {
				var r policy.Record
				if err := json.Unmarshal(text, &r); err != nil {
					b.Fatal(err)
				}
				s.records[i] = r
			}
			if _, err := find.Filled(b.Context(), find.Large, find.Rows, s.Each(find.Keys{First: s.first, Last: s.extent().Next - 1}, find.Rows)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/find.Rows, "us/record")
	})
}
