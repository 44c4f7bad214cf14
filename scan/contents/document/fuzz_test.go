package document

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/units"
)

// fuzzed looks into bytes as the only part of a mail. Whatever they are, there
// is an answer within the limits, the same each time.
func fuzzed(t *testing.T, data []byte) {
	c := DefaultConfig()
	c.MaxUnpacked = 256 * units.KB
	s := newScanner(t, c)
	m := scantest.Message("Subject: x\r\n\r\n", scan.Part{Parent: -1, Path: "1", Names: []string{"a.csv"}, Content: scantest.Bytes(data)})
	found, err := s.Scan(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	scantest.Check(t, s, m, found, Catalogue()...)
	again, _ := s.Scan(context.Background(), m)
	if len(again) != len(found) {
		t.Fatalf("%v, then %v", found, again)
	}
	for i := range found {
		if found[i] != again[i] {
			t.Fatalf("%v, then %v", found[i], again[i])
		}
		if len(found[i].Detail) > longestDetail {
			t.Fatalf("detail of %d bytes", len(found[i].Detail))
		}
	}
}

// fuzzFrom fuzzes with the documents that begin with a mark as seeds.
func fuzzFrom(f *testing.F, begin string) {
	for _, c := range bad(f) {
		if bytes.HasPrefix(c.data, []byte(begin)) && len(c.data) < 64<<10 {
			f.Add(c.data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !strings.HasPrefix(string(data), begin) {
			data = append([]byte(begin), data...)
		}
		fuzzed(t, data)
	})
}

func FuzzPDF(f *testing.F)       { fuzzFrom(f, "%PDF-") }
func FuzzRTF(f *testing.F)       { fuzzFrom(f, `{\rt`) }
func FuzzShellLink(f *testing.F) { fuzzFrom(f, shellLinkMark) }
func FuzzXML(f *testing.F)       { fuzzFrom(f, "<") }
func FuzzCompound(f *testing.F)  { fuzzFrom(f, compoundMark) }
func FuzzWorkbook(f *testing.F)  { fuzzFrom(f, "\x09") }
func FuzzAnything(f *testing.F)  { fuzzFrom(f, "") }
