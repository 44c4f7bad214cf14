//go:build linux

package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/units"
)

// TestCounts tells apart what ends children, and counts none that is well.
func TestCounts(t *testing.T) {
	enough := errors.New("enough")
	for _, c := range []struct {
		act    string
		change func(*Config)
		wall   time.Duration // of a child that has started
		visit  error
		want   map[Reason]int
	}{
		{act: "proper", want: nil},
		{act: "spins", want: map[Reason]int{OutOfCPU: 1}},
		{act: "hangs", wall: 200 * time.Millisecond, want: map[Reason]int{OutOfTime: 1}},
		{act: "out of memory", change: func(c *Config) { c.Memory = 64 * units.MB }, want: map[Reason]int{OutOfMemory: 1}},
		{act: "out of memory", change: func(c *Config) { c.Memory = 1 << 60 }, want: map[Reason]int{OfHost: mostChildren}},
		{act: "killed once", want: map[Reason]int{OfHost: 1}},
		{act: "dies", want: map[Reason]int{Crashed: 1}},
		{act: "garbage", want: map[Reason]int{Crashed: 1}},
		{act: "endless members", want: map[Reason]int{Stopped: 1}},
		{act: "proper", visit: enough, want: map[Reason]int{Stopped: 1}},
		{act: "mute", change: func(c *Config) { c.Wall = 200 * time.Millisecond }, want: nil}, // which does not start
	} {
		t.Run(c.act, func(t *testing.T) {
			cfg := testConfig(t, c.act)
			cfg.Env = append(cfg.Env, livesVariable+"="+filepath.Join(t.TempDir(), "lives"))
			if c.change != nil {
				c.change(&cfg)
			}
			pool := newTestPool(t, cfg)
			if c.wall > 0 {
				if _, err := pool.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				pool.cfg.Wall = c.wall
			}
			data := sampleFile(t, "eicar.com.xz")
			f := pool.Format(formatOf(t, data))
			f.Walk(t.Context(), bytes.NewReader(data), archive.NewBudget(testLimits), func(_ archive.Member, body io.Reader) error {
				if body != nil {
					io.Copy(io.Discard, body)
				}
				return c.visit
			})
			got := pool.Counts()
			total := 0
			for r, n := range got.Ended {
				total += n
				if !slices.Contains(Reasons(), r) {
					t.Errorf("%q is not on the list of reasons", r)
				}
			}
			if fmt.Sprint(got.Ended) != fmt.Sprint(c.want) || got.Busy != 0 || got.Waiting != 0 || got.Started < int64(total) {
				t.Errorf("%+v, want %v", got, c.want)
			}
		})
	}
}

// TestBusyCounts counts a child while it reads.
func TestBusyCounts(t *testing.T) {
	pool := newTestPool(t, testConfig(t, "proper"))
	data := sampleFile(t, "lzma2.7z")
	f := pool.Format(formatOf(t, data))
	var within Counts
	f.Walk(t.Context(), bytes.NewReader(data), archive.NewBudget(testLimits), func(archive.Member, io.Reader) error {
		within = pool.Counts()
		return nil
	})
	if within.Busy != 1 || within.Started < 1 || within.Most != pool.cfg.Most {
		t.Errorf("%+v", within)
	}
	if after := pool.Counts(); after.Busy != 0 || after.Idle < 1 {
		t.Errorf("%+v", after)
	}
}
