package integration

import (
	"flag"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	chronicle "github.com/milterscan/milterscan/policy/keep/history/shared"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/tests/integration/servers"
)

// many is how many records the benchmarks of the history work on: -records=1000000 for the figures in docs.
var many = flag.Int("records", 20_000, "records for the benchmarks of the shared history")

// ownTime returns what this process has used of the processors, which other work on the host does not change.
func ownTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sharedHistory returns an empty history in a database that writes as one in use does.
func sharedHistory(b *testing.B) *chronicle.Store {
	b.Helper()
	needServers(b)
	pg := servers.StartPostgres(b, "", "fsync=on", "shared_buffers=256MB", "max_wal_size=4GB")
	state := config.Store{URL: pg.URL(), PasswordFile: config.SecretFile(pg.PasswordFile(b)), Connections: 8,
		Timeout: 10_000_000_000}.Fleet("")
	b.Cleanup(func() { state.Close() })
	if err := state.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	return chronicle.New(state, "mx1")
}

// some returns records of a week of n, from the given one on.
func some(n, from, each int) []policy.Record {
	step := 7 * 24 * time.Hour / time.Duration(n)
	list := make([]policy.Record, each)
	for i := range list {
		list[i] = historytest.Natural(from+i, historytest.Now.Add(time.Duration(from+i)*step))
	}
	return list
}

// BenchmarkHistoryAppend writes 64 records at a time into a file and into PostgreSQL, and reports how many a second,
// and what of the processors each costs milterscan: what it takes to make the records is in both.
func BenchmarkHistoryAppend(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) history.Store{
		"file": func(b *testing.B) history.Store {
			h := store.NewHistory(filepath.Join(b.TempDir(), "history.db"), func(err error) { b.Error(err) })
			b.Cleanup(func() { h.Close() })
			return h
		},
		"postgres": func(b *testing.B) history.Store { return sharedHistory(b) },
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			b.ResetTimer()
			used, begun := ownTime(), time.Now()
			n := 0
			for b.Loop() {
				if err := s.Append(b.Context(), some(*many, n, 64)); err != nil {
					b.Fatal(err)
				}
				n += 64
			}
			b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "records/s")
			b.ReportMetric(float64((ownTime()-used).Microseconds())/float64(n), "us-cpu/record")
		})
	}
}

// BenchmarkSharedSearch searches -records records in PostgreSQL, and reports the slowest of a hundred searches of a
// kind, apart from the slowest one: p99.
func BenchmarkSharedSearch(b *testing.B) {
	s := sharedHistory(b)
	begun := time.Now()
	for n := 0; n < *many; n += 1000 {
		if err := s.Append(b.Context(), some(*many, n, min(1000, *many-n))); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d records written in %v", *many, time.Since(begun).Round(time.Second))
	for more := true; more; {
		var err error
		if more, err = s.Index(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("and indexed in %v", time.Since(begun).Round(time.Second))
	for _, q := range historytest.Searches {
		b.Run(q.Name, func(b *testing.B) {
			var took []time.Duration
			found, used := 0, ownTime()
			for b.Loop() {
				begun := time.Now()
				p, err := s.Find(b.Context(), q.Filter, history.Cursor{})
				if err != nil {
					b.Fatal(err)
				}
				took, found = append(took, time.Since(begun)), len(p.Records)
			}
			b.ReportMetric(float64((ownTime()-used).Microseconds())/1e3/float64(len(took)), "ms-cpu")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "ms-p99")
			b.ReportMetric(float64(took[len(took)/2])/1e6, "ms-p50")
			b.ReportMetric(float64(found), "found")
		})
	}
}
