package inflate

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	fast "github.com/klauspost/compress/flate"
)

// document is a text of a size that attachments have, of words of which some are frequent.
func document() []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	for text.Len() < 16<<10 {
		few := random.IntN(300)
		fmt.Fprintf(&text, "%x ", random.IntN(few+1)*0x35af1)
	}
	return text.Bytes()
}

// BenchmarkReader unpacks small files one after the other, beside the fast library.
func BenchmarkReader(b *testing.B) {
	noise := make([]byte, 16<<10)
	rand.NewChaCha8([32]byte{7}).Read(noise)
	for name, text := range map[string][]byte{"text": document(), "noise": noise} {
		packed, in := deflated(b, text, nil, 6, 0), bufio.NewReaderSize(nil, 1<<15)
		ours, theirs := new(Reader), fast.NewReader(in)
		read := func(b *testing.B, d io.Reader, reset func()) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				in.Reset(bytes.NewReader(packed))
				reset()
				if n, err := io.Copy(io.Discard, d); n != int64(len(text)) || err != nil {
					b.Fatal(n, err)
				}
			}
		}
		b.Run(name+"/milterscan", func(b *testing.B) { read(b, ours, func() { ours.Reset(in, nil, idle) }) })
		b.Run(name+"/klauspost", func(b *testing.B) {
			read(b, struct{ io.Reader }{theirs}, func() { theirs.(fast.Resetter).Reset(in, nil) })
		})
	}
}
