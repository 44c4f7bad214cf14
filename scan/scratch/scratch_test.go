package scratch

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
)

// pieces is a content of which only some lies together in memory, as said by
// where pieces end.
type pieces struct {
	*bytes.Reader
	all  []byte
	ends []int
}

func (p pieces) Piece(off int64) []byte {
	for _, end := range p.ends {
		if int(off) < min(end, len(p.all)) {
			return p.all[off:min(end, len(p.all))]
		}
	}
	return nil
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 7)
	}
	return b
}

// TestWindows checks that windows show every byte, and overlap as asked.
func TestWindows(t *testing.T) {
	for _, size := range []int{0, 1, 100, fewest, Size - 1, Size, Size + 1, 5*Size + 17} {
		all := noise(size)
		r := bytes.NewReader(all)
		for name, c := range map[string]Content{
			"read":          r,
			"one piece":     pieces{r, all, []int{size}},
			"blocks":        pieces{r, all, []int{8 << 10, 72 << 10, 136 << 10, size}},
			"short pieces":  pieces{r, all, []int{1, 2, 3, 100, 5000, size}},
			"half a memory": pieces{r, all, []int{8 << 10, 72 << 10}},
		} {
			for _, overlap := range []int{0, 7, 1280} {
				checkWindows(t, name, c, all, overlap)
			}
		}
	}
}

func checkWindows(t *testing.T, name string, c Content, all []byte, overlap int) {
	t.Helper()
	end := int64(0)
	err := Windows(c, 0, overlap, func(b []byte, off int64) error {
		if off > 0 && off != end-int64(overlap) || !bytes.Equal(b, all[off:off+int64(len(b))]) {
			t.Fatalf("%s of %d: the window at %d has %d bytes, the one before ended at %d", name, len(all), off, len(b), end)
		}
		end = off + int64(len(b))
		return nil
	})
	if err != nil || end != int64(len(all)) {
		t.Errorf("%s of %d: ended at %d, %v", name, len(all), end, err)
	}
}

// failing is a content that cannot be read behind a place.
type failing struct{ *bytes.Reader }

var errBroken = errors.New("broken")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off > 0 {
		return 0, errBroken
	}
	return f.Reader.ReadAt(p, off)
}

func TestWindowsEndWithErrors(t *testing.T) {
	all := noise(3 * Size)
	none := func([]byte, int64) error { return nil }
	if err := Windows(failing{bytes.NewReader(all)}, 0, 7, none); !errors.Is(err, errBroken) {
		t.Errorf("a broken content gives %v", err)
	}
	short := io.NewSectionReader(bytes.NewReader(all), 0, 4*Size)
	if err := Windows(short, 0, 7, none); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a content that ends early gives %v", err)
	}
	calls := 0
	err := Windows(bytes.NewReader(all), 0, 7, func([]byte, int64) error { calls++; return errBroken })
	if calls != 1 || err != errBroken {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// TestIndex puts marks where windows end and begin.
func TestIndex(t *testing.T) {
	const mark = "\xfe\xffmark"
	for _, size := range []int{0, 5, 6, 512, 5000, Size + 10, 3*Size + 17} {
		for _, at := range []int{0, 1, 505, 510, 512, 4090, 4610, Size - 3, Size, 2*Size + 9, 3*Size + 11} {
			all := noise(size)
			want := int64(-1)
			if at+len(mark) <= size {
				copy(all[at:], mark)
				want = int64(at)
			}
			r := bytes.NewReader(all)
			for name, c := range map[string]Content{"read": r, "blocks": pieces{r, all, []int{8 << 10, 72 << 10, size}}, "short pieces": pieces{r, all, []int{1, 2, 3, 100, 5000, size}}} {
				if got, err := Index(c, mark, 0, int64(size)+1); got != want || err != nil {
					t.Fatalf("%s of %d: found at %d, %v; it is at %d", name, size, got, err, want)
				}
				if got, _ := Index(c, mark, 0, want+int64(len(mark))-1); want >= 0 && got != -1 {
					t.Errorf("%s of %d: found at %d, behind the end", name, size, got)
				}
			}
		}
	}
	if at, err := Index(pieces{bytes.NewReader(nil), make([]byte, 9), nil}, mark, 0, 9); at != -1 || err != nil {
		t.Errorf("nothing: %d, %v", at, err)
	}
}

// TestFind compares with bytes.Index, in contents that are full of single bytes of the mark.
func TestFind(t *testing.T) {
	for _, mark := range []string{"a", "mark", "Rar!\x1a\x07", "7z\xbc\xaf\x27\x1c", "\x00\x00\x01", "aab"} {
		for _, filling := range []string{"x", mark[:1], mark[:len(mark)/2+len(mark)%2], mark[len(mark)-1:], "some text with marks\n"} {
			for _, at := range []int{-1, 0, 1, 7, 999} {
				b := bytes.Repeat([]byte(filling), 1000)
				if at >= 0 {
					b = slices.Concat(b[:min(at, len(b))], []byte(mark), b[min(at, len(b)):])
				}
				if got, want := Find(b, mark), bytes.Index(b, []byte(mark)); got != want {
					t.Errorf("%q in %q with one at %d: %d, want %d", mark, filling, at, got, want)
				}
			}
		}
	}
}
