package integration

import (
	"context"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
	"github.com/milterscan/milterscan/tests/mta"
	"github.com/milterscan/milterscan/tests/procstat"
	"github.com/milterscan/milterscan/tests/sample"
)

// Thousands of messages of every kind, over connections that come and go, leave
// memory, descriptors and goroutines as they were.
func TestSoak(t *testing.T) {
	needServers(t)
	n, slack := 2000, 16<<10 // a short run may meet the collector at different moments
	if long() {
		n, slack = 20_000, 4<<10
	}
	clamd := servers.StartClamd(t)
	m := servers.StartMilterscan(t, filepath.Join(t.TempDir(), "milter.sock"), asking("unix:"+clamd.Socket, ""))
	load := mta.Load{Network: "unix", Address: m.Socket, Mails: mixture(), Messages: n / 4, Connections: 8, PerConnection: 5}
	load.Run(context.Background()) // so that the first quarter starts warm
	var quarters [4]procstat.Usage
	for i := range quarters {
		quarters[i] = quarter(t, load, m.Pid())
		t.Logf("quarter %d: RSS %d MB, %d descriptors, %d threads", i+1, quarters[i].RSS>>20, quarters[i].Descriptors, quarters[i].Threads)
	}
	first, end := quarters[0], quarters[3]
	wantFlat(t, "RSS in KB", int(first.RSS>>10), int(end.RSS>>10), slack)
	wantFlat(t, "descriptors", first.Descriptors, end.Descriptors, 2)
	wantFlat(t, "goroutines", freshGoroutines(t, clamd), idleGoroutines(t, m), 4)
}

// quarter runs the load beside sessions that are given up half-way, and returns
// what milterscan used on average while it did.
func quarter(t *testing.T, load mta.Load, pid int) procstat.Usage {
	t.Helper()
	hangUps(t, load, 20)
	done := make(chan mta.Outcome)
	go func() { done <- load.Run(context.Background()) }()
	var samples []procstat.Usage
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			samples = append(samples, usage(t, pid))
		case o := <-done:
			if o.Answers[mta.Broken]+o.Answers[mta.Deferred] > 0 || o.Answers[mta.Accepted] == 0 || o.Answers[mta.Refused] == 0 {
				t.Errorf("answers %v; want some accepted, some refused and no other", o.Answers)
			}
			return average(append(samples, usage(t, pid)))
		}
	}
}

func usage(t *testing.T, pid int) procstat.Usage {
	t.Helper()
	u, err := procstat.Read(pid)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func average(samples []procstat.Usage) procstat.Usage {
	var u procstat.Usage
	for _, s := range samples {
		u.RSS += s.RSS
		u.Descriptors += s.Descriptors
		u.Threads += s.Threads
	}
	u.RSS /= int64(len(samples))
	u.Descriptors /= len(samples)
	u.Threads /= len(samples)
	return u
}

// hangUps begins n messages and does not end them.
func hangUps(t *testing.T, load mta.Load, n int) {
	t.Helper()
	for i := range n {
		s, err := mta.Dial(load.Network, load.Address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Begin(load.Mails[i%len(load.Mails)]); err != nil {
			t.Errorf("beginning a message: %v", err)
		}
		if i%2 == 0 {
			s.Abort()
		}
		s.Close()
	}
}

func mixture() []*mta.Message {
	var mails []*mta.Message
	for _, m := range sample.Mixed(100) {
		mails = append(mails, mta.Split(m))
	}
	return mails
}

// wantFlat allows a tenth more, and some slack where numbers are small.
func wantFlat(t *testing.T, what string, first, end, slack int) {
	t.Helper()
	if end > first+first/10+slack {
		t.Errorf("%s: %d at first, %d in the end", what, first, end)
	}
}

var goroutine = regexp.MustCompile(`(?m)^goroutine \d+ `)

// idleGoroutines ends milterscan and counts the goroutines it had.
func idleGoroutines(t *testing.T, m *servers.Milterscan) int {
	t.Helper()
	m.Dump()
	n := len(goroutine.FindAllString(m.Output(), -1))
	if n == 0 {
		t.Fatal("milterscan ended without listing its goroutines")
	}
	t.Logf("%d goroutines", n)
	return n
}

// freshGoroutines is what a milterscan has that was asked nothing yet.
func freshGoroutines(t *testing.T, clamd *servers.Clamd) int {
	t.Helper()
	m := servers.StartMilterscan(t, filepath.Join(t.TempDir(), "milter.sock"), asking("unix:"+clamd.Socket, ""))
	m.Says(t, `"msg":"ready"`) // it listens before it has begun all that it does besides
	return idleGoroutines(t, m)
}
