package unpack

import (
	"os"
	"path/filepath"
	"testing"
	"io"
	"bytes"
	"context"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
	"github.com/milterscan/milterscan/scan/scratch"
	"github.com/milterscan/milterscan/scan/spool"
)

func BenchmarkZZOpen(b *testing.B) {
	files, _ := filepath.Glob("/tmp/corpus/" + os.Getenv("ZZ") + "/*.eml")
	var mails [][]byte
	for _, f := range files { d, _ := os.ReadFile(f); mails = append(mails, d) }
	l := Limits{Entity: entity.DefaultLimits(), Archive: archive.Limits{Expanded: 1<<30, Member: 1<<30, Ratio: 200, Entries: 10000, Depth: 5}, Parts: 2000, Nesting: 10}
	o := NewOpener(l, archive.Formats(), spool.New(b.TempDir(), 64<<20, 1<<30))
	b.ReportAllocs()
	done := make(chan bool)
	for b.Loop() {
		for _, mail := range mails {
			go func() {
			scratch.Stack()
			p := o.NewParser()
			p.Write(mail)
			raw := struct { *bytes.Reader; io.Closer }{bytes.NewReader(mail), io.NopCloser(nil)}
			m := o.Open(context.Background(), scan.Received{Raw: raw, Tree: p.Close(), Size: int64(len(mail))})
			m.Close()
			done <- true
			}()
			<-done
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(mails)), "µs/mail")
}
