package virus

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/tests/fakes"
)

// heard is how often the fake was asked about text.
func heard(f *fakes.Clamd, text string) int {
	n := 0
	for _, b := range f.Got() {
		if string(b) == text {
			n++
		}
	}
	return n
}

func TestMemoryRemembersClean(t *testing.T) {
	fake := &fakes.Clamd{Virus: "evil"}
	e := engine(t, fake.Start(t, "unix"))
	for i := range 3 {
		found, err := e.Scan(context.Background(), two(fmt.Sprint("text ", i), "attachment"))
		if err != nil || len(found) != 0 {
			t.Fatalf("found %v, error %v", found, err)
		}
		found, err = e.Scan(context.Background(), two(fmt.Sprint("text ", i), "evil"))
		if err != nil || len(found) != 1 {
			t.Fatalf("found %v, error %v", found, err)
		}
	}
	if n := heard(fake, "attachment"); n != 1 {
		t.Errorf("asked %d times about a clean attachment, want 1", n)
	}
	if n := heard(fake, "evil"); n != 3 {
		t.Errorf("asked %d times about an infected attachment, want 3", n)
	}
}

func TestMemoryEndsWithDatabase(t *testing.T) {
	fake := &fakes.Clamd{}
	e := engine(t, fake.Start(t, "unix"))
	for range 2 {
		if _, err := e.Scan(context.Background(), two("text", "attachment")); err != nil {
			t.Fatal(err)
		}
		fake.NewDatabase()
		e.servers[0].memory.asked = time.Time{} // as if time had passed
	}
	if n := heard(fake, "attachment"); n != 2 {
		t.Errorf("asked %d times, want 2: once with each database", n)
	}
}

// TestMemoryDatabaseChangesMeanwhile: what was sent to one database says nothing
// about the next.
func TestMemoryDatabaseChangesMeanwhile(t *testing.T) {
	m := memory{known: "new"}
	j := &Question{done: true, sum: sum{1}}
	m.keep("old", []*Question{j})
	m.keep("", []*Question{j})
	if m.holds(j.sum) {
		t.Error("a verdict of the old database is remembered")
	}
}

// TestMemoryOutlivesNoDatabase: a signature that does not show in what the server says
// of itself is met by the next message once databaseAge is over.
func TestMemoryOutlivesNoDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memory{known: "db"}
		m.keep("db", []*Question{{done: true, sum: sum{1}}})
		for past := time.Duration(0); past < 2*databaseAge; past += databaseAge / 10 {
			q := &Question{sum: sum{1}}
			if m.recall("db", []*Question{q}); q.done && past >= databaseAge {
				t.Errorf("remembered after %v", past)
			}
			time.Sleep(databaseAge / 10)
		}
	})
}

func TestMemoryForgets(t *testing.T) {
	now := time.Now()
	m := memory{known: "db"}
	m.turn(now)
	m.young[sum{1}] = struct{}{}
	m.turn(now.Add(memoryAge / 2))
	if !m.holds(sum{1}) {
		t.Error("forgotten too early")
	}
	m.turn(now.Add(memoryAge))
	if m.holds(sum{1}) {
		t.Error("remembered too long")
	}
	m.turn(now)
	m.young[sum{2}] = struct{}{}
	m.turn(now.Add(2 * memoryAge))
	if m.holds(sum{2}) {
		t.Error("remembered across a long silence")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := memory{known: "db"}
	for i := range 3 * memorySize {
		m.keep("db", []*Question{{done: true, sum: sum{byte(i), byte(i >> 8), byte(i >> 16), 1}}})
	}
	if n := len(m.young) + len(m.previous); n > memorySize {
		t.Errorf("%d contents remembered, want at most %d", n, memorySize)
	}
}

// TestMemorySkipsUnknownDatabase: a server that does not tell its database is
// asked every time.
func TestMemoryUnknownDatabase(t *testing.T) {
	for name, h := range map[string]Health{
		"nothing":       {},
		"no stats":      {Version: "ClamAV 1"},
		"no pools":      {Version: "ClamAV 1", Stats: "MEMSTATS: pools 0"},
		"being changed": {Version: "ClamAV 1", Stats: "MEMSTATS: pools 2 pools_used 1.000M"},
	} {
		if d := clamdDatabase(h); d != "" {
			t.Errorf("%s: database %q", name, d)
		}
	}
	a := clamdDatabase(Health{Version: "ClamAV 1", Stats: "heap N/A pools 1 pools_used 2.458M pools_total 2.464M"})
	b := clamdDatabase(Health{Version: "ClamAV 1", Stats: "heap N/A pools 1 pools_used 2.459M pools_total 2.464M"})
	c := clamdDatabase(Health{Version: "ClamAV 1", Stats: "heap N/A pools 1 pools_used 2.458M pools_total 2.465M"})
	if a == "" || a == b || a == c {
		t.Errorf("databases %q and %q", a, b)
	}
}

func TestRepeatedPartsAreOneQuestion(t *testing.T) {
	fake := &fakes.Clamd{Virus: "evil"}
	e := engine(t, fake.Start(t, "tcp"))
	m := two("evil", "evil")
	found, err := e.Scan(context.Background(), m)
	var parts []int
	for _, f := range found {
		parts = append(parts, f.Part)
	}
	slices.Sort(parts)
	if err != nil || !slices.Equal(parts, []int{-1, 0, 1}) || heard(fake, "evil") != 1 {
		t.Errorf("found %v, error %v, asked %d times", found, err, heard(fake, "evil"))
	}
}

func TestHealth(t *testing.T) {
	networks(t, func(t *testing.T, network string) {
		fake := &fakes.Clamd{}
		e := engine(t, fake.Start(t, network), "unix:/nowhere/clamd.sock")
		all, err := e.Health(context.Background())
		if len(all) != 1 || all[0].Version == "" || all[0].Database == "" || err == nil {
			t.Errorf("health %+v, error %v; want one answer and one error", all, err)
		}
	})
}
