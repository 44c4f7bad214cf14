package document

import (
	"bytes"
	"compress/zlib"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

// counted is a content that counts what is read of it.
type counted struct {
	scan.Content
	bytes *atomic.Int64
}

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Content.ReadAt(p, off)
	c.bytes.Add(int64(n))
	return n, err
}

// laborious are contents that take long to look into, of any size.
var laborious = map[string]repeated{
	"XML of links":      {start: `<Relationships>`, text: `<p><a href="http://e.example/">x</a>`},
	"XML of text":       {start: wordRoot + "<w:t>", text: "hello world "},
	"XML of attributes": {start: wordRoot, text: `<w:p a="b" c="d" e="f">`},
	"RTF of groups":     {start: `{\rtf1`, text: `{\b x}`},
	"RTF of objects":    {start: `{\rtf1`, text: `{\*\objdata 0105}`},
	"workbook":          {start: "\x09\x08\x10\x00" + strings.Repeat("\x00", 16), text: "\x85\x00\x00\x00"},
	"objects of PDF":    {start: "%PDF-1.7\n", text: "1 0 obj<</A[1 2 3(x)]>>endobj\n"},
	"bars":              {start: "a,b\n", text: "|"},
	"notes":             {start: oneNoteMark, text: "\x00"},
	"a flat document":   {start: `<office:document mimetype="x">`, text: `<text:p>x</text:p>`},
}

// TestWorkOfDocumentsIsBounded has messages with more and more documents: what is
// read of them ends with the work allowed, and the report says so, alike each time.
func TestWorkOfDocumentsIsBounded(t *testing.T) {
	s := newScanner(t, DefaultConfig())
	for name, c := range laborious {
		t.Run(name, func(t *testing.T) {
			c.size = 100_000
			scanned := func(n int, work time.Duration) ([]scan.Finding, int64) {
				var read atomic.Int64
				var parts []scan.Part
				for range n {
					parts = append(parts, scan.Part{Parent: -1, Path: "1", Names: []string{"a.csv"}, Content: counted{c, &read}})
				}
				m := scantest.Message("Subject: x\r\n\r\n", parts...)
				m.Work = work
				found, err := s.Scan(t.Context(), m)
				if err != nil {
					t.Error(err)
				}
				return found, read.Load()
			}
			_, each := scanned(1, 0)
			found, few := scanned(100, time.Millisecond)
			again, more := scanned(300, time.Millisecond)
			if few != more || few > 60*each {
				t.Errorf("of 100 documents %d bytes are read, of 300 %d; each has %d", few, more, each)
			}
			if !slices.Equal(found, again) || !slices.ContainsFunc(found, func(f scan.Finding) bool {
				return f.Kind == scan.Unscannable && strings.Contains(f.Detail, "limits.cpu")
			}) {
				t.Errorf("found %v, then %v", found, again)
			}
		})
	}
}

// TestHonestDocumentsAreExamined looks into large documents as people send them.
func TestHonestDocumentsAreExamined(t *testing.T) {
	for name, c := range map[string]repeated{
		"a long text":    {wordRoot, `<w:p w:rsidR="00A1"><w:r><w:t>A sentence of some words, as in a book.</w:t></w:r></w:p>`, 16 << 20},
		"a table":        {"a,b\n", "12.50,a word\n", 32 << 20},
		"a scan in RTF":  {`{\rtf1{\pict `, "89504e47", 24 << 20},
		"many relations": {`<Relationships>`, `<Relationship Id="r1" Type="http://s.example/hyperlink" Target="http://e.example/" TargetMode="External"/>`, 4 << 20},
	} {
		m := scantest.Message("Subject: x\r\n\r\n", scan.Part{Parent: -1, Path: "1", Names: []string{"a.csv"}, Content: c})
		m.Work = time.Second
		found, err := newScanner(t, DefaultConfig()).Scan(t.Context(), m)
		if err != nil || slices.ContainsFunc(found, func(f scan.Finding) bool { return strings.Contains(f.Detail, "limits.cpu") }) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// TestSmallPartsAreExaminedFirst has macros beside more text than there is work for: before
// it, behind it, and in a document of its own.
func TestSmallPartsAreExaminedFirst(t *testing.T) {
	text := repeated{wordRoot, `<w:p><w:t>x</w:t></w:p>`, 90 << 20}
	long := scan.Part{Parent: 0, Path: "1/word/document.xml", Names: []string{"word/document.xml"}, Archived: true, Content: text}
	macro := scan.Part{Parent: 0, Path: "1/word/vbaProject.bin", Names: []string{"word/vbaProject.bin"}, Archived: true,
		Content: bytes.NewReader(macros(vbaModule{"ThisDocument", "Sub AutoOpen()\r\nShell \"x\"\r\nEnd Sub\r\n", 0}))}
	package0 := scan.Part{Parent: -1, Path: "1", Names: []string{"a.docx"}, Content: repeated{"PK\x03\x04", "x", 6 << 20}}
	alone := macro
	alone.Parent, alone.Archived = -1, false
	for name, parts := range map[string][]scan.Part{
		"before": {package0, macro, long, long}, "behind": {package0, long, long, macro}, "beside": {package0, long, long, alone},
	} {
		m := scantest.Message("Subject: x\r\n\r\n", parts...)
		m.Work = time.Second
		found, err := newScanner(t, DefaultConfig()).Scan(t.Context(), m)
		has := func(rule string) bool {
			return slices.ContainsFunc(found, func(f scan.Finding) bool { return f.Rule == rule })
		}
		if err != nil || !has("attachment/macro-autorun") || !has("attachment/too-complex") {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
	}
}

// TestWorkIsChargedForUnpacking has many small documents that unpack to much.
func TestWorkIsChargedForUnpacking(t *testing.T) {
	pdf := pdfOf("<< /Type /ObjStm /N 1 /First 4 /Filter /AHx >> stream\n" + strings.Repeat("20", 1<<16) + ">\nendstream")
	var parts []scan.Part
	for range 100 {
		parts = append(parts, scan.Part{Parent: -1, Path: "1", Content: bytes.NewReader(pdf)})
	}
	m := scantest.Message("Subject: x\r\n\r\n", parts...)
	m.Work = time.Millisecond
	found, err := newScanner(t, DefaultConfig()).Scan(t.Context(), m)
	if err != nil || !scan.Incomplete(found) || found[len(found)-1].Part > 20 {
		t.Errorf("found %v, %v", found, err)
	}
}

// TestObjectsInStreamsAreCharged has a stream of objects that unpacks to little and
// takes long to parse.
func TestObjectsInStreamsAreCharged(t *testing.T) {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	io.WriteString(w, "1 0 "+strings.Repeat("obj<<", 1<<15))
	w.Close()
	file := pdfOf("<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >> stream\n" + packed.String() + "\nendstream")
	var parts []scan.Part
	for range 30 {
		parts = append(parts, scan.Part{Parent: -1, Path: "1", Content: bytes.NewReader(file)})
	}
	m := scantest.Message("Subject: x\r\n\r\n", parts...)
	m.Work = 50 * time.Millisecond // what its unpacking costs is 15 ms
	found, err := newScanner(t, DefaultConfig()).Scan(t.Context(), m)
	if err != nil || !slices.ContainsFunc(found, func(f scan.Finding) bool { return f.Part < 20 && strings.Contains(f.Detail, "limits.cpu") }) {
		t.Errorf("found %v, %v", found, err)
	}
}

// TestStreamsOfNothingAreCharged has streams that nothing comes of, however long they are.
func TestStreamsOfNothingAreCharged(t *testing.T) {
	nothing := "x\x9c" + strings.Repeat("\x00\x00\x00\xff\xff", 1<<18) // blocks of no bytes
	file := pdfOf("<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode >> stream\n" + nothing + "\nendstream")
	var parts []scan.Part
	for range 30 {
		parts = append(parts, scan.Part{Parent: -1, Path: "1", Content: bytes.NewReader(file)})
	}
	m := scantest.Message("Subject: x\r\n\r\n", parts...)
	m.Work = 500 * time.Millisecond // what reading the parts costs is far less
	found, err := newScanner(t, DefaultConfig()).Scan(t.Context(), m)
	if err != nil || !slices.ContainsFunc(found, func(f scan.Finding) bool { return f.Part < 20 && strings.Contains(f.Detail, "limits.cpu") }) {
		t.Errorf("found %v, %v", found, err)
	}
}
