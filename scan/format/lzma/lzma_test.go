package lzma

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ulikunitz/xz/lzma"
)

// texts are data that encoders treat differently.
func texts() map[string][]byte {
	random := rand.NewChaCha8([32]byte{7})
	noise := make([]byte, 70_000)
	random.Read(noise)
	var words strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&words, "word%d ", i*i%977)
	}
	far := bytes.Clone(noise)
	return map[string][]byte{
		"none": nil, "one": []byte("x"), "zeros": make([]byte, 100_000), "noise": noise, "words": []byte(words.String()),
		"far": append(far, noise...), "mixed": append(append([]byte(words.String()), noise...), words.String()...),
	}
}

// packed returns a .lzma file, of unknown size if there is to be a mark at its end.
func packed(t testing.TB, text []byte, p Properties, dict int, mark bool) []byte {
	t.Helper()
	var out bytes.Buffer
	config := lzma.WriterConfig{Properties: &lzma.Properties{LC: p.LC, LP: p.LP, PB: p.PB}, DictCap: dict, EOSMarker: mark}
	if !mark {
		config.SizeInHeader, config.Size = true, int64(len(text))
	}
	w, err := config.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !mark { // the library writes that the size of nothing is not known
		binary.LittleEndian.PutUint64(out.Bytes()[5:], uint64(len(text)))
	}
	return out.Bytes()
}

// packed2 returns a stream of LZMA2.
func packed2(t testing.TB, text []byte, p Properties, dict int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := lzma.Writer2Config{Properties: &lzma.Properties{LC: p.LC, LP: p.LP, PB: p.PB}, DictCap: dict}.NewWriter2(&out)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// opened reads a .lzma file.
func opened(r *bufio.Reader, work func(int64)) (*Reader, error) {
	head := make([]byte, 13)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	p, err := ParseProperties(head[0])
	if err != nil {
		return nil, err
	}
	dict, size := int64(binary.LittleEndian.Uint32(head[1:])), int64(binary.LittleEndian.Uint64(head[5:]))
	if size >= 0 {
		dict = min(dict, size)
	}
	return NewReader(r, p, dict, size, work)
}

func idle(int64) {}

// unpacked returns what a .lzma file yields, and how much of it was read.
func unpacked(file []byte) (text []byte, taken int64, err error) {
	in := bufio.NewReader(bytes.NewReader(file))
	r, err := opened(in, idle)
	if err != nil {
		return nil, 0, err
	}
	text, err = io.ReadAll(r)
	return text, 13 + r.Taken(), err
}

// TestReaderReadsWhatEncodersWrite has data of all kinds with all kinds of properties; what
// follows them is left alone.
func TestReaderReadsWhatEncodersWrite(t *testing.T) {
	for name, text := range texts() {
		for _, p := range []Properties{{3, 0, 2}, {0, 0, 0}, {0, 4, 4}, {4, 0, 0}, {8, 4, 4}, {1, 3, 1}} {
			for _, mark := range []bool{false, true} {
				file := packed(t, text, p, 1<<16, mark)
				got, taken, err := unpacked(append(bytes.Clone(file), "more"...))
				if !bytes.Equal(got, text) || err != nil || taken != int64(len(file)) {
					t.Errorf("%s, %v, mark %v: %d bytes of %d, %d taken of %d, %v", name, p, mark, len(got), len(text), taken, len(file), err)
				}
			}
			if p.LC+p.LP > mostContext {
				continue
			}
			stream := packed2(t, text, p, 1<<16)
			r := NewReader2(bufio.NewReader(bytes.NewReader(append(bytes.Clone(stream), "more"...))), 1<<16, idle)
			if got, err := io.ReadAll(r); !bytes.Equal(got, text) || err != nil || r.Taken() != int64(len(stream)) {
				t.Errorf("%s, %v, LZMA2: %d bytes of %d, %d taken of %d, %v", name, p, len(got), len(text), r.Taken(), len(stream), err)
			}
		}
	}
}

// TestReaderReadsInAnyPieces reads and is given bytes one by one, or all at once.
func TestReaderReadsInAnyPieces(t *testing.T) {
	text := texts()["mixed"]
	file := packed(t, text, Properties{3, 0, 2}, MinWindow, true)
	for _, in := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		for _, out := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader} {
			r, err := opened(bufio.NewReaderSize(in(bytes.NewReader(file)), 64), idle)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(out(r)); !bytes.Equal(got, text) || err != nil {
				t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
			}
		}
	}
}

// TestCutDataAreAnError cuts streams everywhere: what comes before is yielded, and the error
// is that of the source.
func TestCutDataAreAnError(t *testing.T) {
	text := texts()["words"][:3000]
	for _, mark := range []bool{false, true} {
		file := packed(t, text, Properties{3, 0, 2}, MinWindow, mark)
		last := 0
		for n := range len(file) {
			got, _, err := unpacked(file[:n])
			if n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(text, got) || len(got) < last {
				t.Fatalf("%d bytes of %d: %d bytes, %v", n, len(file), len(got), err)
			}
			last = len(got)
		}
		if last < len(text)-10 {
			t.Errorf("without its last byte %d bytes of %d", last, len(text))
		}
	}
	stream := packed2(t, text, Properties{3, 0, 2}, MinWindow)
	for n := range len(stream) {
		got, err := io.ReadAll(NewReader2(bufio.NewReader(bytes.NewReader(stream[:n])), MinWindow, idle))
		if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(text, got) {
			t.Fatalf("LZMA2, %d bytes of %d: %d bytes, %v", n, len(stream), len(got), err)
		}
	}
	broken := errors.New("broken")
	r, err := opened(bufio.NewReader(io.MultiReader(bytes.NewReader(packed(t, text, Properties{3, 0, 2}, MinWindow, false)[:300]), iotest.ErrReader(broken))), idle)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, broken) {
		t.Errorf("a source that breaks: %v", err)
	}
}

// TestChunksKeepTheirOrder has chunks of LZMA2 that may not be there.
func TestChunksKeepTheirOrder(t *testing.T) {
	file := packed(t, bytes.Repeat([]byte("abcabd"), 40), Properties{}, MinWindow, false)
	chunk := func(control byte) string {
		c := []byte{control, 0, 239, 0, byte(len(file) - 13 - 1)}
		if control >= chunkModel {
			c = append(c, file[0])
		}
		return string(append(c, file[13:]...))
	}
	raw, rawReset := "\x02\x00\x02abc", "\x01\x00\x02abc"
	for i, c := range []struct {
		stream string
		text   int
		err    error
	}{
		{"\x00", 0, io.EOF},
		{"", 0, io.ErrUnexpectedEOF},
		{rawReset + raw + "\x00", 6, io.EOF},
		{raw + "\x00", 0, errChunk},
		{rawReset + chunk(chunkState) + "\x00", 3, errChunk},
		{rawReset + chunk(chunkPacked) + "\x00", 3, errChunk},
		{rawReset + chunk(chunkModel) + "\x00", 243, io.EOF},
		{chunk(chunkModel), 0, errChunk},
		{chunk(chunkReset) + chunk(chunkState) + "\x00", 480, io.EOF},
		{chunk(chunkReset) + raw + chunk(chunkState) + "\x00", 483, io.EOF},
		{chunk(chunkReset) + rawReset + chunk(chunkState) + "\x00", 243, errChunk},
		{chunk(chunkReset) + "\x03", 240, errChunk},
		{chunk(chunkReset) + "\x7f", 240, errChunk},
		{"\xe0\x00\x00\x00\x05\xe1", 0, ErrProperties},
		{"\xe0\x00\x00\x00\x05\x2c", 0, ErrProperties}, // 8 bits of context
		{"\xe0\x00\x00\x00\x03\x5d\x00\x00\x00\x00\x00", 0, errChunk},
		{"\xe0\x00\x00\x00\x05\x5d\x01\x00\x00\x00\x00\x00", 0, errFirst},
		{"\xe0\x00\x00\x00\x05\x5d\x00\xff\xff\xff\xff\x00", 0, errFirst},
	} {
		got, err := io.ReadAll(NewReader2(bufio.NewReader(strings.NewReader(c.stream)), MinWindow, idle))
		if err == nil {
			err = io.EOF
		}
		if len(got) != c.text || !errors.Is(err, c.err) {
			t.Errorf("%d: %d bytes, %v; want %d, %v", i, len(got), err, c.text, c.err)
		}
	}
}

// TestStepsGoByTheSymbols holds the steps that are counted to what was decoded: data that do
// not pack, those that are one long match, and literals that take no room at all.
func TestStepsGoByTheSymbols(t *testing.T) {
	for name, each := range map[string][2]float64{"noise": {9, 10}, "zeros": {0.02, 0.5}, "words": {0.1, 3}} {
		text := texts()[name]
		var steps int64
		r, err := opened(bufio.NewReader(bytes.NewReader(packed(t, text, Properties{3, 0, 2}, 1<<16, false))), func(n int64) { steps += n })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		if got := float64(steps) / float64(len(text)); got < each[0] || got > each[1] {
			t.Errorf("%s: %.2f steps for a byte, want %v", name, got, each)
		}
	}
	var steps int64
	empty := "\xe0\x00\x00\x00\x05\x5d\x00\x00\x00\x00\x00\x00"
	if _, err := io.Copy(io.Discard, NewReader2(bufio.NewReader(strings.NewReader(strings.Repeat(empty, 1000)+"\x00")), MinWindow, func(n int64) { steps += n })); err != nil {
		t.Fatal(err)
	}
	if steps < 1000*stepsModel {
		t.Errorf("1000 beginnings count %d steps", steps)
	}
}

// TestMemoryIsThatOfTheWindow has a dictionary of 4 GB for data that are damaged at once.
func TestMemoryIsThatOfTheWindow(t *testing.T) {
	if _, err := io.ReadAll(NewReader2(bufio.NewReader(strings.NewReader("\x03")), 1<<32, idle)); !errors.Is(err, errChunk) {
		t.Error(err)
	}
	for code, want := range map[byte]int64{0: 4 << 10, 1: 6 << 10, 24: 16 << 20, 39: 3 << 30, 40: 1<<32 - 1} {
		if got, err := Dictionary(code); got != want || err != nil {
			t.Errorf("%d: %d, %v", code, got, err)
		}
	}
	if _, err := Dictionary(41); !errors.Is(err, ErrProperties) {
		t.Error(err)
	}
}
