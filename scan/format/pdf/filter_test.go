package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func zlibbed(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func to85(text string) string {
	var b bytes.Buffer
	w := ascii85.NewEncoder(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

// undone is what a filter makes of a text, and how that ends.
func undone(t *testing.T, f Filter, text string) (string, error) {
	t.Helper()
	r, err := f.Reader(strings.NewReader(text), func(int64) {})
	if err != nil {
		return "", err
	}
	out, err := io.ReadAll(r)
	return string(out), err
}

func TestFilters(t *testing.T) {
	const text = "a text that is long enough to be packed, a text that is long enough"
	packed := zlibbed(text)
	for name, c := range map[string]struct {
		filter   Filter
		in, want string
		whole    bool // without an error
	}{
		"flate":                {Filter{Name: "FlateDecode"}, packed, text, true},
		"flate by short name":  {Filter{Name: "Fl"}, packed, text, true},
		"flate behind a line":  {Filter{Name: "Fl"}, "\r\n" + packed, text, true},
		"flate, no header":     {Filter{Name: "Fl"}, packed[2:], text, true},
		"flate, no checksum":   {Filter{Name: "Fl"}, packed[:len(packed)-4], text, true},
		"flate, cut":           {Filter{Name: "Fl"}, packed[:len(packed)/2], "a text that ", false},
		"hexadecimal":          {Filter{Name: "ASCIIHexDecode"}, "48 65\n6C6c6f>more", "Hello", true},
		"hexadecimal, odd":     {Filter{Name: "AHx"}, "485>", "HP", true},
		"hexadecimal, no end":  {Filter{Name: "AHx"}, "4865", "He", true},
		"hexadecimal, junk":    {Filter{Name: "AHx"}, "48x65>", "He", true},
		"base 85":              {Filter{Name: "ASCII85Decode"}, to85(text) + "~>", text, true},
		"base 85 with a mark":  {Filter{Name: "A85"}, " <~" + to85(text) + "~>", text, true},
		"base 85 of zeros":     {Filter{Name: "A85"}, "z~>", "\x00\x00\x00\x00", true},
		"base 85, no end":      {Filter{Name: "A85"}, to85(text), text, true},
		"base 85, junk":        {Filter{Name: "A85"}, to85("four") + "\x80", "four", false},
		"runs":                 {Filter{Name: "RunLengthDecode"}, "\x02abc\xfex\x80more", "abcxxx", true},
		"runs, no end":         {Filter{Name: "RL"}, "\x02abc", "abc", true},
		"runs, cut":            {Filter{Name: "RL"}, "\x05abc", "abc", false},
		"LZW":                  {Filter{Name: "LZWDecode"}, "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", "-----A---B", true}, // ISO 32000-1, section 7.4.4.2
		"LZW, no end":          {Filter{Name: "LZW"}, "\x80\x0b\x60\x50\x22\x0c\x0c\x85", "-----A---B", true},
		"LZW, a code too soon": {Filter{Name: "LZW"}, "\x80\x0b\x7f\xff", "-", false},
		"predicted":            {Filter{Name: "Fl", Predictor: 12, Columns: 3}, zlibbed("\x02abc\x02\x01\x01\x01"), "abcbcd", true},
		"predicted, cut":       {Filter{Name: "Fl", Predictor: 12, Columns: 3}, zlibbed("\x02abc\x02\x01"), "abcb", true},
	} {
		got, err := undone(t, c.filter, c.in)
		if !strings.HasPrefix(got, c.want) || c.whole && (got != c.want || err != nil) || !c.whole && err == nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestUnknownFilters(t *testing.T) {
	for _, f := range []Filter{
		{Name: "DCTDecode"}, {}, {Name: "Fl", Predictor: 2}, {Name: "Fl", Predictor: 15, Columns: -1}, {Name: "Fl", Predictor: 15, Columns: 1 << 40},
		{Name: "LZW", Predictor: 12, Columns: 1 << 20, Colors: 64},
	} {
		if _, err := undone(t, f, "x"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestPNGFilters(t *testing.T) {
	// A line of each filter over the one before; RFC 2083, section 6.
	in := "\x00\x01\x02\x03" + "\x01\x01\x01\x01" + "\x02\x01\x01\x01" + "\x03\x01\x01\x01" + "\x04\x01\x01\x01" + "\x00\x09"
	want := "\x01\x02\x03" + "\x01\x02\x03" + "\x02\x03\x04" + "\x02\x03\x04" + "\x03\x04\x05" + "\x09"
	got, err := io.ReadAll(newPNGLines(strings.NewReader(in), 1, 3))
	if err != nil || string(got) != want {
		t.Errorf("% x, want % x; %v", got, want, err)
	}
}

// FuzzFilters undoes anything by every filter: it ends, and in pieces of any size
// it is the same.
func FuzzFilters(f *testing.F) {
	for _, seed := range []string{zlibbed("text text text"), "48656c6c6f>", "<~" + to85("text") + "~>", "\x02abc\xfex\x80", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"} {
		f.Add([]byte(seed), uint8(12))
	}
	f.Fuzz(func(t *testing.T, data []byte, predictor uint8) {
		for _, name := range []string{"Fl", "LZW", "AHx", "A85", "RL"} {
			filter := Filter{Name: name, Predictor: int64(predictor), Columns: 4}
			if whole, bytewise := some(filter, data, 4096), some(filter, data, 1); whole != bytewise {
				t.Errorf("%s: %.200q, and byte by byte %.200q", name, whole, bytewise)
			}
		}
	})
}

// some is the beginning of what a filter makes of data, read in pieces.
func some(f Filter, data []byte, piece int) string {
	r, err := f.Reader(bytes.NewReader(data), func(int64) {})
	if err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	_, err = io.CopyBuffer(struct{ io.Writer }{&out}, struct{ io.Reader }{io.LimitReader(r, 1<<16)}, make([]byte, piece))
	return fmt.Sprint(out.String(), err)
}
