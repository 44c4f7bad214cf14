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

// samples are beginnings that have one sign each, and where that is in them.
func samples() (all []string, at []int) {
	for _, s := range signs {
		switch s.of {
		case sightLHA:
			for _, then := range s.then {
				all, at = append(all, "\x20\x00"+s.mark+string(then)+"-uuuuuuuuuuuuu\x02uuuu"), append(at, lhaMethod)
			}
		case sightMIME:
			all, at = append(all, s.mark, "MiME-VErsion:"), append(at, 0, 0)
		case sightGzip:
			all, at = append(all, s.mark+"\x00", s.mark+"\xff"), append(at, 0, 0)
		default:
			all, at = append(all, s.mark), append(at, 0)
		}
	}
	return all, at
}

// Every sign is seen wherever it begins and ends, and half a mark is none.
func TestPairs(t *testing.T) {
	all, places := samples()
	for i, sample := range all {
		for before := range 20 {
			for after := range 10 {
				b := slices.Concat(bytes.Repeat([]byte("u"), before), []byte(sample), bytes.Repeat([]byte("-"), after))
				if signPairs.in(b, allSights) == 0 {
					t.Errorf("%q is not seen between %d and %d bytes", sample, before, after)
				}
				for _, cut := range [][]byte{b, b[:before+len(sample)-1], b[before+places[i]+1:]} {
					holdPairs(t, cut, allSights)
				}
			}
		}
	}
}

// The pairs of a sign are in it, or end at the byte after its mark, and none is passed over.
func TestStride(t *testing.T) {
	for _, s := range signs {
		met := map[int]bool{}
		for _, at := range s.pairs {
			met[at%stride] = true
			if at < 0 || at+1 > len(s.mark) {
				t.Errorf("%q: pair %d is outside", s.mark, at)
			}
		}
		if len(met) != stride {
			t.Errorf("%q: the pairs %v leave a remainder out", s.mark, s.pairs)
		}
	}
	if n := len(signPairs.lists); n > 1<<8 {
		t.Errorf("%d lists of signs have no number each", n)
	}
}

// So many pairs of marks that are none, and bytes in no order, hide no mark.
func TestPairsInNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 4<<10)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	all, _ := samples()
	for _, filling := range []string{"-lMS07", "-v", "ust", "-lh5-", string(noise)} {
		for _, sample := range all {
			b := bytes.Repeat([]byte(filling), 1+8<<10/len(filling))
			copy(b[r.IntN(len(b)-len(sample)):], sample)
			of := signPairs.in([]byte(sample), allSights)
			holdPairs(t, b, allSights)
			holdPairs(t, b, of)
			holdPairs(t, b, allSights&^of)
			if signPairs.in(b, of) != of || of == 0 {
				t.Errorf("%q is not seen among %.10q", sample, filling)
			}
		}
	}
}

func FuzzPairs(f *testing.F) {
	f.Add([]byte("u\x20\x00-lh5-uuuuuuuuuuuuu\x02uuuu"), uint16(sightLHA))
	f.Add([]byte("xMSCF 07070 -lh -lz Rar!\x1a\x07 mime-Version: ustar"), uint16(allSights))
	f.Add([]byte("\x1f\x8b\x08 \x28\xb5\x2f\xfd \xfd7zXZ\x00 1AY&SY"), uint16(sightGzip|sightXZ))
	f.Fuzz(func(t *testing.T, b []byte, wanted uint16) { holdPairs(t, b, sights(wanted)&allSights) })
}
