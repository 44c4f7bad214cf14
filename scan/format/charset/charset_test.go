package charset

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

var decodeTests = []struct{ label, in, want string }{
	{"utf-8", "gr\xc3\xbcn", "grün"},
	{"UTF8", "a\xffb", "a�b"},
	{" \"iso-8859-1\" ", "gr\xfcn \x80", "grün €"}, // windows-1252, as all clients read it
	{"us-ascii", "gr\xfcn", "grün"},
	{"unknown-8bit", "gr\xfcn", "grün"},
	{"iso-8859-2", "\xb1\xe6", "ąć"},
	{"koi8-r", "\xc1\xc2", "аб"},
	{"windows-1251", "\xe0\xe1", "аб"},
	{"IBM437", "\x81", "ü"}, // only in the IANA list
	{"cp850", "\x81", "ü"},
	{"gb2312", "\xc4\xe3", "你"},
	{"cp936", "\xc4\xe3", "你"},
	{"hz-gb-2312", "~{Dc~}", "你"},
	{"big5", "\xa7\x41", "你"},
	{"ks_c_5601-1987", "\xb0\xa1", "가"},
	{"shift_jis", "\x82\xa0", "あ"},
	{"iso-2022-jp", "a\x1b$B$\"\x1b(Bb", "aあb"},
	{"iso-2022-jp", "\x1b(J<script>\x1b(B", "<script>"},
	{"utf-16", "\xff\xfea\x00b\x00", "ab"},
	{"utf-16", "\xfe\xff\x00a\x00b", "ab"},
	{"utf-16", "\x00a\x00b", "ab"}, // no mark: the zeros tell
	{"utf-16", "a\x00b\x00", "ab"},
	{"ucs-2", "a\x00b\x00", "ab"},
	{"utf-16le", "a\x00b\x00", "ab"},
	{"utf-16be", "\x00a\x00b", "ab"},
	{"utf-32le", "a\x00\x00\x00", "a"},
	{"utf-7", "+ADw-script+AD4-", "<script>"},
	{"utf-7", "1 +- 1 +AGE", "1 + 1 a"},
	{"unicode-1-1-utf-7", "+2D3eAA!", "😀!"},
	{"utf-7", "+2D0-x", "�x"},   // half a pair, then "-"
	{"utf-7", "+2D0", "�"},      // half a pair, then nothing
	{"utf-7", "+2D0AYQ-", "�a"}, // half a pair, then another character
	{"utf-7", "a\xe4b", "a�b"},
	{"utf-7", "+AG.x", ".x"}, // a run too short for a character
}

func TestDecode(t *testing.T) {
	for _, tt := range decodeTests {
		got, ok := Decode(tt.label, []byte(tt.in))
		if !ok || got != tt.want {
			t.Errorf("Decode(%q, %q) = %q, %v, want %q", tt.label, tt.in, got, ok, tt.want)
		}
	}
}

func TestReaderAgreesWithDecode(t *testing.T) {
	for _, tt := range decodeTests {
		r, ok := NewReader(tt.label, iotest.OneByteReader(strings.NewReader(tt.in)))
		if !ok {
			t.Errorf("NewReader(%q) does not know the label", tt.label)
			continue
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != tt.want {
			t.Errorf("NewReader(%q) of %q gave %q, %v, want %q", tt.label, tt.in, got, err, tt.want)
		}
	}
}

func TestUnknownLabels(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, label := range []string{"", "martian", "iso-2022-kr", "iso-2022-cn", "replacement", long} {
		if got, ok := Decode(label, []byte("x")); ok || got != "" {
			t.Errorf("Decode(%.20q) = %q, %v, want unknown", label, got, ok)
		}
		if _, ok := NewReader(label, strings.NewReader("x")); ok {
			t.Errorf("NewReader(%.20q) claims to know the label", label)
		}
		if Known(label) {
			t.Errorf("Known(%.20q) = true", label)
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	for _, label := range []string{"utf-16", "utf-7", "latin1"} {
		r, _ := NewReader(label, io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrClosedPipe)))
		if _, err := io.ReadAll(r); err != io.ErrClosedPipe {
			t.Errorf("%s: error %v, want %v", label, err, io.ErrClosedPipe)
		}
	}
}

// FuzzUTF7 checks that any input gives valid UTF-8, the same in any chunks, and
// no more than three times its size.
func FuzzUTF7(f *testing.F) {
	f.Add([]byte("a+ADw-b+2D3eAA-+-"))
	f.Add([]byte("+2D0+2D0AYQ"))
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, _ := Decode("utf-7", in)
		if !utf8.ValidString(whole) {
			t.Fatalf("%q is not UTF-8", whole)
		}
		if len(whole) > 3*len(in)+utf8.UTFMax {
			t.Fatalf("%d bytes of %d", len(whole), len(in))
		}
		r, _ := NewReader("utf-7", iotest.OneByteReader(bytes.NewReader(in)))
		if got, _ := io.ReadAll(r); string(got) != whole {
			t.Fatalf("in single bytes %q, at once %q", got, whole)
		}
	})
}

// FuzzDecode checks that no label and no text makes a decoder panic or write
// what is not UTF-8.
func FuzzDecode(f *testing.F) {
	for _, tt := range decodeTests {
		f.Add(tt.label, []byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, label string, in []byte) {
		if s, _ := Decode(label, in); !utf8.ValidString(s) {
			t.Fatalf("%q gives %q, which is not UTF-8", label, s)
		}
	})
}
