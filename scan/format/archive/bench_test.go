package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// benchZip is a zip of so many documents of so many words.
func benchZip(b *testing.B, documents, words int) (packed []byte, unpacked int64) {
	b.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range documents {
		var text strings.Builder
		for range words {
			fmt.Fprintf(&text, "word%d ", random.IntN(5000))
		}
		m, err := w.Create(fmt.Sprintf("document-%d.txt", i))
		if err != nil {
			b.Fatal(err)
		}
		io.WriteString(m, text.String())
		unpacked += int64(text.Len())
	}
	w.Close()
	return out.Bytes(), unpacked
}

// BenchmarkZip unpacks a zip of 50 MB with large documents and one of 10,000 small
// ones, beside "unzip -t". User-s/op is what both took of a processor, which other
// work on the machine does not change much.
func BenchmarkZip(b *testing.B) {
	for _, c := range []struct {
		name             string
		documents, words int
	}{{"50MB", 100, 240_000}, {"10000members", 10_000, 50}} {
		data, unpacked := benchZip(b, c.documents, c.words)
		b.Run(c.name+"/milterscan", func(b *testing.B) {
			b.SetBytes(unpacked)
			before := userTime()
			for b.Loop() {
				unpackZip(b, data)
			}
			b.ReportMetric((userTime()-before).Seconds()/float64(b.N), "user-s/op")
		})
		b.Run(c.name+"/unzip-t", func(b *testing.B) { benchUnzip(b, data, unpacked) })
	}
}

func unpackZip(b *testing.B, data []byte) {
	b.Helper()
	budget := NewBudget(Limits{Expanded: units.GB, Member: units.GB, Ratio: 1000, Entries: 20_000})
	notes, err := zipFormat{}.Walk(context.Background(), bytes.NewReader(data), budget, func(_ Member, r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if err != nil || len(notes) > 0 {
		b.Fatal(notes, err)
	}
}

func benchUnzip(b *testing.B, data []byte, unpacked int64) {
	unzip, err := exec.LookPath("unzip")
	if err != nil {
		b.Skip(err)
	}
	file := filepath.Join(b.TempDir(), "documents.zip")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(unpacked)
	var user time.Duration
	for b.Loop() {
		cmd := exec.Command(unzip, "-tqq", file)
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		user += cmd.ProcessState.UserTime()
	}
	b.ReportMetric(user.Seconds()/float64(b.N), "user-s/op")
}

// userTime is the processor time of this process so far.
func userTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of ourselves it cannot fail
	return time.Duration(u.Utime.Nano())
}

// benchPDF is a document of 4 MB: mostly one picture, or mostly small objects.
func benchPDF(picture int) []byte {
	random := rand.NewChaCha8([32]byte{1})
	noise := make([]byte, picture)
	random.Read(noise)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%PDF-1.4\n1 0 obj\n<< /Type /XObject /Subtype /Image /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(noise), noise)
	for i := 2; b.Len() < 4<<20; i++ {
		fmt.Fprintf(&b, "%d 0 obj\n<< /Type /StructElem /S /P /P 12 0 R /K [ 1 2 << /Type /MCR /Pg 3 0 R >> ] >>\nendobj\n", i)
	}
	b.WriteString("trailer\n<< /Root 2 0 R >>\n%%EOF\n")
	return b.Bytes()
}

// BenchmarkPDF looks for files in documents without any.
func BenchmarkPDF(b *testing.B) {
	for name, picture := range map[string]int{"picture": 4 << 20, "objects": 0} {
		data := benchPDF(picture)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				budget := NewBudget(Limits{Expanded: units.GB, Member: units.GB, Ratio: 1000, Entries: 20_000})
				notes, err := pdfFormat{}.Walk(b.Context(), bytes.NewReader(data), budget, nil)
				if err != nil || len(notes) > 0 {
					b.Fatal(notes, err)
				}
			}
		})
	}
}
