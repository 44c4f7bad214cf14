package pipeline

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/tests/sample"
)

// garbageFile holds what a message of each kind takes: objects and bytes that are
// allocated on the heap. They hardly depend on the machine, as times do.
const garbageFile = "testdata/garbage.txt"

// garbage is what judging a message allocates.
type garbage struct{ objects, bytes uint64 }

// TestGarbage compares what messages allocate with what they did when the file was
// written. "make bench" runs it, with MILTERSCAN_BENCH set; -update writes the file.
func TestGarbage(t *testing.T) {
	if os.Getenv("MILTERSCAN_BENCH") == "" {
		t.Skip("MILTERSCAN_BENCH is not set")
	}
	p, err := New(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var file bytes.Buffer
	for _, kind := range []struct {
		name  string
		mails [][]byte
	}{
		{"small", sample.Small(50)}, {"mixed", sample.Mixed(100)},
		{"zip", [][]byte{sample.Attached("zip", sample.Zip("a.zip", sample.PDF("a.pdf", "text"), sample.Zip("b.zip", sample.PDF("b.pdf", "text"))))}},
	} {
		got := p.garbageOf(t, kind.mails)
		t.Logf("%s: %d objects, %d bytes", kind.name, got.objects, got.bytes)
		fmt.Fprintln(&file, kind.name, got.objects, got.bytes)
		if !*update {
			holdGarbage(t, kind.name, got)
		}
	}
	if *update {
		if err := os.WriteFile(garbageFile, file.Bytes(), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// holdGarbage wants no more than 10 % above what the file says, nor much less: then the
// file is to be written anew.
func holdGarbage(t *testing.T, kind string, got garbage) {
	t.Helper()
	text, err := os.ReadFile(garbageFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var name string
		var want garbage
		fmt.Sscan(line, &name, &want.objects, &want.bytes)
		if name != kind {
			continue
		}
		if differs(got.objects, want.objects) || differs(got.bytes, want.bytes) {
			t.Errorf("%s: %+v, and it was %+v; if that is right: MILTERSCAN_BENCH=1 go test ./cmd/milterscan/pipeline -run Garbage -update", kind, got, want)
		}
		return
	}
	t.Errorf("%s is not in %s", kind, garbageFile)
}

func differs(a, b uint64) bool { return 10*max(a, b) > 11*min(a, b) }

// garbageOf returns what one of the mails allocates on average, the second time that they
// are judged.
func (p *Pipeline) garbageOf(t *testing.T, mails [][]byte) garbage {
	t.Helper()
	p.judgeAll(t, mails)
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // or what lent buffers are made again would depend on when it runs
	p.judgeAll(t, mails)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.judgeAll(t, mails)
	runtime.ReadMemStats(&after)
	n := uint64(len(mails))
	return garbage{(after.Mallocs - before.Mallocs) / n, (after.TotalAlloc - before.TotalAlloc) / n}
}

// judgeAll judges mails, and writes the line about each.
func (p *Pipeline) judgeAll(t *testing.T, mails [][]byte) {
	t.Helper()
	env := scan.Envelope{Sender: "alice@example.org", Recipients: []string{"bob@example.com"}, Received: time.Now()}
	for _, mail := range mails {
		raw, err := p.keep(bytes.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		parser := p.Judge.NewParser()
		parser.Write(mail)
		r := p.Judge.Examine(t.Context(), scan.Received{Envelope: env, Raw: raw, Tree: parser.Close(), Size: raw.Size()})
		r.Told().Line()
		r.Close()
	}
}
