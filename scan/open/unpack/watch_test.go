package unpack

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/scratch"
	"github.com/milterscan/milterscan/scan/spool"
)

type (
	sizeKey struct{}
	bodyKey struct{}
)

// counted counts what it is shown.
type counted struct{ n int64 }

func (c *counted) See(b []byte) { c.n += int64(len(b)) }

// What is opened is shown to who watches, in memory and in files: the second part is a PDF, the third has a member.
func TestWatches(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	document := append([]byte("%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"), large...)
	mail := multipart("b", leaf("Content-Type: application/octet-stream", large), leaf("Content-Type: application/pdf", document),
		leaf("Content-Type: application/zip", zippedBytes("a.bin", large)))
	for _, memory := range []int64{8 << 20, 0} {
		o := NewOpener(testLimits, archive.Formats(), spool.New(t.TempDir(), memory, 64<<20))
		begin := func(scratch.Content) scratch.Watcher { return new(counted) }
		o.Watch([]scratch.Watch{{Key: sizeKey{}, Begin: begin}}, []scratch.Watch{{Key: bodyKey{}, Begin: begin}})
		p := o.NewParser()
		io.WriteString(p, mail)
		raw := struct {
			*strings.Reader
			io.Closer
		}{strings.NewReader(mail), io.NopCloser(nil)}
		m := o.Open(t.Context(), scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
		watched := 0
		for _, p := range m.Parts {
			if p.Content == nil || p.Content.Size() <= scratch.Size {
				continue
			}
			if c, ok := scratch.LoreOf(p.Content).Recall(sizeKey{}).(*counted); !ok || c.n != p.Content.Size() {
				t.Errorf("part %s with %d bytes of memory: %v was seen of %d", p.Path, memory, c, p.Content.Size())
			}
			if _, ok := scratch.LoreOf(p.Content).Recall(bodyKey{}).(*counted); ok == p.Archived {
				t.Errorf("part %s with %d bytes of memory: watched as a body is %v", p.Path, memory, ok)
			}
			watched++
		}
		if watched != 3 {
			t.Errorf("%d large parts", watched)
		}
		m.Close()
	}
}
