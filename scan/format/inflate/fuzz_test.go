package inflate

import (
	"bufio"
	"bytes"
	"compress/flate"
	"io"
	"testing"

	fast "github.com/klauspost/compress/flate"
)

// mostFuzzed bounds what is unpacked, in bytes.
const mostFuzzed = 1 << 20

// FuzzInflate compares with two libraries on any bytes: what is yielded, where the data end, and
// whether they are whole.
func FuzzInflate(f *testing.F) {
	for _, text := range texts() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
			f.Add(deflated(f, text[:min(len(text), 400)], nil, level, 150))
		}
	}
	f.Add(blocks(3, 5))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bufio.NewReader(bytes.NewReader(data))
		d := new(Reader)
		d.Reset(in, nil, idle)
		got, err := io.ReadAll(io.LimitReader(d, mostFuzzed))
		rest, _ := io.ReadAll(in)
		for name, open := range map[string]func(io.Reader) io.ReadCloser{"standard": flate.NewReader, "fast": fast.NewReader} {
			other := bufio.NewReader(bytes.NewReader(data))
			want, failed := io.ReadAll(io.LimitReader(open(other), mostFuzzed))
			left, _ := io.ReadAll(other)
			switch {
			case (err == nil) != (failed == nil):
				t.Errorf("%v, %s: %v", err, name, failed)
			case err == nil && !bytes.Equal(got, want) || !bytes.HasPrefix(got, want):
				t.Errorf("%d bytes, %s: %d", len(got), name, len(want))
			case err == nil && len(got) < mostFuzzed && len(rest) != len(left):
				t.Errorf("%d bytes left, %s: %d", len(rest), name, len(left))
			}
		}
	})
}

// FuzzRoundTrip packs data and unpacks them.
func FuzzRoundTrip(f *testing.F) {
	for _, text := range texts() {
		f.Add(text[:min(len(text), 400)], []byte("a dictionary"), 9, 100)
	}
	f.Fuzz(func(t *testing.T, text, dict []byte, level, each int) {
		if level < flate.HuffmanOnly || level > 9 || each < 0 || each > 0 && len(text)/each > 1000 {
			return
		}
		packed := deflated(t, text, dict, level, each)
		if got, err := io.ReadAll(opened(bytes.NewReader(packed), dict, idle)); !bytes.Equal(got, text) || err != nil {
			t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
		}
	})
}
