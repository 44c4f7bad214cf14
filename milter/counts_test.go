package milter

import (
	"strings"
	"testing"
)

// TestCounts counts connections that have a place, wait for one and go without, and a
// message that is judged.
func TestCounts(t *testing.T) {
	j, judged, letGo := held()
	f := start(t, j, Options{MaxConnections: 1})
	if c := f.Counts(); c != (Counts{Most: 1}) {
		t.Errorf("before any: %+v", c)
	}
	first := f.raw(t)
	first.negotiate(6, allActions, allProtocol)
	first.put(strings.Join(wire(), ""))
	<-judged
	second := f.raw(t)
	second.send(cmdNegotiate, offerOf(6, allActions, allProtocol))
	f.waitFor(t, "all connections are in use; more must wait")
	if c := f.Counts(); c != (Counts{Open: 1, Waiting: 1, Most: 1, InFlight: 1, Accepted: 2}) {
		t.Errorf("with a message: %+v", c)
	}
	third := f.raw(t) // as many may wait as may be open: of two, the older must go
	third.send(cmdNegotiate, offerOf(6, allActions, allProtocol))
	second.closed()
	if c := f.Counts(); c != (Counts{Open: 1, Waiting: 1, Most: 1, InFlight: 1, Accepted: 3, TurnedAway: 1}) {
		t.Errorf("with three: %+v", c)
	}
	close(letGo)
	first.answer()
	first.Close()
	if a := third.reply(); a.code != cmdNegotiate {
		t.Errorf("%v", a)
	}
	if c := f.Counts(); c.Open != 1 || c.Waiting != 0 || c.InFlight != 0 {
		t.Errorf("after it: %+v", c)
	}
}
