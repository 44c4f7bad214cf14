package unpack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
)

// smallFiles are contents of which there may be thousands: each sort is asked about by other readers.
var smallFiles = map[string]string{
	"nothing":       "",
	"a text":        "hello world\n",
	"a program":     "MZ\x90\x00",
	"pieces of PDF": "<</A[1 2 3(x)<41>/B]>>",
	"a page":        "<p><a href=http://e.example/>x</a>",
	"a mail":        "From: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
	"an object":     `{\object{\*\objdata 0105000002000000}}`,
	"a wrapped one": "begin 644 a\n#0V%T\n`\nend\n",
}

// manyIn are containers of many files with one content.
var manyIn = map[string]func(t *testing.T, n int, name, content string) []byte{
	"zip": inZip,
	"tar.gz": func(t *testing.T, n int, name, content string) []byte {
		return inGzip(inTar(t, n, name, content))
	},
	"tar.gz in zip": func(t *testing.T, n int, name, content string) []byte {
		return zipped(t, "a.tar.gz", string(inGzip(inTar(t, n, name, content))))
	},
	"tar.gz in zip in tar.gz": func(t *testing.T, n int, name, content string) []byte {
		file := zipped(t, "a.tgz", string(inGzip(inTar(t, n, name, content))))
		return inGzip(inTar(t, 1, "a.zip", string(file)))
	},
	"gzip, one for each": func(t *testing.T, n int, name, content string) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		one := inGzip(content)
		for i := range n {
			f, _ := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(name, i, ".gz"), Method: zip.Deflate})
			f.Write(one)
		}
		w.Close()
		return out.Bytes()
	},
}

func inZip(_ *testing.T, n int, name, content string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range n {
		f, _ := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(name, i), Method: zip.Deflate})
		f.Write([]byte(content))
	}
	w.Close()
	return out.Bytes()
}

func inTar(t *testing.T, n int, name, content string) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i := range n {
		h := &tar.Header{Name: fmt.Sprint(name, i), Mode: 0o644, Size: int64(len(content)), Format: tar.FormatGNU}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(content))
	}
	w.Close()
	return out.String()
}

// leastForFile is what a file costs at least, wherever it is, and leastForName a byte of its name, in
// work.
const (
	leastForFile = 20 * time.Microsecond
	leastForName = 20 * time.Nanosecond
)

// TestSmallFilesArePaid opens containers of every kind, with every kind of small files, with short
// names and with long ones: each file and each name is paid.
func TestSmallFilesArePaid(t *testing.T) {
	l := testLimits
	l.Parts, l.Archive.Entries, l.Archive.Depth, l.Archive.Ratio, l.CPU = 10_000, 10_000, 8, 1<<40, time.Second
	const n = 100
	for container, make := range manyIn {
		for file, content := range smallFiles {
			for _, name := range []string{"a", strings.Repeat("n", 1500), strings.Repeat("日", 300)} {
				m := opened(t.Context(), t, l, leaf("Content-Type: application/octet-stream; name=a", make(t, n, name, content)))
				names := 0
				for _, p := range m.Parts {
					names += len(strings.Join(p.Names, ""))
				}
				paid, least := l.CPU-m.Work, time.Duration(len(m.Parts))*leastForFile+time.Duration(names)*leastForName
				if len(m.Parts) < n || paid < least {
					t.Errorf("%d times %s in %s, names of %d bytes: %d parts for %v, want %v at least",
						n, file, container, len(name), len(m.Parts), paid, least)
				}
			}
		}
	}
}

// TestThousandsOfSmallFilesEndTheWork has far more of them than one message may have, in files alone
// and in names alone: the rest stays closed, and the message says so.
func TestThousandsOfSmallFilesEndTheWork(t *testing.T) {
	l := testLimits
	l.Parts, l.Archive.Entries, l.Archive.Depth, l.Archive.Ratio, l.CPU = 100_000, 100_000, 8, 1<<40, 50*time.Millisecond
	for container, make := range manyIn {
		for n, name := range map[int]string{3000: "a", 600: strings.Repeat("n", 4000)} {
			m := opened(t.Context(), t, l, leaf("Content-Type: application/octet-stream; name=a", make(t, n, name, "x")))
			if !noted(m, scan.Unscannable, "mime/time") || len(m.Parts) >= n {
				t.Errorf("%d files in %s, names of %d bytes: %d parts are opened, %v of work are left",
					n, container, len(name), len(m.Parts), m.Work)
			}
		}
	}
}
