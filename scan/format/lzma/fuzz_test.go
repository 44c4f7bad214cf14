package lzma

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"github.com/ulikunitz/xz/lzma"
)

// mostFuzzed bounds what is unpacked, in bytes: a few bytes may unpack to terabytes.
const mostFuzzed = 1 << 20

// same compares what two readers yield: what the other reads well is read well and the same;
// what the other yields before an error is yielded, too.
func same(t *testing.T, ours, other io.Reader) {
	t.Helper()
	want, failed := io.ReadAll(io.LimitReader(other, mostFuzzed))
	got, err := io.ReadAll(io.LimitReader(ours, mostFuzzed))
	switch {
	case failed == nil && err != nil:
		t.Errorf("ours fails with %v after %d bytes of %d", err, len(got), len(want))
	case failed == nil && !bytes.Equal(got, want) || !bytes.HasPrefix(got, want):
		t.Errorf("%d bytes, not the %d of the other (%v, %v)", len(got), len(want), err, failed)
	}
}

// FuzzLZMA compares with the library on files of any bytes.
func FuzzLZMA(f *testing.F) {
	for _, text := range texts() {
		f.Add(packed(f, text[:min(len(text), 300)], Properties{3, 0, 2}, MinWindow, false))
		f.Add(packed(f, text[:min(len(text), 300)], Properties{0, 2, 4}, MinWindow, true))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 4 {
			file[3], file[4] = 0, 0 // 64 KB of dictionary are enough
		}
		ours, err := opened(bufio.NewReader(bytes.NewReader(file)), idle)
		other, failed := lzma.NewReader(bufio.NewReader(bytes.NewReader(file)))
		if failed != nil {
			return
		}
		if err != nil {
			t.Fatalf("ours does not open: %v", err)
		}
		same(t, ours, other)
	})
}

// FuzzLZMA2 compares with the library on streams of any bytes.
//
// QUIRK: the library does not look whether a chunk has bytes left that nothing comes of, but takes
// them for the next chunk, and takes a stream for whole that ends where a chunk should
// begin (v0.5.17).
func FuzzLZMA2(f *testing.F) {
	for _, text := range texts() {
		f.Add(packed2(f, text[:min(len(text), 300)], Properties{3, 0, 2}, MinWindow))
	}
	f.Add([]byte("\x01\x00\x02abc\x02\x00\x02abc\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := io.ReadAll(io.LimitReader(NewReader2(bufio.NewReader(bytes.NewReader(stream)), MinWindow, idle), mostFuzzed))
		other, failed := lzma.Reader2Config{DictCap: MinWindow}.NewReader2(bytes.NewReader(stream))
		if failed != nil || err == errEnd {
			return
		}
		want, failed := io.ReadAll(io.LimitReader(other, mostFuzzed))
		if failed == nil && (other.EOS() || len(want) == mostFuzzed) && (err != nil || !bytes.Equal(got, want)) || !bytes.HasPrefix(got, want) {
			t.Errorf("%d bytes, %v; the other %d bytes, %v", len(got), err, len(want), failed)
		}
	})
}

// FuzzRoundTrip packs data and unpacks them, with all properties.
func FuzzRoundTrip(f *testing.F) {
	for _, text := range texts() {
		f.Add(text[:min(len(text), 300)], byte(0x5d), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, properties byte, mark bool) {
		p, err := ParseProperties(properties)
		if err != nil {
			return
		}
		if got, _, err := unpacked(packed(t, text, p, MinWindow, mark)); !bytes.Equal(got, text) || err != nil {
			t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
		}
		if p.LC+p.LP > mostContext {
			return
		}
		got, err := io.ReadAll(NewReader2(bufio.NewReader(bytes.NewReader(packed2(t, text, p, MinWindow))), MinWindow, idle))
		if !bytes.Equal(got, text) || err != nil {
			t.Errorf("LZMA2: %d bytes of %d, %v", len(got), len(text), err)
		}
	})
}
