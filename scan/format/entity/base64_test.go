package entity

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"testing"
)

const footer = "\r\n_______________________________________________\r\nusers mailing list\r\nSent\r\nhttps://lists.example.org/listinfo/users?a=b\r\n"

var base64Tests = []decodeCase{
	{"clean", Base64, "WDVPIVAl\r\nQEFQ\r\n", "X5O!P%@AP", ""},
	{"bare LF", Base64, "WDVPIVAl\nQEFQ\n", "X5O!P%@AP", ""},
	{"padded", Base64, "WDVPIQ==\r\n", "X5O!", ""},
	{"empty", Base64, "", "", ""},
	{"blank lines", Base64, "\r\n\r\nWDVPIQ==\r\n\r\n", "X5O!", ""},
	{"lines of six", Base64, "WDVPIV\r\nAlQEFQ\r\n", "X5O!P%@AP", ""},
	{"each line", Base64EachLine, "a\r\nWDVPIV\r\nAlQEFQ", "X5O!\x02T\x04\x15", "base64-no-padding"},
	{"each line, unpadded", Base64EachLine, "WDVPIVA\r\nWDVPIVA\r\n", "X5O!PX5O!P", ""},
	{"whole lines", Base64Lines, "a\r\nabcde\r\nWDVP\r\nIV\r\nAl\r\n", "X5O!P%", ""},
	{"one long line", Base64, strings.Repeat("WDVP", 20000), strings.Repeat("X5O", 20000), "base64-long-line"},
	{"long line with junk", Base64, strings.Repeat("WD.VP", 20000), strings.Repeat("X5O", 20000), "base64-junk base64-long-line"},
	{"dots", Base64, "W.D.V.P.I.V.A.l", "X5O!P%", "base64-junk"},
	{"hashes", Base64, "W#D#V#P#IVAl", "X5O!P%", "base64-junk"},
	{"blanks", Base64, "WDVP IVAl QEFQ", "X5O!P%@AP", "base64-blank"},
	{"blank at the end", Base64, "WDVP \r\n", "X5O", "base64-blank"},
	{"dashes", Base64, "W-D-V-P-", "X5O", "base64-url-alphabet"},
	{"dashes as digits", Base64URL, "-_-_", "\xfb\xff\xbf", ""},
	{"NUL", Base64, "WD\x00VP", "X5O", "base64-junk"},
	{"8 bit", Base64, "WD\xffVP", "X5O", "base64-junk"},
	{"no padding", Base64, "WDVPIQ\r\n", "X5O!", "base64-no-padding"},
	{"cut", Base64, "WDVPI", "X5O", "base64-cut"},
	{"half padding", Base64, "WDVPIQ=", "X5O!", ""},
	{"padding in two lines", Base64, "WDVPIQ=\r\n=\r\n", "X5O!", ""},
	{"padding for nothing", Base64, "WDVP====", "X5O", "base64-stray-padding"},
	{"padding after each quantum", Base64, "WDVP=IVAl=QEFQ=", "X5O!P%@AP", "base64-data-after-padding base64-stray-padding"},
	{"streams of one byte", Base64, "WA==NQ==Tw==", "X5O", "base64-data-after-padding"},
	{"streams of two bytes", Base64, "WDU=TyE=", "X5O!", "base64-data-after-padding"},
	{"streams of four bytes on lines", Base64, "WDVPIQ==\r\nUCVAQQ==\r\n", "X5O!P%@A", "base64-data-after-padding"},
	{"streams with junk between", Base64, "WDVPIQ==.\r\n.UCVAQQ==\r\n", "X5O!P%@A", "base64-data-after-padding base64-text-after-padding"},
	{"stop", Base64Stop, "WDVPIQ==UCVAQQ==", "X5O!", "base64-data-after-padding"},
	{"ignore padding", Base64NoPad, "WA==NQ==", "X\x03P", "base64-data-after-padding"},
	{"footer, stopped", Base64Stop, "WDVPIQ==" + footer, "X5O!", ""},
	{"a file nobody encoded", Base64, "MZ\x90\x00\x03\x00\x00\x00\x04\x00\xff\xff", "1", "base64-junk base64-no-padding base64-not-encoded"},
	{"text above", Base64Lines, "This is the file:\r\n\r\nWDVPIQ==\r\n", "X5O!", "base64-blank base64-junk base64-text-before"},
	{"OpenPGP checksum", Base64Stop, "WDVPIQ==\r\n=njUN\r\n", "X5O!", ""},
	{"OpenPGP checksum, decoded on", Base64, "WDVPIVAl\r\n=njUN\r\n", "X5O!P%\x9e5\r", "base64-text-after-padding"},
	{"armour", Base64Lines, "-----BEGIN FILE-----\r\nWDVPIVAl\r\nQEFQ\r\n-----END FILE-----\r\n", "X5O!P%@AP", "base64-blank base64-junk base64-text-before"},
	{"text", Base64, "Hello there, this is text.\r\nNothing else.\r\n", textAsBase64("Hello there, this is text.\r\nNothing else.\r\n"), "base64-blank base64-junk base64-no-padding base64-not-encoded"},
}

// textAsBase64 is what is left of a text when all but base64 is skipped.
func textAsBase64(s string) string {
	var digits strings.Builder
	for _, c := range s {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c) {
			digits.WriteRune(c)
		}
	}
	out, _ := base64.RawStdEncoding.DecodeString(digits.String())
	return string(out)
}

func TestBase64(t *testing.T) { testDecode(t, base64Tests) }

// TestBase64ListFooter checks that what list servers append is decoded, since
// some client would, but is no ambiguity.
func TestBase64ListFooter(t *testing.T) {
	for _, body := range []string{"WDVPIQ==", "WDVPIVA="} {
		got, codes := decoded(t, Base64, body+footer)
		if !strings.HasPrefix(got, "X5O!") || strings.Join(codes, " ") != "base64-text-after-padding" {
			t.Errorf("%q with a footer gave %q and %q", body, got, codes)
		}
	}
	got, codes := decoded(t, Base64, "WDVP"+footer)
	if !strings.HasPrefix(got, "X5O") {
		t.Errorf("a footer without padding before it: %q", got)
	}
	for _, c := range codes {
		if decoderClass(c) == Ambiguous {
			t.Errorf("a footer without padding before it is %s", c)
		}
	}
}

// TestBase64LongLines checks the borders between fragments of a line.
func TestBase64LongLines(t *testing.T) {
	for n := lineBuffer - 9; n < lineBuffer+9; n++ {
		data := bytes.Repeat([]byte("x5o"), n)[:n]
		got, _ := decoded(t, Base64, base64.StdEncoding.EncodeToString(data))
		if got != string(data) {
			t.Fatalf("%d bytes in one line are wrong", n)
		}
	}
}

// TestBase64Blocks puts every byte at every place of a line among others, and
// compares many lines at once with line by line.
func TestBase64Blocks(t *testing.T) {
	clean := []byte(strings.Repeat(mimeBase64(bytes.Repeat([]byte("\x00\x10\x83any19"), 114)), 2)) // of lines of 76 digits
	for place := range 80 {
		for c := range 256 {
			body := bytes.Clone(clean)
			body[9*78+place] = byte(c)
			got, codes := decoded(t, Base64, string(body))
			want, wantCodes := lineByLine(body)
			if got != want || strings.Join(codes, " ") != wantCodes {
				t.Fatalf("%q at %d: %q, line by line %q", rune(c), place, codes, wantCodes)
			}
		}
	}
}

func lineByLine(body []byte) (content, codes string) {
	var l ledger
	d := newDecoder(Base64, &l)
	var out []byte
	for line := range bytes.Lines(body) {
		out = d.line(out, line)
		l.offset += int64(len(line))
	}
	out = d.end(out)
	var met []string
	for _, n := range l.notes {
		if n.Class != Ordinary {
			met = append(met, n.Code)
		}
	}
	slices.Sort(met)
	return string(out), strings.Join(met, " ")
}

func benchmarkData() []byte { return bytes.Repeat([]byte("MZ\x90\x00some binary\xff\xfe"), 1<<20) }

func BenchmarkBase64(b *testing.B) { benchmarkDecode(b, Base64, mimeBase64(benchmarkData())) }

func BenchmarkBase64OneLine(b *testing.B) {
	benchmarkDecode(b, Base64, base64.StdEncoding.EncodeToString(benchmarkData()))
}

func BenchmarkBase64Junk(b *testing.B) {
	benchmarkDecode(b, Base64, strings.ReplaceAll(mimeBase64(benchmarkData()), "A", "A."))
}

// BenchmarkBase64Std is what to compare with: the standard library's decoder,
// which skips line ends and stops at anything else.
func BenchmarkBase64Std(b *testing.B) {
	text := mimeBase64(benchmarkData())
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		io.Copy(io.Discard, base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	}
}

func benchmarkDecode(b *testing.B, enc Encoding, text string) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		Decode(io.Discard, strings.NewReader(text), enc)
	}
}
