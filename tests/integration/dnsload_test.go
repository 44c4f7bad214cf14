package integration

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/milterscan/milterscan/tests/integration/servers"
)

// manyLists are twenty lists, one of which never answers and one of which takes
// its time.
func manyLists(zones map[string]string) string {
	config := ""
	for i := range 20 {
		name := fmt.Sprintf("list%d", i)
		switch i {
		case 7:
			name = "silent"
		case 13:
			name = "slow"
		}
		zones[name+".test"] = "2.0.0.127 A 127.0.0.2\n66.2.0.192 A 127.0.0.2\n"
		config += list(name, name+".test", "client", 1)
	}
	return config
}

// Twenty lists, one dead and one slow: mail waits as long as the slow one takes,
// and once that is in the cache, for nobody.
func TestTwentyLists(t *testing.T) {
	needServers(t)
	z := zones()
	config := manyLists(z)
	dns := servers.StartMoody(t, servers.Moods{Silent: "silent.test", Slow: "slow.test", Late: 200 * time.Millisecond}, servers.StartKnot(t, z).Addr)
	for _, test := range []struct{ name, config string }{{"no lists", ""}, {"twenty lists", resolving(dns.Addr) + config}} {
		h := newHouse(t, test.config, open)
		var took []time.Duration
		for i := range 100 {
			session := h.as(t, fmt.Sprintf("ADDR=192.0.2.%d", i+100))
			begun := time.Now()
			wantReply(t, "clean mail", session.Send(clean("x")), 250)
			took = append(took, time.Since(begun))
			session.Quit()
		}
		slices.Sort(took)
		t.Logf("%s, each mail from another client: p50 %v, p99 %v, the longest %v", test.name, took[50], took[98], took[99])
	}
}
