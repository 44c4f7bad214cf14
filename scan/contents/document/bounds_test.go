package document

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/scantest"
)

// repeated is content that is one text over and over, behind another.
type repeated struct {
	start, text string
	size        int64
}

func (r repeated) Size() int64 { return r.size }

// ReadAt makes the bytes at off.
func (r repeated) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off+int64(n) < r.size {
		at := off + int64(n)
		if at < int64(len(r.start)) {
			n += copy(p[n:], r.start[at:])
			continue
		}
		n += copy(p[n:], r.text[(at-int64(len(r.start)))%int64(len(r.text)):])
	}
	n = int(min(int64(n), r.size-off))
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// only scans one part that holds c.
func only(t testing.TB, name string, c scan.Content) map[string]string {
	t.Helper()
	s := newScanner(t, DefaultConfig())
	m := scantest.Message("Subject: x\r\n\r\n", scan.Part{Parent: -1, Path: "1", Names: []string{name}, Content: c})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	found, err := s.Scan(ctx, m)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	by := map[string]string{}
	for _, f := range found {
		by[strings.TrimPrefix(f.Rule, "attachment/")] = f.Detail
	}
	return by
}

// TestHostileSizesAreBorne scans what is made to cost memory or time. Each is
// read to its end, or said not to be.
func TestHostileSizesAreBorne(t *testing.T) {
	const size = 2 << 20
	lol := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "` + strings.Repeat("&lol;", 10) + `">`
	for name, c := range map[string]struct {
		content scan.Content
		want    string // a rule that must be found, "" for none at all
	}{
		"XML":                   {repeated{wordRoot, "<w:p>x</w:p>", size}, ""},
		"XML of one tag":        {repeated{wordRoot + "<w:p ", `a="b" `, size}, "too-complex"},
		"XML of one value":      {repeated{wordRoot + `<w:p a="`, "x", size}, ""},
		"XML of one name":       {repeated{"<", "x", size}, ""},
		"XML of tags only":      {repeated{"<a>", "<", size}, ""},
		"XML of fields":         {repeated{wordRoot, `<w:fldChar w:fldCharType="begin"/>`, size}, ""},
		"entities":              {repeated{lol, `<!ENTITY x "&lol2;&lol2;">`, size}, ""},
		"base64":                {repeated{`<w:wordDocument><w:binData>`, "QUJD", size}, ""},
		"PDF of openings":       {repeated{"%PDF-1.4\n", "1 0 obj (", 1 << 20}, "too-complex"},
		"PDF of dictionaries":   {repeated{"%PDF-1.4\n", "1 0 obj <<", 1 << 20}, ""},
		"PDF of arrays":         {repeated{"%PDF-1.4\n1 0 obj ", "[", size}, "too-complex"},
		"PDF of actions":        {repeated{"%PDF-1.4\n", "1 0 obj<</S/URI>>endobj\n", size}, "too-complex"},
		"PDF of streams":        {repeated{"%PDF-1.4\n", "1 0 obj<</N 1/First 0>>stream\n", 1 << 20}, "too-complex"},
		"RTF of groups":         {repeated{`{\rtf1`, "{", size}, "too-complex"},
		"RTF of objects":        {repeated{`{\rtf1`, `{\*\objdata 0105}`, size}, ""},
		"RTF of digits":         {repeated{`{\rtf1{\*\objdata `, "0", size}, ""},
		"RTF of binary":         {repeated{`{\rtf1`, `\bin2000000000 `, size}, ""},
		"workbook of records":   {repeated{"\x09\x08\x10\x00", "\x85\x00\x00\x00", size}, ""},
		"bars":                  {repeated{"", "|", size}, ""},
		"note of files":         {repeated{oneNoteMark, embeddedFile + "\x00", size}, "onenote-embedded"},
		"compound of modules":   {repeated{compoundMark, "\x01\x0d\xb0" + attributeMark + "e VB", 1 << 20}, "too-complex"},
		"shortcut":              {repeated{shellLinkMark, "\xff", size}, ""},
		"ActiveMime of nothing": {repeated{activeMimeMark, "\x78\x9c", size}, "damaged-document"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			found := only(t, "a.csv", c.content)
			if _, ok := found[c.want]; c.want != "" && !ok {
				t.Errorf("found %v, want %s", found, c.want)
			}
			t.Logf("%v %v", time.Since(begun), found)
		})
	}
}

// TestMacrosAreBounded scans a project that unpacks to more than is looked at.
func TestMacrosAreBounded(t *testing.T) {
	bomb := "\x01" + strings.Repeat("\x03\xb0\x02\n\xff\x0f", 20_000)
	streams := vbaProject("VBA", vbaModule{"Module1", "", 1})
	for i := range streams {
		if streams[i].name == "VBA/Module1" {
			streams[i].data = append(compiled(1), bomb...)
		}
	}
	found := only(t, "a.bin", bytes.NewReader(compoundFile(streams...)))
	if _, ok := found["too-complex"]; !ok {
		t.Errorf("found %v", found)
	}
}

// TestBudgetIsOfTheMessage scans many documents, each of which alone is well
// within it.
func TestBudgetIsOfTheMessage(t *testing.T) {
	pdf := pdfOf("<< /Type /ObjStm /N 1 /First 4 /Filter /AHx >> stream\n" + strings.Repeat("20", 1<<20) + ">\nendstream")
	var parts []scan.Part
	for range 40 {
		parts = append(parts, scan.Part{Parent: -1, Path: "1", Content: bytes.NewReader(pdf)})
	}
	m := scantest.Message("Subject: x\r\n\r\n", parts...)
	found, err := newScanner(t, DefaultConfig()).Scan(t.Context(), m)
	if err != nil || !scan.Incomplete(found) || found[0].Part == 0 {
		t.Errorf("found %v, %v", found, err)
	}
}
