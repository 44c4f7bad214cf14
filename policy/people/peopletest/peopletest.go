// Package peopletest has what every store of what people settle promises, as a test.
package peopletest

import (
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/people"
)

// Opener returns a store that is empty, as two processes have it, such as two hosts.
type Opener func(t *testing.T) (here, there *people.Store)

// Run tests the stores that open returns. later has what was claimed be claimed longer ago, in stores that have a clock of their own; it is
// nil for those that go by the clock of the caller.
func Run(t *testing.T, open Opener, later func(*testing.T, time.Duration)) {
	if later == nil {
		later = func(*testing.T, time.Duration) {}
	}
	for _, c := range []struct {
		name string
		test func(*testing.T, pair)
	}{
		{"links", useOnce}, {"used links", usedLinksAreForgotten},
		{"lists", lists}, {"changes", changes}, {"changes at once", changesAtOnce}, {"expiry", expireEntries},
		{"imports", importStops},
		{"settings", settings}, {"settings at once", settingsAtOnce}, {"several", several}, {"delegates", delegates},
		{"delegates at once", delegatesAtOnce}, {"limits", limits},
		{"requests", requests}, {"answers", oneAnswer}, {"limits of appeals", appealLimits},
		{"appeals to several", appealsOfSeveral},
		{"appeals at once", appealsAtOnce},
		{"claims", claimDigest}, {"failures", digestsThatFail}, {"rounds", digestRounds},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, there := open(t)
			c.test(t, pair{here, there, later})
		})
	}
}

// pair is a store as two processes have it.
type pair struct {
	here, there *people.Store
	later       func(*testing.T, time.Duration)
}

func (p pair) both() []*people.Store { return []*people.Store{p.here, p.there} }

// root may make anything.
var root = people.Maker{Name: "root", Level: people.OfHost, Terms: people.DefaultTerms()}
