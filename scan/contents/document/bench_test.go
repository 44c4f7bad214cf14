package document

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

// BenchmarkScan measures one part of each sort, in MB/s of the part.
func BenchmarkScan(b *testing.B) {
	const size = 4 << 20
	fill := func(start, text string) []byte {
		return []byte(start + strings.Repeat(text, (size-len(start))/len(text)))
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"docx text", fill(wordRoot, `<w:p w:rsidR="00A1"><w:r><w:t xml:space="preserve">Some words of a text. </w:t></w:r></w:p>`)},
		{"sheet", fill(`<?xml version="1.0"?><worksheet><sheetData>`, `<c r="A1"><v>12</v></c>`)},
		{"csv", fill("", "Name,12.5,2024-01-01,|,\"a text\"\r\n")},
		{"pdf streams", fill("%PDF-1.4\n", "1 0 obj << /Length 4000 /Filter /FlateDecode >>\nstream\n"+strings.Repeat("\x9c", 4000)+"\nendstream endobj\n")},
		{"pdf picture", []byte("%PDF-1.4\n1 0 obj << /Subtype /Image /Filter /DCTDecode >>\nstream\n" + noise(size) + "\nendstream endobj\ntrailer << /Root 1 0 R >>\n")},
		{"pdf objects", fill("%PDF-1.4\n", "1 0 obj << /Type /StructElem /S /P /P 12 0 R /K [ 1 2 << /Type /MCR /Pg 3 0 R >> ] >> endobj\n")},
		{"rtf", fill(`{\rtf1`, `{\pard\plain\f0\fs24 Some words of a text.\par}`+"\r\n")},
		{"binary", fill("\x89PNG", "\x01\x02\x03\xff")},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newScanner(b, DefaultConfig())
			m := scantest.Message("Subject: x\r\n\r\n", scan.Part{Parent: -1, Path: "1", Names: []string{"a.csv"}, Content: bytes.NewReader(c.data)})
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				if _, err := s.Scan(b.Context(), m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// noise is n bytes without any order.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return string(b)
}

// BenchmarkBasic measures the judgement of source.
func BenchmarkBasic(b *testing.B) {
	g, err := newGrammar(DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	source := strings.Repeat("    If Cells(i, 2).Value > \"limit\" & x Then ' look\r\n        total = total + Cells(i, 3).Value\r\n    End If\r\n", 10_000)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		var ev evidence
		ev.gather(g, "Module1", readBasic(source))
	}
}
