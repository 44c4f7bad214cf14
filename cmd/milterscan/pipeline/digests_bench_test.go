package pipeline

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/store"
	"github.com/milterscan/milterscan/policy/people/digest"
	"github.com/milterscan/milterscan/policy/tell/submission"
	"github.com/milterscan/milterscan/scan"
)

// counter is an MTA that takes everything at once.
type counter struct{ n, bytes atomic.Int64 }

func (c *counter) Send(_ context.Context, m submission.Mail) error {
	n, err := io.Copy(io.Discard, m.Message)
	c.n.Add(1)
	c.bytes.Add(n)
	return err
}

// The quarantine of the benchmark; with -short it has a tenth of it.
const (
	benchPeople   = 10_000
	benchMessages = 1_000_000
	benchPerDay   = 33_000
)

// fillIndex has the index of a quarantine know messages without files, most of them older than a day, and one
// person who has as much new mail as many others.
func fillIndex(b *testing.B, c *config.Config, now time.Time, messages, perDay, people int) {
	b.Helper()
	x := store.NewIndex(filepath.Join(c.Quarantine.Dir, quarantine.IndexFile), func(err error) { b.Error(err) })
	defer x.Close()
	rows := make([]quarantine.Row, 0, messages)
	for i := range messages {
		at := now.Add(-time.Duration(i) * 24 * time.Hour / time.Duration(perDay)).Add(-6 * time.Hour)
		to := fmt.Sprintf("u%d@example.com", i%people)
		rows = append(rows, quarantine.Row{ID: fmt.Sprintf("06h08c%010d", i), Time: at, KeptAt: at, Class: "suspicious", State: quarantine.Kept, Action: "quarantine",
			Sender: "eve@example.net", From: "Eve <eve@example.net>", Subject: "you have won a prize, number " + to, Reason: "spam/score", Recipients: []string{to}, Waiting: []string{to}, Size: 4711})
	}
	if err := x.Replace(b.Context(), rows, now); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDigests sends digests to 10,000 people out of a quarantine with 1,000,000 messages, of which 33,000 are of
// the last day: -benchtime 1x is enough. The MTA costs nothing.
func BenchmarkDigests(b *testing.B) {
	messages, perDay, people := benchMessages, benchPerDay, benchPeople
	if testing.Short() {
		messages, perDay, people = messages/10, perDay/10, people/10
	}
	for range b.N {
		d, c, t, now := crowded(b, messages, perDay, people)
		mta := t.Sender.(*counter)
		runtime.GC()
		peak, stop := watchHeap()
		b.ResetTimer()
		begun := time.Now()
		o, err := d.Post(c).Round(b.Context(), t, now)
		took := time.Since(begun)
		b.StopTimer()
		stop()
		if err != nil || o.Sent < people*9/10 {
			b.Fatalf("%+v, %v", o, err)
		}
		b.ReportMetric(float64(o.Sent)/took.Seconds(), "digests/s")
		b.ReportMetric(float64(peak.Load())/(1<<20), "MB-heap")
		b.ReportMetric(float64(mta.bytes.Load())/float64(o.Sent), "B/digest")
	}
}

// crowded returns what digests are sent with, when they are due, out of a quarantine that is full.
func crowded(b *testing.B, messages, perDay, people int) (*Digests, *config.Config, digest.Terms, time.Time) {
	b.Helper()
	d, c := digestsOf(b, "127.0.0.1:1")
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	if _, err := d.Round(b.Context(), c, now.Add(-12*time.Hour)); err != nil {
		b.Fatal(err)
	}
	mustKeep(b, d, c, now)
	fillIndex(b, c, now, messages, perDay, people)
	t, err := d.Terms(c)
	if err != nil {
		b.Fatal(err)
	}
	t.Sender = &counter{}
	return d, c, t, now
}

// BenchmarkMailBesideDigests judges a small mail again and again, first alone and then while digests are sent as
// BenchmarkDigests does, and reports how long it took in both.
func BenchmarkMailBesideDigests(b *testing.B) {
	messages, perDay, people := benchMessages, benchPerDay, benchPeople
	if testing.Short() {
		messages, perDay, people = messages/10, perDay/10, people/10
	}
	for range b.N {
		d, c, t, now := crowded(b, messages, perDay, people)
		p, err := New(c)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		alone := judging(b, p, func(n int) bool { return n >= 2000 })
		done := make(chan error, 1)
		go func() {
			_, err := d.Post(c).Round(b.Context(), t, now)
			done <- err
		}()
		var sent error
		beside := judging(b, p, func(int) bool {
			select {
			case sent = <-done:
				return true
			default:
				return false
			}
		})
		p.Close()
		if sent != nil {
			b.Fatal(sent)
		}
		for name, list := range map[string][]time.Duration{"alone": alone, "beside": beside} {
			b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, "ms-p50-"+name)
			b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, "ms-p99-"+name)
		}
	}
}

// judging judges a small mail until enough says so, a little apart, and returns how long each took, sorted.
func judging(b *testing.B, p *Pipeline, enough func(n int) bool) (took []time.Duration) {
	b.Helper()
	mail := "From: a@example.org\r\nTo: u1@example.com\r\nSubject: hello\r\n\r\n" + strings.Repeat("Nothing is wrong with this line.\r\n", 150)
	env := scan.Envelope{Sender: "a@example.org", Recipients: []string{"u1@example.com"}, Received: time.Now()}
	for n := 0; !enough(n); n++ {
		begun := time.Now()
		r, err := p.ScanReader(b.Context(), strings.NewReader(mail), env)
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
		took = append(took, time.Since(begun))
		time.Sleep(2 * time.Millisecond)
	}
	slices.Sort(took)
	return took
}

// mustKeep makes the directory of the quarantine.
func mustKeep(b *testing.B, d *Digests, c *config.Config, now time.Time) {
	b.Helper()
	keptAt(b, d.stores.Quarantine(c), 1, now.Add(-100*24*time.Hour), "x@elsewhere.example")
	d.stores.Close()
}

// watchHeap looks how large the heap gets until it is stopped.
func watchHeap() (peak *atomic.Int64, stop func()) {
	peak = &atomic.Int64{}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		clock := time.NewTicker(20 * time.Millisecond)
		defer clock.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), int64(m.HeapInuse)))
			select {
			case <-ended:
				return
			case <-clock.C:
			}
		}
	}()
	return peak, func() { close(ended); <-done }
}
