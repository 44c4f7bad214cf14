package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/keep/fleet"
)

// Fleet is the check that compares the hosts that share a database.
const Fleet = "fleet"

// fleet compares what the hosts last said about themselves.
func (p *Installation) fleet(ctx context.Context) []Finding {
	state := p.Config.Fleet()
	if state == nil {
		return nil
	}
	defer state.Close()
	if state.Check(ctx) != nil {
		return nil // the check of the database says so
	}
	ctx, cancel := context.WithTimeout(ctx, talkTime)
	defer cancel()
	hosts, err := state.Hosts(ctx)
	if err != nil {
		return []Finding{fault("", "what the hosts say cannot be read: %v", err)}
	}
	return compareHosts(hosts, p.Config.Store.Host(), p.Config.Store.Hosts)
}

// The longest time for a host to be silent, and for its signatures to be older than those of another host.
const (
	silence = 6 * fleet.Every
	behind  = 24 * time.Hour
)

// compareHosts finds hosts that are silent, that have a wrong clock, or that differ from the others. self is
// this host, and expected is how many there should be.
func compareHosts(hosts []fleet.Host, self string, expected int) (found []Finding) {
	var live []fleet.Host
	for _, h := range hosts {
		found = append(found, hostFinding(h))
		if h.Ago <= silence {
			live = append(live, h)
		}
	}
	if !slices.ContainsFunc(live, func(h fleet.Host) bool { return h.Name == self }) {
		found = append(found, advice("start the daemon of this host, or reload it if it was started "+
			"before [store] was written", "this host, %s, has not spoken", self))
	}
	if len(live) > expected {
		found = append(found, advice(fmt.Sprintf("hosts = %d in [store] on all hosts, and restart them", len(live)),
			"%d hosts share the database, and store.hosts is %d: "+
				"while it is away more gets through than the limits of [rate] say", len(live), expected))
	}
	if len(live) > 1 {
		found = append(found, differences(live)...)
	}
	return found
}

// hostFinding describes one host.
func hostFinding(h fleet.Host) Finding {
	what := fmt.Sprintf("%s: milterscan %s, configuration %s, up for %v", h.Name, h.Version, h.Config,
		time.Since(h.Started).Round(time.Minute))
	switch {
	case h.Ago > silence:
		return advice("start its daemon; a host that is no more: milterscan doctor --forget "+h.Name,
			"%s: it has said nothing for %v", h.Name, h.Ago.Round(time.Second))
	case h.Drift.Abs() > wrong:
		return fault("set its clock by NTP", "%s; its clock differs by %v from that of the database", what, h.Drift)
	case h.Drift.Abs() > drifts:
		return advice("set its clock by NTP", "%s; its clock differs by %v from that of the database", what, h.Drift)
	}
	if late := lateness(h); late != "" {
		return advice("it writes that by itself while it can use the database; its log says why if it does not",
			"%s; it has yet to write into the database: %s", what, late)
	}
	return ok("%s", what)
}

// lateness lists what a host has yet to write, as "3 kept messages".
func lateness(h fleet.Host) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(h.Behind)) {
		if n := h.Behind[name]; n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, name))
		}
	}
	return strings.Join(list, ", ")
}

// differences compares the hosts that speak with each other.
func differences(hosts []fleet.Host) (found []Finding) {
	for _, d := range []struct {
		what, fix string
		of        func(fleet.Host) string
	}{
		{"run different versions", "update the others", func(h fleet.Host) string { return h.Version }},
		{"have different configurations", "distribute the files again, and reload",
			func(h fleet.Host) string { return h.Config }},
	} {
		if groups := groupBy(hosts, d.of); len(groups) > 1 {
			found = append(found, advice(d.fix, "the hosts %s: %s", d.what, listed(groups)))
		}
	}
	names := map[string]bool{}
	for _, h := range hosts {
		for name := range h.Facts {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		of := func(h fleet.Host) string { return h.Facts[name] }
		groups := groupBy(hosts, of)
		switch signatures := strings.HasPrefix(name, fleet.Signatures); {
		case len(groups) < 2 || signatures && !apart(groups):
		case signatures:
			found = append(found, advice("see why the signatures of the others are not renewed",
				"%s differ: %s", name, listed(groups)))
		default:
			found = append(found, fault("copy the file to the others, with its mode and owner, and restart them",
				"%s: the hosts do not have the same: %s", name, listed(groups)))
		}
	}
	return found
}

// groupBy returns the names of hosts by one of their values.
func groupBy(hosts []fleet.Host, of func(fleet.Host) string) map[string][]string {
	groups := map[string][]string{}
	for _, h := range hosts {
		groups[of(h)] = append(groups[of(h)], h.Name)
	}
	return groups
}

// listed writes groups as "1.2 (mx1, mx2), 1.3 (mx3)".
func listed(groups map[string][]string) string {
	var all []string
	for _, value := range slices.Sorted(maps.Keys(groups)) {
		shown := value
		if shown == "" {
			shown = "none"
		}
		all = append(all, fmt.Sprintf("%s (%s)", shown, strings.Join(groups[value], ", ")))
	}
	return strings.Join(all, ", ")
}

// apart reports whether signatures differ by more than the hours at which hosts fetch them explain.
func apart(groups map[string][]string) bool {
	var first, last time.Time
	for value := range groups {
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return true // an engine that does not answer, or is not there
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return last.Sub(first) > behind
}
