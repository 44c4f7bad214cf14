package dnslist

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/sender/dns"
)

// slowly is a resolver that takes a second for each answer.
type slowly struct{ dns.Resolver }

func (s slowly) Lookup(ctx context.Context, name string, t dns.Type) ([]dns.Record, error) {
	time.Sleep(time.Second)
	return s.Resolver.Lookup(ctx, name, t)
}

// TestHeard tells of every question, and how long it took.
func TestHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zone := healthy("bl.test", "other.test", "odd.test")
		zone["66.2.0.192.bl.test"] = []string{"127.0.0.2"}
		zone["66.2.0.192.odd.test"] = []string{"198.51.100.1"}
		s := scanner(slowly{zone}, listing("bl", Client), listing("other", Client), listing("odd", Client), listing("rhs", Sender))
		var mu sync.Mutex
		var heard []string
		for _, l := range s.lists {
			l.tell = func(h Heard) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, fmt.Sprint(h.List, " ", h.Result, " ", h.Took))
			}
		}
		ask := func() string {
			heard = nil
			s.ScanEnvelope(t.Context(), scan.StageMail, from("192.0.2.66"))
			synctest.Wait()
			slices.Sort(heard)
			return strings.Join(heard, ", ")
		}
		if got := ask(); got != "bl listed 1s, odd failed 1s, other not_listed 1s, rhs not_listed 1s" {
			t.Error(got)
		}
		if got := ask(); got != "bl listed 1s, odd off 0s, other not_listed 1s, rhs not_listed 1s" {
			t.Error(got)
		}
	})
}
