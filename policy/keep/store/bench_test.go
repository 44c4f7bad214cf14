package store

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
)

// many is how many records the benchmarks work on: -records=1000000 for the
// figures in docs.
var many = flag.Int("records", 20_000, "records for the benchmarks of the history")

// filled is a history of many records, a week long.
func filled(b *testing.B) *History { return filledWith(b, historytest.Typical) }

func filledWith(b *testing.B, record func(n int, at time.Time) policy.Record) *History {
	b.Helper()
	h := newHistory(b)
	step := 7 * 24 * time.Hour / time.Duration(*many)
	start := time.Now()
	for n := 0; n < *many; n += 256 {
		list := make([]policy.Record, min(256, *many-n))
		for i := range list {
			list[i] = record(n+i, now.Add(time.Duration(n+i)*step))
		}
		if err := h.Append(context.Background(), list); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(time.Since(start).Seconds(), "s-to-fill")
	if info, err := os.Stat(h.path); err == nil {
		b.ReportMetric(float64(info.Size())/float64(*many), "B/record")
	}
	b.ResetTimer()
	return h
}

func BenchmarkHistory(b *testing.B) {
	h := filled(b)
	bench := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	last := fmt.Sprintf("%016x", *many-1)
	bench("explain-id", func() error { return one(h.Lookup(b.Context(), last)) })
	bench("explain-message-id", func() error {
		return one(h.Lookup(b.Context(), fmt.Sprintf("<%d.abcdef@mail%d.example.net>", *many/2, *many/2%5000)))
	})
	bench("list-newest-100", func() error { return one(h.List(b.Context(), history.Filter{Limit: 100})) })
	bench("list-one-sender", func() error { return one(h.List(b.Context(), history.Filter{Sender: "sender7@domain7.example.net"})) })
	bench("list-no-such-recipient", func() error {
		_, err := h.List(b.Context(), history.Filter{Recipient: "nobody@example.org"})
		return err
	})
	bench("report-week", func() error {
		_, err := h.Counts(b.Context(), now)
		return err
	})
	next := *many
	bench("append-256", func() error {
		list := make([]policy.Record, 256)
		for i := range list {
			list[i] = historytest.Typical(next, now.Add(8*24*time.Hour))
			next++
		}
		return h.Append(b.Context(), list)
	})
	b.Run("expire-half", func(b *testing.B) {
		start := time.Now()
		n, err := h.Expire(b.Context(), now.Add(84*time.Hour))
		if err != nil {
			b.Fatal(err)
		}
		if n > 0 {
			b.Logf("%d records in %v", n, time.Since(start).Round(time.Millisecond))
		}
		for b.Loop() {
		}
	})
}

// one makes an error of having found nothing.
func one(list []policy.Record, err error) error {
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("nothing found")
	}
	return err
}
