package directory

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestManyPeople: 100,000 people with 300,000 addresses are loaded and put in force in seconds, take a bounded
// memory, and are found in no time.
func TestManyPeople(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const many = 100_000
	var b strings.Builder
	b.WriteString("address,name,aliases,groups,language,delegates\n")
	for i := range many {
		fmt.Fprintf(&b, "person.number%d@example.com,Person Number %d,p%d@example.com; number-%d@example.net,staff; team %d,de,person.number%d@example.com\n", i, i, i, i, i%1000, (i+1)%many)
	}
	s := csvSource(t, b.String())
	b.Reset()
	before := inUse()
	d := New(Options{Dir: t.TempDir(), Keep: true})
	d.Use([]Source{s}, "+")
	begun := time.Now()
	d.Load(t.Context())
	first := time.Since(begun)
	people, addresses := d.Size()
	used := inUse() - before
	if people != many || addresses != 3*many {
		t.Fatalf("%d people with %d addresses: %v", people, addresses, d.States()[0].Err)
	}
	begun = time.Now()
	d.Load(t.Context())
	same := time.Since(begun)
	begun = time.Now()
	for i := range 1000 {
		address := fmt.Sprintf("P%d+x@Example.com", i*97%many)
		if p, ok := d.Who(address); !ok || len(d.Acting(address)) != 2 || !d.Group("staff", address) || !d.Group(p.Groups[1], address) {
			t.Fatalf("%s is %+v, %v", address, p, ok)
		}
	}
	t.Logf("first load %v, one without changes %v, %d MB, four questions %v", first, same, used>>20, time.Since(begun)/1000)
	if used > 256<<20 {
		t.Errorf("%d MB for %d people", used>>20, many)
	}
}

// inUse returns how many bytes of the heap are in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
