package archive

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// holdPairs wants the one pass to see what a pass for each mark sees.
func holdPairs(t *testing.T, b []byte, wanted sights) {
	t.Helper()
	if got, want := signPairs.in(b, wanted), eachIn(b, wanted); got != want {
		t.Errorf("%.40q, %d bytes: %b of %b, want %b", b, len(b), got, wanted, want)
	}
}

// Every mark is seen wherever it begins and ends, and half a mark is none.
func TestPairs(t *testing.T) {
	marks := []string{mimeField, "MiME-VErsion:"}
	for _, s := range signs {
		marks = append(marks, s.mark)
	}
	for _, mark := range marks {
		for before := range 20 {
			for after := range 10 {
				b := slices.Concat(bytes.Repeat([]byte("u"), before), []byte(mark), bytes.Repeat([]byte("-"), after))
				if signPairs.in(b, allSights) == 0 {
					t.Errorf("%q is not seen between %d and %d bytes", mark, before, after)
				}
				for _, cut := range [][]byte{b, b[:before+len(mark)-1], b[before+1:]} {
					holdPairs(t, cut, allSights)
				}
			}
		}
	}
}

// So many pairs of marks that are none, and bytes in no order, hide no mark.
func TestPairsInNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 4<<10)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, filling := range []string{"-lMS07", "-v", "ust", string(noise)} {
		for _, s := range signs {
			b := bytes.Repeat([]byte(filling), 1+8<<10/len(filling))
			copy(b[r.IntN(len(b)-len(s.mark)):], s.mark)
			holdPairs(t, b, allSights)
			holdPairs(t, b, s.of)
			holdPairs(t, b, allSights&^s.of)
		}
	}
}

func FuzzPairs(f *testing.F) {
	f.Add([]byte("xMSCF 07070 -lh -lz Rar!\x1a\x07 mime-Version: ustar"), uint16(allSights))
	f.Add([]byte("\x1f\x8b\x08 \x28\xb5\x2f\xfd \xfd7zXZ\x00 1AY&SY"), uint16(sightGzip|sightXZ))
	f.Fuzz(func(t *testing.T, b []byte, wanted uint16) { holdPairs(t, b, sights(wanted)&allSights) })
}
