package entity

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// decoded is what a decoder makes of a text, and the codes it notes, in order
// of their names.
func decoded(t testing.TB, enc Encoding, in string) (string, []string) {
	t.Helper()
	var out bytes.Buffer
	notes, err := Decode(&out, strings.NewReader(in), enc)
	if err != nil {
		t.Fatalf("Decode(%q) failed: %v", enc, err)
	}
	codes := make([]string, 0, len(notes))
	for _, n := range notes {
		if n.Class != Ordinary {
			codes = append(codes, n.Code)
		}
		if n.Span.Start < 0 || n.Span.End > int64(len(in)) || n.Span.Len() < 0 {
			t.Errorf("%s stands at %v of %d bytes", n.Code, n.Span, len(in))
		}
	}
	slices.Sort(codes)
	return out.String(), codes
}

type decodeCase struct {
	name  string
	enc   Encoding
	in    string
	want  string
	codes string // separated by blanks
}

func testDecode(t *testing.T, tests []decodeCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, codes := decoded(t, tt.enc, tt.in)
			if got != tt.want {
				t.Errorf("decoded %q, want %q", got, tt.want)
			}
			if strings.Join(codes, " ") != tt.codes {
				t.Errorf("noted %q, want %q", codes, tt.codes)
			}
		})
	}
}

// failingWriter takes n bytes.
type failingWriter struct{ n int }

var errNoRoom = errors.New("no room")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.n -= len(p); w.n < 0 {
		return 0, errNoRoom
	}
	return len(p), nil
}

func TestDecodePassesErrorsOn(t *testing.T) {
	body := strings.Repeat("WDVPIVAl\r\n", 100_000)
	for _, enc := range []Encoding{Identity, Base64, QuotedPrintable} {
		if _, err := Decode(&failingWriter{1000}, strings.NewReader(body), enc); err != errNoRoom {
			t.Errorf("%q: error %v, want the one of dst", enc, err)
		}
		var out bytes.Buffer
		src := io.MultiReader(strings.NewReader("WDVPIVAl"), iotest.ErrReader(io.ErrClosedPipe))
		if _, err := Decode(&out, src, enc); err != io.ErrClosedPipe || out.Len() == 0 {
			t.Errorf("%q: error %v after %d bytes, want the one of src after some", enc, err, out.Len())
		}
	}
}

func TestDecoderCodes(t *testing.T) {
	if !slices.IsSortedFunc(decoderCodes[:], func(a, b Code) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the catalogue is not in order")
	}
	for _, v := range variants {
		if !slices.ContainsFunc(decoderCodes[:], func(c Code) bool { return c.Code == v.code }) && !slices.Contains(ordinary[:], v.code) {
			t.Errorf("%s calls for a variant but is in no catalogue", v.code)
		}
	}
}

func TestVariants(t *testing.T) {
	tests := []struct {
		enc  Encoding
		in   string
		want []Encoding
	}{
		{Base64, "WDVPIQ==\r\n", nil},
		{Base64, "WDVPIQ==UCVAQVA=", []Encoding{Base64Stop, Base64NoPad}},
		{Base64, "WD_P-VAl", []Encoding{Base64URL}},
		{Base64, "Hello, how are you?\r\nFine, thank you.\r\n", []Encoding{Identity, QuotedPrintable}},
		{Base64, "Some words=2C and=\r\n some more=2E\r\n", []Encoding{Base64Stop, Base64NoPad, Identity, QuotedPrintable}},
		{QuotedPrintable, "a=\r\n=3D", nil},
		{QuotedPrintable, "a=3=\r\nD", []Encoding{QPStrict}},
		{QuotedPrintable, "a=\x00b", []Encoding{QPLoose}},
		{Base64, "The file:\r\nWDVPIVAl\r\n", []Encoding{Base64Lines}},
		{QuotedPrintable, strings.Repeat("WDVPIVAl", 9) + "=\r\nWDVP", []Encoding{Base64}},
		{QuotedPrintable, strings.Repeat("WDVPIVAl", 9) + "\r\nWDVPIQ=3D=3D\r\n", []Encoding{Base64}},
		{QuotedPrintable, strings.Repeat("WDVPIVAl", 9) + "\r\nis my key.\r\n", nil},
		{QuotedPrintable, "da39a3ee5e6b4b0d3255bfef95601890afd80709\r\n", nil}, // a hash
		{QuotedPrintable, "-----BEGIN PGP MESSAGE-----\r\n\r\n" + strings.Repeat("WDVPIVAl", 9) + "\r\n", nil},
		{UUEncode, "hello", []Encoding{UUBare, Identity}},
		{Base64, "a\r\nWDVPIVAl\r\n", []Encoding{Base64EachLine, Base64Lines}},
		{Base64, "WDVPIV\r\nAlWDVP\r\n", []Encoding{Base64EachLine, Base64Lines}},
		{Base64, "WDVPIV\r\n", nil},
		{QuotedPrintable, "a=\r\n b\r\n", []Encoding{QPTrim}},
		{QuotedPrintable, "a=\r\n  \r\nb c\r\n d\r\n", nil},
		{QuotedPrintable, "a=@b\r\n", []Encoding{QPLoose, QPDrop, QPSkip, QPSwallow}},
		{QuotedPrintable, "a\r\nb=\n58", []Encoding{QPLoose}},
	}
	for _, tt := range tests {
		notes, _ := Decode(io.Discard, strings.NewReader(tt.in), tt.enc)
		if got := Variants(tt.enc, notes); !slices.Equal(got, tt.want) {
			t.Errorf("%s of %q: variants %q, want %q", tt.enc, tt.in, got, tt.want)
		}
	}
}

var allEncodings = []Encoding{
	Identity, Base64, Base64Stop, Base64NoPad, Base64URL, Base64Lines, Base64EachLine, QuotedPrintable, QPStrict, QPLoose, QPDrop, QPSkip, QPSwallow, QPTrim,
	UUEncode, UUBare, YEnc, BinHex, BinHexResource,
}

// FuzzDecode checks of every decoder that it needs no whole input at once, and
// that its output is bounded by its input.
func FuzzDecode(f *testing.F) {
	for _, tests := range [][]decodeCase{base64Tests, qpTests, uuTests, yencTests, binhexTests()} {
		for _, tt := range tests {
			if len(tt.in) > 1000 {
				continue
			}
			f.Add(byte(slices.Index(allEncodings, tt.enc)), []byte(tt.in))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, in []byte) {
		enc := allEncodings[int(which)%len(allEncodings)]
		whole, codes := decoded(t, enc, string(in))
		if limit := growth(enc) * len(in); len(whole) > limit {
			t.Fatalf("%s: %d bytes of %d", enc, len(whole), len(in))
		}
		for _, src := range []io.Reader{iotest.OneByteReader(bytes.NewReader(in)), iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(in)))} {
			var out bytes.Buffer
			notes, err := Decode(&out, src, enc)
			notes = slices.DeleteFunc(notes, func(n Deviation) bool { return n.Class == Ordinary })
			if err != nil || out.String() != whole || len(notes) != len(codes) {
				t.Fatalf("%s: in chunks %q and %d notes, at once %q and %q", enc, out.String(), len(notes), whole, codes)
			}
		}
		if _, err := Wrappings(bytes.NewReader(in), 10); err != nil {
			t.Fatal(err)
		}
	})
}

// growth is how many bytes one byte of input may make.
func growth(enc Encoding) int {
	switch enc {
	case BinHex, BinHexResource:
		return 128
	case UUEncode, UUBare:
		return 64
	}
	return 1
}

// FuzzRoundTrip checks that what ordinary encoders write is decoded exactly and
// gives no note, unless what they encoded is itself base64 throughout.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("a=b \r\n.\r\n\x00\xff"))
	f.Add(bytes.Repeat([]byte("0123456789"), 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		for enc, text := range map[Encoding]string{
			Base64:          mimeBase64(data),
			QuotedPrintable: mimeQP(data),
			UUEncode:        uuencoded("a b.bin", data),
			YEnc:            yencoded("a b.bin", data),
			BinHex:          binhexed("a b.bin", data, nil),
		} {
			got, codes := decoded(t, enc, text)
			codes = slices.DeleteFunc(codes, func(c string) bool { return c == "qp-holds-base64" })
			if got != string(data) || len(codes) > 0 {
				t.Fatalf("%s of %q gave %q and the notes %q", enc, data, got, codes)
			}
		}
	})
}

// mimeBase64 encodes in lines of 76 characters.
func mimeBase64(data []byte) string {
	var b strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(data)), 76) {
		b.Write(line)
		b.WriteString("\r\n")
	}
	return b.String()
}

func mimeQP(data []byte) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	w.Binary = true
	w.Write(data)
	w.Close()
	return b.String()
}
