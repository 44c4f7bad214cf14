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
//
// QUIRK: the fast library goes on after codes that mean nothing (v1.20), which the standard
// library and zlib take for damage; so it is compared on whole data only.
func FuzzInflate(f *testing.F) {
	for _, text := range texts() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
			f.Add(deflated(f, text[:min(len(text), 400)], nil, level, 150))
		}
	}
	f.Add(blocks(3, 5))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, rest, err := read(data, func(in io.Reader) io.Reader { return opened(in, nil, idle) })
		want, left, failed := read(data, func(in io.Reader) io.Reader { return flate.NewReader(in) })
		switch {
		case (err == nil) != (failed == nil):
			t.Errorf("%v, the standard library: %v", err, failed)
		case err == nil && !bytes.Equal(got, want) || !bytes.HasPrefix(got, want):
			t.Errorf("%d bytes, the standard library: %d", len(got), len(want))
		case err == nil && len(got) < mostFuzzed && rest != left:
			t.Errorf("%d bytes left, the standard library: %d", rest, left)
		}
		if err == nil {
			if want, _, failed := read(data, func(in io.Reader) io.Reader { return fast.NewReader(in) }); failed != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, the fast library: %d, %v", len(got), len(want), failed)
			}
		}
	})
}

// read returns what a decoder yields, and how many bytes it leaves.
func read(data []byte, open func(io.Reader) io.Reader) (text []byte, left int, err error) {
	in := bufio.NewReader(bytes.NewReader(data))
	text, err = io.ReadAll(io.LimitReader(open(in), mostFuzzed))
	rest, _ := io.ReadAll(in)
	return text, len(rest), err
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
