package unpack

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/spool"
)

// opened opens a mail within a context.
func opened(ctx context.Context, t *testing.T, l Limits, mail string) *scan.Message {
	t.Helper()
	o := NewOpener(l, archive.Formats(), spool.New(t.TempDir(), 8<<20, 64<<20))
	p := o.NewParser()
	io.WriteString(p, mail)
	raw := struct {
		*strings.Reader
		io.Closer
	}{strings.NewReader(mail), io.NopCloser(nil)}
	m := o.Open(ctx, scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
	t.Cleanup(func() { m.Close() })
	return m
}

func noted(m *scan.Message, kind scan.Kind, rule string) bool {
	return slices.ContainsFunc(m.Notes, func(f scan.Finding) bool { return f.Kind == kind && f.Rule == rule })
}

// objectStreams is a PDF of n object streams with a dictionary and data.
func objectStreams(n int, dict, data, end string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	for i := range n {
		fmt.Fprintf(&b, "%d 0 obj<</Type/ObjStm/N 1/First 4%s>>stream\n%s\n%s\n", i+1, dict, data, end)
	}
	return b.Bytes()
}

func inZlib(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func inGzip(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

// hard are files that take long to open for their size, each larger and larger.
var hard = map[string]func(n int) []byte{
	"streams without end": func(n int) []byte { return objectStreams(100*n, "/Filter/FlateDecode", "x", "") },
	"one end at the end": func(n int) []byte {
		return append(objectStreams(100*n, "/Filter/FlateDecode", "x", ""), "endstream"...)
	},
	"lines of one byte": func(n int) []byte {
		return objectStreams(n, "/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 1>>", inZlib(strings.Repeat("\x04\x01", 1<<19)), "endstream endobj")
	},
	"chains of filters": func(n int) []byte {
		return objectStreams(n, "/Filter[/FlateDecode/AHx/AHx/AHx]", inZlib(strings.Repeat("33", 1<<19)), "endstream endobj")
	},
	"packed dictionaries": func(n int) []byte {
		return objectStreams(n, "/Filter/FlateDecode", inZlib("1 0 "+strings.Repeat("<</A[1 2 3(x)<41>/B]>>", 1<<15)), "endstream endobj")
	},
	"objects in each other": func(n int) []byte { return []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj<</A ", 3000*n)) },
	"streams of gzip":       func(n int) []byte { return bytes.Repeat(inGzip("hello worl"), 5000*n) },
	"empty streams of gzip": func(n int) []byte { return bytes.Repeat(inGzip(""), 5000*n) },
	"objects of RTF": func(n int) []byte {
		return []byte(`{\rtf1` + strings.Repeat(`{\object{\*\objdata 0105000002000000}}`, 2000*n))
	},
}

// TestWorkIsBounded makes files of every kind larger: the work that is done for one
// ends at its limit, or grows with its size, and is the same each time.
func TestWorkIsBounded(t *testing.T) {
	for name, file := range hard {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 10, 40} {
				l := testLimits
				l.Archive.Ratio, l.CPU = 1<<40, 100*time.Millisecond
				mail := leaf("Content-Type: application/octet-stream; name=a", file(n))
				begun := time.Now()
				m := opened(t.Context(), t, l, mail)
				over := noted(m, scan.Unscannable, "mime/time")
				if took := time.Since(begun); over && took > 5*time.Second {
					t.Errorf("%d: 100 ms of work took %v", n, took)
				}
				again := opened(t.Context(), t, l, mail)
				if !slices.Equal(m.Notes, again.Notes) || len(m.Parts) != len(again.Parts) {
					t.Errorf("%d: the same mail was opened in two ways:\n%+v\n%+v", n, m.Notes, again.Notes)
				}
				if m.Work < l.CPU/4 || m.Work >= l.CPU || over && m.Work != l.CPU/4 {
					t.Errorf("%d: scanners may do work of %v, of %v", n, m.Work, l.CPU)
				}
				if noted(m, scan.Failed, "mime/failed") {
					t.Errorf("%d: what the mail takes counts as a failure", n)
				}
			}
		})
	}
}

// TestHonestWorkIsDone opens what people send: it is far from the limit.
func TestHonestWorkIsDone(t *testing.T) {
	var many []string
	for i := range 9000 {
		many = append(many, fmt.Sprintf("src/%d/file%d.c", i%50, i), strings.Repeat(fmt.Sprintf("int f%d(void);\n", i), 10))
	}
	for name, file := range map[string][]byte{
		"9,000 files":    zipped(t, many...),
		"50 MB of text":  zipped(t, "a.log", strings.Repeat("GET /index.html 200\n", 50<<20/20)),
		"a PDF of 10 MB": objectStreams(200, fmt.Sprintf("/Filter/FlateDecode/Length %d", len(inZlib(strings.Repeat("1 0 <</A 5>> ", 1000)))), inZlib(strings.Repeat("1 0 <</A 5>> ", 1000)), "endstream endobj"),
	} {
		l := testLimits
		l.Parts, l.Archive.Entries, l.Archive.Ratio, l.Archive.Member, l.CPU = 10_000, 10_000, 1<<40, 128<<20, 500*time.Millisecond
		if m := opened(t.Context(), t, l, leaf("Content-Type: application/octet-stream; name=a", file)); noted(m, scan.Unscannable, "mime/time") {
			t.Errorf("%s: %+v", name, m.Notes)
		}
	}
}

// TestTimeThatRunsOutIsAFailure has a host that is too busy: that is no property of
// the message.
func TestTimeThatRunsOutIsAFailure(t *testing.T) {
	for name, file := range hard {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := opened(ctx, t, testLimits, leaf("Content-Type: application/octet-stream; name=a", file(1)))
		if !noted(m, scan.Failed, "mime/failed") || noted(m, scan.Unscannable, "mime/time") {
			t.Errorf("%s: %+v", name, m.Notes)
		}
	}
}

// TestStreamsAreCounted has files of many streams that hold next to nothing.
func TestStreamsAreCounted(t *testing.T) {
	for _, text := range []string{"", "hello worl"} {
		l := testLimits
		l.CPU = 50 * time.Millisecond
		for n, over := range map[int]bool{1000: false, 50_000: true} {
			mail := leaf("Content-Type: application/gzip; name=a.gz", bytes.Repeat(inGzip(text), n))
			if m := opened(t.Context(), t, l, mail); noted(m, scan.Unscannable, "mime/time") != over {
				t.Errorf("%d streams of %q: %+v", n, text, m.Notes)
			}
		}
	}
}
