package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan/units"
)

// benchZip is a zip of so many documents of so many words.
func benchZip(b *testing.B, documents, words int) (packed []byte, unpacked int64) {
	b.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range documents {
		var text strings.Builder
		for range words {
			fmt.Fprintf(&text, "word%d ", random.IntN(5000))
		}
		m, err := w.Create(fmt.Sprintf("document-%d.txt", i))
		if err != nil {
			b.Fatal(err)
		}
		io.WriteString(m, text.String())
		unpacked += int64(text.Len())
	}
	w.Close()
	return out.Bytes(), unpacked
}

func BenchmarkZip(b *testing.B) {
	for name, size := range map[string][2]int{"large": {50, 200_000}, "10000 members": {10_000, 50}} {
		b.Run(name, func(b *testing.B) {
			data, unpacked := benchZip(b, size[0], size[1])
			b.SetBytes(unpacked)
			b.ResetTimer()
			for b.Loop() {
				budget := NewBudget(Limits{Expanded: units.GB, Member: units.GB, Ratio: 1000, Entries: 20_000})
				_, err := zipFormat{}.Walk(context.Background(), bytes.NewReader(data), budget, func(_ Member, r io.Reader) error {
					_, err := io.Copy(io.Discard, r)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
