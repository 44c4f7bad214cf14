package store

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// BenchmarkSearch searches -records=1000000 records, and reports the slowest of a hundred
// searches of a kind, apart from the slowest one: p99.
func BenchmarkSearch(b *testing.B) {
	h := filledWith(b, historytest.Natural)
	for more := true; more; {
		var err error
		if more, err = h.Index(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range historytest.Searches {
		b.Run(s.Name, func(b *testing.B) {
			var took []time.Duration
			var found int
			used := processorTime()
			for b.Loop() {
				begun := time.Now()
				p, err := h.Find(b.Context(), s.Filter, history.Cursor{})
				if err != nil {
					b.Fatal(err)
				}
				took, found = append(took, time.Since(begun)), len(p.Records)
			}
			b.ReportMetric(float64((processorTime()-used).Microseconds())/1e3/float64(len(took)), "ms-cpu")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "ms-p99")
			b.ReportMetric(float64(took[len(took)/2])/1e6, "ms-p50")
			b.ReportMetric(float64(found), "found")
		})
	}
}

// processorTime returns what the process has used, which other work on the host does not
// change.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
