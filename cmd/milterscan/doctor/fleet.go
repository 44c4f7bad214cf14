package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/fleet"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// Database is the check of the database that hosts share.
const Database = "shared database"

// shared looks at the database in which hosts share what they keep.
func (p *Installation) shared(ctx context.Context) []Finding {
	c := p.Config.Store
	found := p.spared()
	state := p.Config.Fleet()
	if state == nil {
		return found
	}
	defer state.Close()
	found = append(found, p.secret("store.password_file", c.PasswordFile)...)
	f, err := state.Examine(ctx)
	found = append(found, seatFindings(f.Servers)...)
	if errors.Is(err, fleet.ErrOld) {
		return append(found, fault("start the server that was promoted; docs/hosts.md, \"Standbys and failover\", says what to do "+
			"if there is none any more", "%v", err))
	}
	if err != nil {
		return append(found, fault("start it, or correct [store]; docs/hosts.md says how to set it up", "%v", err))
	}
	found = append(found, p.bucket(ctx)...)
	found = append(found, layoutFinding(f))
	found = append(found, serverFindings(f)...)
	found = append(found, standbyFindings(f)...)
	return append(found, connectionFindings(f, c.Hosts, fleet.Options{Connections: c.Connections}.Most())...)
}

// spared tells how many messages this host has kept that are not in the database yet.
func (p *Installation) spared() []Finding {
	dir := p.Config.Quarantine.Spare()
	list, err := quarantine.NewDir(dir, quarantine.Unindexed{}, func(error) {}).IDs()
	switch {
	case err != nil:
		return []Finding{advice("run doctor as root", "whether messages wait in %s is not known: %v", dir, err)}
	case len(list) == 0:
		return nil
	case p.Config.Store.URL == "":
		return []Finding{fault("write the url of the database into [store] again, and restart milterscan",
			"%d messages wait in %s to be moved into the shared database, and there is none; no list names them",
			len(list), dir)}
	}
	return []Finding{advice("the daemon moves them while it can use the database; its log names those that it cannot move",
		"%d messages wait in %s to be moved into the database; until then no list names them", len(list), dir)}
}

// layoutFinding tells whether this program can use the tables.
func layoutFinding(f fleet.Facts) Finding {
	if err := f.Fits(); err != nil {
		return fault("start the daemon of the newest milterscan among the hosts, and update this one", "%v", err)
	}
	return ok("its tables have layout %d", f.Layout.Version)
}

// oldest is the oldest version of the server that will do, as PostgreSQL numbers them.
const oldest = 130000

// Differences of clocks.
const (
	drifts = 2 * time.Second
	wrong  = time.Minute
)

// serverFindings examines the version, the settings and the clock of the server.
func serverFindings(f fleet.Facts) (found []Finding) {
	if f.Server < oldest {
		found = append(found, fault("use PostgreSQL 13 or later",
			"the server is PostgreSQL %d.%d", f.Server/10000, f.Server%10000))
	}
	for _, s := range []struct{ name, value, risk string }{
		{"fsync", f.Settings.Fsync, "a power cut may destroy the whole database"},
		{"full_page_writes", f.Settings.FullPageWrites, "a power cut may destroy parts of the database"},
		{"synchronous_commit", f.Settings.SynchronousCommit, "what was confirmed may be gone after a crash"},
	} {
		if s.value == "off" {
			found = append(found, fault(s.name+" = on in postgresql.conf, and reload it",
				"%s is off: %s", s.name, s.risk))
		}
	}
	if len(found) == 0 {
		found = append(found, ok("the server is PostgreSQL %d.%d, and keeps what it confirms",
			f.Server/10000, f.Server%10000))
	}
	return append(found, clockFinding(f.Drift, f.Exact, "the database"))
}

// clockFinding compares the clock of this host with that of another; exact says how well the difference is known.
func clockFinding(drift, exact time.Duration, other string) Finding {
	const fix = "set the clocks by NTP, here and there"
	switch ahead := drift.Abs() - exact; {
	case ahead > wrong:
		return fault(fix, "the clock of this host differs by %v from that of %s", drift.Round(time.Millisecond), other)
	case ahead > drifts:
		return advice(fix, "the clock of this host differs by %v from that of %s", drift.Round(time.Millisecond), other)
	}
	return ok("the clock of this host is that of %s", other)
}

// connectionFindings tells whether all hosts get their connections.
func connectionFindings(f fleet.Facts, hosts, each int) []Finding {
	if hosts*each > f.Room {
		return []Finding{advice("raise max_connections of the server, or lower store.connections",
			"%d hosts may want %d connections each, and the server has %d for all", hosts, each, f.Room)}
	}
	return []Finding{ok("%d of %d connections are used", f.Used, f.Room)}
}
