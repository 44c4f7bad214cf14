package virus

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkEICAR(b *testing.B) {
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	text := filled("etaoin shrdlu <p>ETA\r\n")
	style := filled("etaoin shrdlu {}$E;\r\n") // much worse than any real style sheet
	for name, data := range map[string][]byte{"random": random, "text": text, "style": style} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				for at := 0; at < len(data); at += blockSize {
					if hasEICAR(data[at : at+blockSize]) {
						b.Fatal("found")
					}
				}
			}
		})
	}
}

func filled(alphabet string) []byte {
	b := make([]byte, 1<<20)
	for i := range b {
		b[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return b
}
