package virus

import (
	"bytes"
	"slices"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/scratch"
	"github.com/milterscan/milterscan/scan/spool"
)

// made returns a new marker.
func made(t *testing.T) marker {
	t.Helper()
	k, err := newMarker()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// marks returns the marks of contents, all by one marker.
func marks(t *testing.T, k marker, contents ...scan.Content) (all []sum) {
	t.Helper()
	m := &scan.Message{}
	for i, c := range contents {
		m.Parts = append(m.Parts, scan.Part{Content: c})
		s, err := k.of(t.Context(), m, i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// TestMarksOfWatchedBodies: what was marked while it was opened is not read again, and has the mark that reading it gives.
func TestMarksOfWatchedBodies(t *testing.T) {
	if BodyWatches(Default()) != nil {
		t.Error("bodies are marked for an engine that does not ask for it")
	}
	k, err := ourMarker()
	if err != nil {
		t.Fatal(err)
	}
	b := bytes.Repeat([]byte("0123456789abcdef"), 3*scratch.Size/16)
	w := &watched{Content: scantest.Bytes(b)}
	w.lore.Watch(BodyWatches([]Config{{Type: TypeClamd}}))
	scratch.Windows(w, 0, 0, func([]byte, int64) error { return nil })
	w.over = true
	all := marks(t, k, w, w, scantest.Bytes(b))
	if all[0] != all[1] || all[0] != all[2] {
		t.Errorf("marks %x", all)
	}
	w.over = false
	if other := marks(t, made(t), w); other[0] == all[0] {
		t.Error("a marker with another key makes the same mark")
	}
}

// TestMarkTellsApart: contents have one mark only if they are equal to the last bit, wherever windows
// on them begin and end.
func TestMarkTellsApart(t *testing.T) {
	base := make([]byte, 2*scratch.Size)
	for i := range base {
		base[i] = byte(i) ^ byte(i>>8) ^ byte(i>>16)
	}
	swapped := slices.Concat(base[scratch.Size:], []byte("x"), base[:scratch.Size])
	family := [][]byte{base, base[:len(base)-1], base[:scratch.Size], append(slices.Clone(base), 0), make([]byte, 1), make([]byte, 2), make([]byte, 16),
		swapped, slices.Concat(base[:scratch.Size], []byte("x"), base[scratch.Size:])}
	for _, at := range []int{0, 15, 16, scratch.Size - 1, scratch.Size, len(base) - 1} {
		other := slices.Clone(base)
		other[at] ^= 1
		family = append(family, other)
	}
	k, known := made(t), map[sum]int{}
	for i, b := range family {
		both := marks(t, k, scantest.Bytes(b), scantest.Bytes(slices.Clone(b)))
		if both[0] != both[1] {
			t.Errorf("content %d has two marks", i)
		}
		if first, ok := known[both[0]]; ok {
			t.Errorf("contents %d and %d have one mark", first, i)
		}
		known[both[0]] = i
	}
}

// TestMarkHasKey: no one can work out the marks of a process.
func TestMarkHasKey(t *testing.T) {
	c := scantest.Bytes([]byte("content"))
	one, other := marks(t, made(t), c), marks(t, made(t), c)
	if one[0] == other[0] {
		t.Error("two markers make one mark")
	}
}

// TestMarkOfSpool: a content in memory has the mark of the same content that arrived in other pieces.
func TestMarkOfSpool(t *testing.T) {
	base := bytes.Repeat([]byte("0123456789abcdef"), scratch.Size/4)
	s := spool.New(t.TempDir(), 8<<20, 8<<20)
	whole, pieces := s.Buffer(), s.Buffer()
	defer whole.Close()
	defer pieces.Close()
	whole.Write(base)
	for rest := base; len(rest) > 0; rest = rest[min(len(rest), 1000):] {
		pieces.Write(rest[:min(len(rest), 1000)])
	}
	if all := marks(t, made(t), whole, pieces); all[0] != all[1] {
		t.Error("the same content in the same memory has two marks")
	}
}
