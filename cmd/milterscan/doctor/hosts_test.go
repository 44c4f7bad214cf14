package doctor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/fleet"
)

// TestCompareHosts finds what hosts of a fleet do not have alike.
func TestCompareHosts(t *testing.T) {
	now := time.Now()
	host := func(name string, change func(*fleet.Host)) fleet.Host {
		h := fleet.Host{Name: name, Version: "1.0", Config: "abc", Started: now, Facts: map[string]string{"key of links": "11", fleet.Signatures + "clamd": now.Format(time.RFC3339)}}
		if change != nil {
			change(&h)
		}
		return h
	}
	for name, test := range map[string]struct {
		second func(*fleet.Host)
		want   []string // levels and beginnings of what is not well
	}{
		"alike":               {nil, nil},
		"silent":              {func(h *fleet.Host) { h.Ago, h.Version = time.Hour, "0.9" }, []string{"advice mx2: it has said nothing for 1h0m0s"}},
		"another version":     {func(h *fleet.Host) { h.Version = "1.1" }, []string{"advice the hosts run different versions: 1.0 (mx1), 1.1 (mx2)"}},
		"another file":        {func(h *fleet.Host) { h.Config = "abd" }, []string{"advice the hosts have different configurations"}},
		"another key":         {func(h *fleet.Host) { h.Facts["key of links"] = "12" }, []string{"FAULT key of links: the hosts do not have the same: 11 (mx1), 12 (mx2)"}},
		"no key":              {func(h *fleet.Host) { delete(h.Facts, "key of links") }, []string{"FAULT key of links: the hosts do not have the same: none (mx2), 11 (mx1)"}},
		"signatures of today": {func(h *fleet.Host) { h.Facts[fleet.Signatures+"clamd"] = now.Add(-time.Hour).Format(time.RFC3339) }, nil},
		"old signatures":      {func(h *fleet.Host) { h.Facts[fleet.Signatures+"clamd"] = now.Add(-30 * time.Hour).Format(time.RFC3339) }, []string{"advice signatures of clamd differ"}},
		"an engine is down":   {func(h *fleet.Host) { h.Facts[fleet.Signatures+"clamd"] = fleet.NoAnswer }, []string{"advice signatures of clamd differ"}},
		"a clock":             {func(h *fleet.Host) { h.Drift = -10 * time.Minute }, []string{"FAULT mx2: milterscan 1.0"}},
		"behind":              {func(h *fleet.Host) { h.Behind = map[string]int64{fleet.KeptMessages: 3} }, []string{"advice mx2: milterscan 1.0"}},
		"not behind":          {func(h *fleet.Host) { h.Behind = map[string]int64{fleet.KeptMessages: 0} }, nil},
		"a slow clock":        {func(h *fleet.Host) { h.Drift = 3 * time.Second }, []string{"advice mx2: milterscan 1.0"}},
	} {
		var got []string
		for _, f := range compareHosts([]fleet.Host{host("mx1", nil), host("mx2", test.second)}, "mx1", 2) {
			if f.Level != OK {
				got = append(got, fmt.Sprint(f.Level, " ", f.What))
			}
		}
		good := len(got) == len(test.want)
		for i := range got {
			good = good && strings.HasPrefix(got[i], test.want[i])
		}
		if !good {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	found := compareHosts([]fleet.Host{host("mx1", nil), host("mx2", nil), host("mx3", nil)}, "mx4", 2)
	if last := found[len(found)-1]; len(found) != 5 || !strings.Contains(last.What, "3 hosts share the database, and store.hosts is 2") || !strings.Contains(found[3].What, "mx4, has not spoken") {
		t.Errorf("%v", found)
	}
}
