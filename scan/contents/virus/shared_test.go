package virus

import (
	"context"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/units"
	"github.com/milterscan/milterscan/tests/fakes"
)

// board is a Clean of one program.
type board struct {
	known map[scan.Sum]bool
	kept  int
}

// Recall implements Clean.
func (b *board) Recall(_ context.Context, keys []scan.Sum) []bool {
	list := make([]bool, len(keys))
	for i, k := range keys {
		list[i] = b.known[k]
	}
	return list
}

// Keep implements Clean.
func (b *board) Keep(keys []scan.Sum) {
	b.kept += len(keys)
	for _, k := range keys {
		b.known[k] = true
	}
}

// TestTogether: a host does not ask about what another has found clean, and asks about all else: what has a virus, what was clean by
// other signatures or another engine, and what nobody tells the signatures of.
func TestTogether(t *testing.T) {
	for name, test := range map[string]struct {
		other  Config // of the other host, where it is not the same
		newer  bool   // are its signatures
		nobody bool   // says what it found
		holds  string
		asked  int
	}{
		"the same":                {asked: 0},
		"newer signatures":        {newer: true, asked: 1},
		"another name":            {other: Config{Name: "clam2"}, asked: 1},
		"another limit":           {other: Config{MaxStream: 2 * units.MB}, asked: 1},
		"a virus":                 {holds: "evil", asked: 1},
		"hosts that do not share": {nobody: true, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := &board{known: map[scan.Sum]bool{}}
			attached := "attachment" + test.holds
			host := func(c Config, newer bool) (*Engine, *fakes.Clamd) {
				fake := &fakes.Clamd{Virus: "evil"}
				c.Type, c.Address = TypeClamd, Addresses{fake.Start(t, "unix")}
				if newer {
					fake.NewDatabase()
				}
				if c.Name == "" {
					c.Name = "clam1"
				}
				var all Clean = b
				if test.nobody {
					all = nil
				}
				list, err := NewTogether([]Config{c}, all)
				if err != nil {
					t.Fatal(err)
				}
				return list[len(list)-1].(*Engine), fake
			}
			one, _ := host(Config{}, false)
			other, fake := host(test.other, test.newer)
			for _, e := range []*Engine{one, other} {
				found, err := e.Scan(t.Context(), two("text of "+e.Name(), attached))
				if err != nil || (len(found) > 0) != (test.holds != "") {
					t.Fatalf("found %v, %v", found, err)
				}
			}
			if n := heard(fake, attached); n != test.asked {
				t.Errorf("the other host asked %d times, want %d", n, test.asked)
			}
		})
	}
}

// TestTogetherEnds: what a host has from others it does not tell again, or it would never end.
func TestTogetherEnds(t *testing.T) {
	b := &board{known: map[scan.Sum]bool{}}
	var engines []*Engine
	for range 2 {
		c := Config{Name: "clamd", Type: TypeClamd, Address: Addresses{(&fakes.Clamd{}).Start(t, "unix")}}
		list, err := NewTogether([]Config{c}, b)
		if err != nil {
			t.Fatal(err)
		}
		engines = append(engines, list[len(list)-1].(*Engine))
	}
	for i := range 6 {
		if _, err := engines[i%2].Scan(t.Context(), two("text", "attachment")); err != nil {
			t.Fatal(err)
		}
	}
	if b.kept != 2 {
		t.Errorf("%d contents were told, want each of two once", b.kept)
	}
	silent := &server{together: together{b, "x"}}
	silent.together.keep("", []*Question{{done: true, sum: sum{1}}})
	silent.together.keep("db", []*Question{{done: true}, {sum: sum{1}}, {done: true, sum: sum{2}, signature: "evil"}})
	if b.kept != 2 {
		t.Error("what has no hash, no verdict, a virus or unknown signatures is told")
	}
}
