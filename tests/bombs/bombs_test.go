package bombs

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"testing"
)

// What others unpack shows that the bombs are what they say.
func TestBombsArePacked(t *testing.T) {
	r, err := zip.NewReader(bytes.NewReader(quoting(20)), int64(len(quoting(20))))
	if err != nil || len(r.File) != 20 {
		t.Fatal(err)
	}
	first, err := r.File[19].Open()
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := io.Copy(io.Discard, first); n != int64(r.File[19].UncompressedSize64) {
		t.Errorf("a quoting member has %d bytes", n)
	}
	z, err := gzip.NewReader(bytes.NewReader(gzipOf(zeros(8 << 20))))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, z); n != 8<<20 || err != nil {
		t.Errorf("%d zeros, %v", n, err)
	}
	z, err = gzip.NewReader(bytes.NewReader(emptyFiles(5000)))
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewReader(z)
	for n := range 5000 {
		if _, err := files.Next(); err != nil {
			t.Fatalf("file %d: %v", n, err)
		}
	}
}
