package fleet

import (
	"context"
	"database/sql"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// Facts are what a look at the database shows.
type Facts struct {
	Layout   Layout
	Server   int           // version of the server: 150004 is 15.4
	Settings Settings      // of the server
	Drift    time.Duration // how far the clock of this host is ahead of that of the database
	Exact    time.Duration // how well that is known
	Used     int           // connections of all, at the moment
	Room     int           // that there may be
	Servers  []Server      // those of the URL
	Standbys int           // that follow the server
	Awaited  string        // those that commits wait for, as synchronous_standby_names says; "" for none
}

// Server is one of those that the URL names.
type Server struct {
	postgres.Standing
	Old bool // another one was promoted in its place
}

// Settings are those that decide whether committed data outlives a crash.
type Settings struct{ Fsync, SynchronousCommit, FullPageWrites string }

// Examine looks at the database, and changes nothing.
func (s *State) Examine(ctx context.Context) (f Facts, err error) {
	list, err := s.standings(ctx)
	for _, one := range list {
		f.Servers = append(f.Servers, Server{one, one.Writable && s.timelines.See(one) != nil})
	}
	if err != nil {
		return f, s.named(err)
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	p, err := s.open()
	if err != nil {
		return f, s.named(err)
	}
	err = p.watch.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::bigint,
		current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
		current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,
		(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
		(SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names')`).
		Scan(&f.Server, &f.Settings.Fsync, &f.Settings.SynchronousCommit, &f.Settings.FullPageWrites, &f.Room, &f.Used,
			&f.Standbys, &f.Awaited)
	if err == nil {
		f.Drift, f.Exact, err = drift(ctx, p.watch)
	}
	if err == nil {
		f.Layout, err = layoutOf(ctx, p.watch)
	}
	return f, s.named(err)
}

// drift returns how far our clock is ahead of that of the database, and how well that is known: the answer was written
// somewhere between the question and its coming.
func drift(ctx context.Context, db *sql.DB) (ahead, exact time.Duration, err error) {
	var theirs time.Time
	begun := time.Now()
	err = db.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&theirs)
	took := time.Since(begun)
	return begun.Add(took / 2).Round(0).Sub(theirs), took / 2, err
}

// Fits returns why this program cannot use the tables, nil if it can.
func (f Facts) Fits() error { return f.Layout.fits(Known()) }
