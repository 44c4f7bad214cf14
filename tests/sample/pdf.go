package sample

import (
	"bytes"
	"compress/zlib"
	"fmt"
)

// PDF returns a document of one page with one line of text, compressed as usual.
func PDF(name, text string) File {
	var page bytes.Buffer
	w := zlib.NewWriter(&page)
	fmt.Fprintf(w, "BT /F 12 Tf 50 700 Td (%s) Tj ET", text)
	w.Close()

	b := bytes.NewBufferString("%PDF-1.4\n")
	var at []int
	for _, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream", page.Len(), page.String()),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", len(at), object)
	}
	start := b.Len()
	fmt.Fprintf(b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return File{Name: name, Type: "application/pdf", Content: b.Bytes()}
}
