package entity

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
)

var qpTests = []decodeCase{
	{"clean", QuotedPrintable, "gr=C3=BCn=\r\ne Wiese\r\n", "grüne Wiese\r\n", ""},
	{"bare LF", QuotedPrintable, "gr=C3=BCn=\ne Wiese\n", "grüne Wiese\n", ""},
	{"soft break and an empty line", QuotedPrintable, "a=\r\n\r\nb", "a\r\nb", ""},
	{"soft break and an empty line, LF", QuotedPrintable, "a=\n\nb", "a\nb", ""},
	{"soft break at the end", QuotedPrintable, "abc=", "abc", ""},
	{"lower case", QuotedPrintable, "=c3=bc", "ü", "qp-lowercase"},
	{"blank at the end of a line", QuotedPrintable, "a \t\r\nb", "a\r\nb", "qp-trailing-blank"},
	{"blank at the end of all", QuotedPrintable, "a\r\nb \t", "a\r\nb", ""},
	{"blank before a line", QuotedPrintable, "=\r\n  a", "  a", ""},
	{"blank behind a soft break", QuotedPrintable, "EIC= \t\r\nAR", "EICAR", "qp-blank-after-soft-break"},
	{"soft break CR", QuotedPrintable, "EIC=\rAR", "EICAR", "qp-control qp-damaged-break"},
	{"soft break LF", QuotedPrintable, "EIC=\nAR", "EICAR", ""},
	{"soft break CR CR LF", QuotedPrintable, "EIC=\r\r\nAR", "EICAR", "qp-damaged-break"},
	{"soft break CR LF LF", QuotedPrintable, "EIC=\r\n\nAR", "EICAR", "qp-damaged-break"},
	{"strict CR", QPStrict, "EIC=\rAR", "EIC=\rAR", "qp-control qp-stray-equals"},
	{"strict CR CR LF", QPStrict, "EIC=\r\r\nAR", "EIC=\r\r\nAR", "qp-control qp-stray-equals"},
	{"strict CR LF LF", QPStrict, "EIC=\r\n\nAR", "EIC\nAR", ""},
	{"strict clean", QPStrict, "EIC=\r\nA=52=0D=0A\r\n", "EICAR\r\n\r\n", ""},
	{"loose CR LF CR", QPLoose, "EIC=\r\n\rAR\r\n", "EICAR\r\n", ""},
	{"loose LF CR", QPLoose, "EIC=\n\rAR\n", "EICAR\n", ""},
	{"loose NUL", QPLoose, "EIC=\x00\r\nA\x00R", "EICAR", ""},
	{"loose 8 bit", QPLoose, "E\xe4I\xc3\xa4CAR", "EICAR", ""},
	{"loose blank in an escape", QPLoose, "EIC= 41R = 4z", "EICAR = 4z", "qp-stray-equals"},
	{"loose blank between digits", QPLoose, "EIC=4 1R", "EICAR", ""},
	{"loose line end between digits", QPLoose, "EIC=4\r\n1R", "EICAR", ""},
	{"loose line end, no digit", QPLoose, "EIC=4\r\nzR", "EIC=4zR", "qp-stray-equals"},
	{"loose bare LF in an escape", QPLoose, "a\r\nEIC=\n41R", "a\r\nEICAR", ""},
	{"loose bare LF, LF elsewhere", QPLoose, "a\nEIC=\n41R", "a\nEIC41R", ""},
	{"bare LF among CRLF", QuotedPrintable, "a\r\nEIC=\nAR", "a\r\nEICAR", "qp-bare-break"},
	{"dropped equals", QPDrop, "EIC=@=41R", "EIC@AR", "qp-stray-equals"},
	{"skipped stray", QPSkip, "EIC=@=41R=", "EICAR", "qp-stray-equals"},
	{"skipped at the end", QPSkip, "EIC=", "EIC", ""},
	{"swallowed escape", QPSwallow, "EIC=G1AR", "EICAR", "qp-stray-equals"},
	{"swallowed half an escape", QPSwallow, "EIC=4GAR=", "EICAR", "qp-stray-equals"},
	{"swallowed at the end of a line", QPSwallow, "EIC=G\r\nAR=4", "EIC\r\nAR", "qp-stray-equals"},
	{"loose soft break with a blank inside", QPLoose, "EIC= =\r\nAR= \t= =\t\r\n!", "EICAR!", "qp-blank-after-soft-break"},
	{"loose soft break with a blank after it", QPLoose, "EIC= \r\nAR", "EICAR", "qp-blank-after-soft-break"},
	{"trimmed", QPTrim, "EIC=\r\n \tAR=\r\n  =\r\n x", "EICARx", ""},
	{"trimmed in an escape", QPTrim, "EIC=4=\r\n 1R", "EICAR", "qp-split-escape"},
	{"trimmed, hard break", QPTrim, "EIC\r\n AR", "EIC\r\n AR", ""},
	{"loose equals", QPLoose, "EIC==\r\nAR", "EICAR", ""},
	{"split after the first digit", QuotedPrintable, "X=3=\r\n5O", "X5O", "qp-split-escape"},
	{"split after the equals sign", QuotedPrintable, "X==\r\n35O", "X5O", "qp-split-escape"},
	{"split in the first and second break", QuotedPrintable, "X==\r\n3=\r\n5O", "X5O", "qp-split-escape"},
	{"split, strict", QPStrict, "X=3=\r\n5O", "X=35O", "qp-stray-equals"},
	{"split, but no digit follows", QuotedPrintable, "X=3=\r\nzO", "X=3zO", "qp-stray-equals"},
	{"stray at the end of a line", QuotedPrintable, "a=3\r\nb", "a=3\r\nb", "qp-stray-equals"},
	{"stray at-sign", QuotedPrintable, "a=@b", "a=@b", "qp-stray-equals"},
	{"stray with a blank between", QuotedPrintable, "a= =41b", "a= Ab", "qp-stray-equals"},
	{"two equals signs", QuotedPrintable, "a==41b", "a=Ab", "qp-stray-equals"},
	{"URL", QuotedPrintable, "http://x.example/?a=zz&b=yy", "http://x.example/?a=zz&b=yy", "qp-stray-equals"},
	{"control", QuotedPrintable, "EIC\x00AR\x01", "EIC\x00AR\x01", "qp-control"},
	{"8 bit", QuotedPrintable, "gr\xc3\xbcn", "grün", "qp-8bit"},
	{"long line", QuotedPrintable, strings.Repeat("a=3D ", 20000) + "b \r\nc", strings.Repeat("a= ", 20000) + "b\r\nc", "qp-long-line qp-trailing-blank"},
	{"long run of equals signs", QuotedPrintable, strings.Repeat("=", 100_000), strings.Repeat("=", 99_999), "qp-long-line qp-stray-equals"},
}

func TestQuotedPrintable(t *testing.T) { testDecode(t, qpTests) }

// TestQPLongLines checks the borders between fragments of a line.
func TestQPLongLines(t *testing.T) {
	for n := lineBuffer - 9; n < lineBuffer+9; n++ {
		in := strings.Repeat("x", n) + "=3D=41  =\r\nend"
		want := strings.Repeat("x", n) + "=A  end"
		if got, _ := decoded(t, QuotedPrintable, in); got != want {
			t.Fatalf("%d bytes before the escapes: ...%q, want ...%q", n, got[n-5:], want[n-5:])
		}
	}
}

// TestQPBlanks checks that a line of nothing but blanks needs no memory.
func TestQPBlanks(t *testing.T) {
	blanks := io.LimitReader(repeated(' '), 100<<20)
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := Decode(io.Discard, blanks, QuotedPrintable); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 50 {
		t.Errorf("%v allocations", allocated)
	}
}

// repeated is an endless stream of one byte.
type repeated byte

func (r repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

var qpBenchText = mimeQP(bytes.Repeat([]byte("Schöne Grüße aus dem Norden, und bis bald! Das ist ein Text.\r\n"), 100_000))

func BenchmarkQP(b *testing.B) { benchmarkDecode(b, QuotedPrintable, qpBenchText) }

func BenchmarkQPEscapes(b *testing.B) {
	benchmarkDecode(b, QuotedPrintable, mimeQP(bytes.Repeat([]byte("Привет, мир! "), 100_000)))
}

// BenchmarkQPStd is what to compare with: the standard library's decoder.
func BenchmarkQPStd(b *testing.B) {
	b.SetBytes(int64(len(qpBenchText)))
	for b.Loop() {
		io.Copy(io.Discard, quotedprintable.NewReader(strings.NewReader(qpBenchText)))
	}
}
