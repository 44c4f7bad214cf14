package doctor

import (
	"strings"

	"github.com/milterscan/milterscan/policy/keep/fleet"
)

// seatFindings tells where the servers stand that the URL names, if there are several: one should be written to, and
// the others follow it.
func seatFindings(servers []fleet.Server) (found []Finding) {
	if len(servers) < 2 {
		return nil
	}
	var primaries []string
	systems := map[string]bool{}
	for _, s := range servers {
		switch {
		case s.Err != nil:
			found = append(found, advice("start it as a standby, or take it out of store.url", "server %s does not answer: %v", s.Place, s.Err))
			continue
		case s.Old:
			found = append(found, fault("stop it, and make it a standby of the other one by pg_rewind or pg_basebackup; what it has that the "+
				"other one has not was written by hosts that could not reach that",
				"server %s is an old primary, in whose place another one was promoted; it can be written to, and milterscan does not", s.Place))
		case s.Writable:
			primaries = append(primaries, s.Place)
		default:
			found = append(found, ok("server %s is a standby", s.Place))
		}
		if s.System != "" {
			systems[s.System] = true
		}
	}
	if len(systems) > 1 {
		found = append(found, fault("name servers in store.url of which one was made from the other",
			"the servers of store.url are no copies of each other"))
	}
	if len(primaries) > 1 {
		return append(found, fault("stop all but one at once, and make them standbys of that one; hosts may write to different ones",
			"%d servers can be written to, and which was promoted last is not known: %s", len(primaries), strings.Join(primaries, ", ")))
	}
	for _, place := range primaries {
		found = append(found, ok("server %s is the primary", place))
	}
	return found
}

// local are values of synchronous_commit with which a commit waits for no standby.
var local = map[string]bool{"off": true, "local": true}

// standbyFindings tells whether what was confirmed is on a standby as well.
func standbyFindings(f fleet.Facts) []Finding {
	const fix = "synchronous_standby_names = 'ANY 1 (*)' in postgresql.conf of the primary, synchronous_commit = on, and reload it"
	alone := f.Awaited == "" || local[f.Settings.SynchronousCommit]
	switch {
	case alone && f.Standbys == 0 && len(f.Servers) < 2:
		return nil
	case alone:
		return []Finding{advice(fix, "no commit waits for a standby: mail that was kept in the last moment before a failover may be gone after it")}
	case f.Standbys == 0:
		return []Finding{fault("start a standby, or take synchronous_standby_names back",
			"commits wait for the standbys %q, and none is connected: nothing can be kept", f.Awaited)}
	}
	return []Finding{ok("commits wait for a standby (%s); %d are connected", f.Awaited, f.Standbys)}
}
