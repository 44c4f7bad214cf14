package doctor

import (
	"errors"
	"strings"
	"testing"

	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// TestSeats finds servers that are not where they should be.
func TestSeats(t *testing.T) {
	server := func(place string, writable, old bool, system string) fleet.Server {
		return fleet.Server{Standing: postgres.Standing{Place: place, Writable: writable, System: system}, Old: old}
	}
	primary, standby := server("a", true, false, "1"), server("b", false, false, "1")
	silent := fleet.Server{Standing: postgres.Standing{Place: "c", Err: errors.New("refused")}}
	for name, test := range map[string]struct {
		servers []fleet.Server
		want    []string // levels and beginnings
	}{
		"one":             {[]fleet.Server{primary}, nil},
		"as it should be": {[]fleet.Server{primary, standby}, []string{"ok server b is a standby", "ok server a is the primary"}},
		"one is down":     {[]fleet.Server{primary, silent}, []string{"advice server c does not answer: refused", "ok server a is the primary"}},
		"an old primary":  {[]fleet.Server{server("b", true, true, "1"), primary}, []string{"FAULT server b is an old primary", "ok server a is the primary"}},
		"two primaries":   {[]fleet.Server{primary, server("b", true, false, "1")}, []string{"FAULT 2 servers can be written to, and which was promoted last is not known: a, b"}},
		"no copies":       {[]fleet.Server{primary, server("b", false, false, "2")}, []string{"ok server b is a standby", "FAULT the servers of store.url are no copies", "ok server a"}},
		"of others":       {[]fleet.Server{server("a", true, false, ""), server("b", false, false, "")}, []string{"ok server b is a standby", "ok server a"}},
	} {
		compareFindings(t, name, seatFindings(test.servers), test.want)
	}
}

// TestStandbys finds commits that wait for no standby, or for one that is not there.
func TestStandbys(t *testing.T) {
	two := make([]fleet.Server, 2)
	facts := func(servers []fleet.Server, standbys int, awaited, commit string) fleet.Facts {
		return fleet.Facts{Servers: servers, Standbys: standbys, Awaited: awaited, Settings: fleet.Settings{SynchronousCommit: commit}}
	}
	for name, test := range map[string]struct {
		facts fleet.Facts
		want  []string
	}{
		"no standby":           {facts(nil, 0, "", "on"), nil},
		"not waited for":       {facts(nil, 1, "", "on"), []string{"advice no commit waits for a standby"}},
		"named alone":          {facts(two, 0, "", "on"), []string{"advice no commit waits"}},
		"waited for":           {facts(two, 1, "ANY 1 (*)", "on"), []string{"ok commits wait for a standby (ANY 1 (*)); 1 are connected"}},
		"waited for, locally":  {facts(two, 1, "ANY 1 (*)", "local"), []string{"advice no commit waits"}},
		"waited for, not here": {facts(two, 0, "ANY 1 (*)", "on"), []string{"FAULT commits wait for the standbys \"ANY 1 (*)\", and none is connected"}},
	} {
		compareFindings(t, name, standbyFindings(test.facts), test.want)
	}
}

// compareFindings compares findings with levels and beginnings.
func compareFindings(t *testing.T, name string, found []Finding, want []string) {
	t.Helper()
	var got []string
	for _, f := range found {
		got = append(got, f.Level.String()+" "+f.What)
	}
	if len(got) != len(want) {
		t.Errorf("%s: %q; want %q", name, got, want)
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%s: %q; want %q", name, got[i], want[i])
		}
	}
}
