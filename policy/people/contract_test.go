package people_test

import (
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/policy/people"
	"github.com/milterscan/milterscan/policy/people/peopletest"
)

// TestContract holds files to what all stores promise.
func TestContract(t *testing.T) {
	peopletest.Run(t, func(t *testing.T) (here, there *people.Store) {
		path := filepath.Join(t.TempDir(), "people.db")
		here, there = people.New(path), people.New(path)
		t.Cleanup(func() { here.Close(); there.Close() })
		return here, there
	}, nil)
}

func BenchmarkImport(b *testing.B) {
	root := people.Maker{Name: "root", Level: people.OfHost, Terms: people.DefaultTerms()}
	for b.Loop() {
		s := people.New(filepath.Join(b.TempDir(), "people.db"))
		if n, err := s.Import(b.Context(), root, peopletest.Many(100_000)); err != nil {
			b.Fatal(n, err)
		}
		s.Close()
	}
}
