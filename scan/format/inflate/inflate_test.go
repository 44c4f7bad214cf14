package inflate

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// texts are data that encoders treat differently.
func texts() map[string][]byte {
	noise := make([]byte, 100_000)
	rand.NewChaCha8([32]byte{7}).Read(noise)
	skewed := bytes.Clone(noise)
	for i, b := range skewed {
		skewed[i] = "eeeeeeeeeeeeeeeeaaaaaaaattttooix"[b%32] + b/255*b
	}
	var words strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&words, "word%d ", i*i%977)
	}
	far := append(bytes.Clone(noise[:32<<10]), noise[:32<<10]...)
	return map[string][]byte{
		"none": nil, "one": []byte("x"), "zeros": make([]byte, 300_000), "noise": noise, "skewed": skewed, "words": []byte(words.String()), "far": far,
	}
}

// deflated packs data, flushing after so many bytes, which begins a block of its own, never if 0.
func deflated(t testing.TB, text, dict []byte, level, each int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, level, dict)
	if err != nil {
		t.Fatal(err)
	}
	for each > 0 && len(text) > each {
		w.Write(text[:each])
		w.Flush()
		text = text[each:]
	}
	w.Write(text)
	w.Close()
	return out.Bytes()
}

func idle(int64) {}

// opened returns a reader of data.
func opened(in io.Reader, dict []byte, work func(int64)) *Reader {
	d := new(Reader)
	d.Reset(bufio.NewReader(in), dict, work)
	return d
}

// TestReaderReadsWhatEncodersWrite has data of all kinds in blocks of all kinds; what follows
// them is left alone, and a reader is used again.
func TestReaderReadsWhatEncodersWrite(t *testing.T) {
	d := Borrow()
	defer d.GiveBack()
	for name, text := range texts() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6, 9} {
			for _, each := range []int{0, 1000, 37} {
				packed := deflated(t, text, nil, level, each)
				in := bufio.NewReader(io.MultiReader(bytes.NewReader(packed), strings.NewReader("more")))
				d.Reset(in, nil, idle)
				got, err := io.ReadAll(d)
				rest, _ := io.ReadAll(in)
				if !bytes.Equal(got, text) || err != nil || string(rest) != "more" {
					t.Errorf("%s, level %d, blocks of %d: %d bytes of %d, %v, %q left", name, level, each, len(got), len(text), err, rest)
				}
			}
		}
	}
}

// TestReaderReadsInAnyPieces reads and is given bytes one by one, or all at once.
func TestReaderReadsInAnyPieces(t *testing.T) {
	text := texts()["words"]
	packed := deflated(t, text, nil, 6, 5000)
	for _, in := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		for _, out := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader} {
			d := new(Reader)
			d.Reset(bufio.NewReaderSize(in(bytes.NewReader(packed)), 16), nil, idle)
			if got, err := io.ReadAll(out(d)); !bytes.Equal(got, text) || err != nil {
				t.Errorf("%d bytes of %d, %v", len(got), len(text), err)
			}
		}
	}
}

// TestDictionaryIsGoneBackTo has data that refer to those before them, and not beyond.
func TestDictionaryIsGoneBackTo(t *testing.T) {
	noise := texts()["noise"]
	for _, n := range []int{10, 1000, windowSize, windowSize + 1000} {
		dict := noise[:n]
		text := append(bytes.Clone(dict[max(0, n-5000):]), "more"...)
		packed := deflated(t, text, dict, 6, 0)
		if got, err := io.ReadAll(opened(bytes.NewReader(packed), dict, idle)); !bytes.Equal(got, text) || err != nil {
			t.Errorf("a dictionary of %d bytes: %d of %d, %v", n, len(got), len(text), err)
		}
		if _, err := io.ReadAll(opened(bytes.NewReader(packed), nil, idle)); n >= 1000 && !errors.Is(err, ErrDamaged) {
			t.Errorf("without its dictionary of %d bytes: %v", n, err)
		}
	}
}

// TestCutDataAreAnError cuts data everywhere: what comes before is yielded, and the error
// is that of the source.
func TestCutDataAreAnError(t *testing.T) {
	for _, level := range []int{flate.HuffmanOnly, 0, 9} {
		text := texts()["words"][:3000]
		packed := deflated(t, text, nil, level, 700)
		last := 0
		for n := range len(packed) {
			got, err := io.ReadAll(opened(bytes.NewReader(packed[:n]), nil, idle))
			if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(text, got) || len(got) < last {
				t.Fatalf("level %d, %d bytes of %d: %d bytes, %v", level, n, len(packed), len(got), err)
			}
			last = len(got)
		}
		if last < len(text)-300 {
			t.Errorf("level %d: without its last byte %d bytes of %d", level, last, len(text))
		}
		broken := errors.New("broken")
		if _, err := io.ReadAll(opened(io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), iotest.ErrReader(broken)), nil, idle)); !errors.Is(err, broken) {
			t.Errorf("a source that breaks: %v", err)
		}
	}
}

// field is a number of so many bits.
type field struct {
	value uint64
	bits  uint
}

// bitsOf returns fields as bytes, the lowest bit first.
func bitsOf(fields ...field) []byte {
	var out []byte
	var held uint64
	var have uint
	for _, f := range fields {
		held |= f.value << have
		for have += f.bits; have >= 8; have -= 8 {
			out = append(out, byte(held))
			held >>= 8
		}
	}
	return append(out, byte(held), 0, 0, 0, 0, 0, 0, 0, 0)
}

// TestDamagedBlocksAreAnError has blocks that no encoder writes, by bit.
func TestDamagedBlocksAreAnError(t *testing.T) {
	dynamic := func(lengths, distances, sizes uint64, more ...field) []byte {
		return bitsOf(append([]field{{1, 1}, {2, 2}, {lengths, 5}, {distances, 5}, {sizes, 4}}, more...)...)
	}
	for name, data := range map[string][]byte{
		"a third kind":          bitsOf(field{1, 1}, field{3, 2}),
		"a length that lies":    []byte("\x01\x01\x00\xff\xff"),
		"287 lengths":           dynamic(30, 0, 0),
		"31 distances":          dynamic(0, 30, 0),
		"no sizes":              dynamic(0, 0, 0),
		"too many sizes":        dynamic(0, 0, 0, field{1, 3}, field{1, 3}, field{1, 3}),
		"too few sizes":         dynamic(0, 0, 0, field{2, 3}, field{2, 3}, field{2, 3}),
		"again of nothing":      dynamic(0, 0, 0, field{1, 3}, field{1, 3}, field{0, 3}, field{0, 3}, field{0, 1}),
		"more than there are":   dynamic(0, 0, 0, field{0, 3}, field{0, 3}, field{1, 3}, field{0, 3}, field{0, 1}, field{127, 7}, field{0, 1}, field{127, 7}),
		"back before the start": bitsOf(field{1, 1}, field{1, 2}, field{0x40, 7}, field{0, 5}),
		"a symbol without use":  bitsOf(field{1, 1}, field{1, 2}, field{0x63, 8}),
		"a distance of no use":  bitsOf(field{1, 1}, field{1, 2}, field{0x0c, 8}, field{0x40, 7}, field{0x0f, 5}),
	} {
		if got, err := io.ReadAll(opened(bytes.NewReader(data), nil, idle)); !errors.Is(err, ErrDamaged) || len(got) > 1 {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// blocks returns data in small blocks, each with codes of its own and some matches.
func blocks(n, matches int) []byte {
	fields := []field{{0x1a<<3 | 2, 11}, {0, 7}} // a fixed block that begins with a byte
	for range n {
		fields = append(fields, field{0, 1}, field{2, 2}, field{29, 5}, field{0, 5}, field{14, 4})
		for i := range 18 { // code lengths 18 and 1 are used
			fields = append(fields, field{map[int]uint64{2: 1, 17: 1}[i], 3})
		}
		fields = append(fields, field{1 | 127<<1, 8}, field{1 | 107<<1, 8}, field{0, 1}, field{0, 1}, field{1 | 17<<1, 8}, field{0, 1})
		for range matches {
			fields = append(fields, field{1, 2})
		}
		fields = append(fields, field{0, 1})
	}
	return bitsOf(append(fields, field{1, 1}, field{1, 2}, field{0, 7})...)
}

// TestStepsGoByWhatIsDone holds the steps that are counted to what is done: a block with codes of
// its own is as much as a hundred bytes, however much it yields.
func TestStepsGoByWhatIsDone(t *testing.T) {
	for name, c := range map[string]struct {
		packed      []byte
		text        int
		least, most float64 // steps for a byte that is read
	}{
		"text":   {deflated(t, texts()["words"], nil, 6, 0), len(texts()["words"]), 0.5, 3},
		"noise":  {deflated(t, texts()["noise"], nil, 6, 0), 100_000, 0, 0.01},
		"skewed": {deflated(t, texts()["skewed"], nil, flate.HuffmanOnly, 0), 100_000, 1, 3},
		"zeros":  {deflated(t, texts()["zeros"], nil, 9, 0), 300_000, 2, 20},
		"blocks": {blocks(10_000, 0), 1, 5, 10}, "short": {blocks(10_000, 5), 1 + 15*10_000, 5, 10},
	} {
		var steps int64
		n, err := io.Copy(io.Discard, opened(bytes.NewReader(c.packed), nil, func(n int64) { steps += n }))
		if got := float64(steps) / float64(len(c.packed)); err != nil || n != int64(c.text) || got < c.least || got > c.most {
			t.Errorf("%s: %d bytes, %v, %.2f steps for a byte, want %v to %v", name, n, err, got, c.least, c.most)
		}
	}
}

// TestWorkIsToldInTime has data that nothing comes of: the work is told while it is done, so that
// the source may end it.
func TestWorkIsToldInTime(t *testing.T) {
	var steps, most int64
	packed := bytes.Repeat([]byte("\x00\x00\x00\xff\xff"), 1<<20)
	io.Copy(io.Discard, opened(bytes.NewReader(packed), nil, func(n int64) { steps, most = steps+n, max(most, n) }))
	if steps < 10<<20 || most > 2*mostSteps {
		t.Errorf("%d steps in all, %d at once", steps, most)
	}
}
