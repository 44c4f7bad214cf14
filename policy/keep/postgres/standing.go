package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// Standing is where a server stands among those of its cluster.
type Standing struct {
	Place    string // "db1.example.com:5432"
	Writable bool   // it is no standby
	System   string // the identifier that all servers of a cluster have; "" if it does not say
	Timeline uint32 // of one that can be written to; 0 if it does not say
	Err      error  // why nothing is known of it
}

// askStanding asks a server where it stands. Any role may ask that of PostgreSQL; others that speak its protocol may not
// know, so that whether it can be written to is asked alone then.
const (
	askStanding = `SELECT CASE WHEN pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' THEN 'off' ELSE 'on' END,
		(SELECT system_identifier FROM pg_control_system()),
		CASE WHEN pg_is_in_recovery() THEN '0' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END`
	askWritable = `SELECT CASE current_setting('transaction_read_only') WHEN 'on' THEN 'off' ELSE 'on' END, '', '0'`
)

// standingOf asks the server of a connection where it stands.
func standingOf(ctx context.Context, conn *pgconn.PgConn) (s Standing, err error) {
	answer, err := conn.Exec(ctx, askStanding).ReadAll()
	if err != nil && Code(err) != "" && !Away(err) {
		answer, err = conn.Exec(ctx, askWritable).ReadAll()
	}
	if err != nil {
		return s, err
	}
	row := answer[0].Rows[0]
	timeline, err := strconv.ParseUint(string(row[2]), 16, 32)
	return Standing{Writable: string(row[0]) == "on", System: string(row[1]), Timeline: uint32(timeline)}, err
}

// standingKey is where a connection has its Standing.
const standingKey = "standing"

// validated has a connection be one to a server that can be written to, unless the URL says otherwise, and whose history
// is not older than what was seen.
func (p Pool) validated(writable bool, also pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		if also != nil {
			if err := also(ctx, conn); err != nil {
				return err
			}
		}
		s, err := standingOf(ctx, conn)
		if err != nil {
			return err
		}
		if !s.Writable {
			if writable {
				return pgconn.ErrReadOnlyConnection
			}
			return nil
		}
		conn.CustomData()[standingKey] = s
		return p.see(s)
	}
}

// see compares a server with those that were seen, if any are remembered.
func (p Pool) see(s Standing) error {
	if p.Timelines == nil {
		return nil
	}
	return p.Timelines.See(s)
}

// Standings asks each server of the URL where it stands, all at once. None is looked at for longer than a connection may take.
func (p Pool) Standings(ctx context.Context) ([]Standing, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	c.ConnectTimeout = p.Connect
	c.ValidateConnect = nil
	if err := p.identify(ctx, c); err != nil {
		return nil, err
	}
	alone := servers(c)
	list := make([]Standing, len(alone))
	var all sync.WaitGroup
	for i, c := range alone {
		all.Go(func() { list[i] = ask(ctx, c) })
	}
	all.Wait()
	return list, nil
}

// servers returns a configuration for each server of one that names several. A server may be there more than once: with
// encryption and without.
func servers(c *pgx.ConnConfig) (list []*pgx.ConnConfig) {
	var places []string
	for _, f := range tries(c) {
		at := slices.Index(places, placeOf(f.Host, f.Port))
		if at >= 0 {
			list[at].Fallbacks = append(list[at].Fallbacks, f)
			continue
		}
		one := c.Copy()
		one.Host, one.Port, one.TLSConfig, one.Fallbacks = f.Host, f.Port, f.TLSConfig, nil
		places, list = append(places, placeOf(f.Host, f.Port)), append(list, one)
	}
	return list
}

// tries returns what a connection tries, one after the other.
func tries(c *pgx.ConnConfig) []*pgconn.FallbackConfig {
	return append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
}

// lead has the server of a place be tried before all others.
func lead(c *pgx.ConnConfig, place string) {
	list := tries(c)
	slices.SortStableFunc(list, func(a, b *pgconn.FallbackConfig) int {
		return cmp.Compare(rank(a, place), rank(b, place))
	})
	c.Host, c.Port, c.TLSConfig, c.Fallbacks = list[0].Host, list[0].Port, list[0].TLSConfig, list[1:]
}

// rank is 0 for the server of a place, and 1 for all others.
func rank(f *pgconn.FallbackConfig, place string) int {
	if placeOf(f.Host, f.Port) == place {
		return 0
	}
	return 1
}

func placeOf(host string, port uint16) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }

// ask asks one server where it stands.
func ask(ctx context.Context, c *pgx.ConnConfig) Standing {
	ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
	defer cancel()
	place := placeOf(c.Host, c.Port)
	conn, err := pgconn.ConnectConfig(ctx, &c.Config)
	if err != nil {
		return Standing{Place: place, Err: err}
	}
	defer conn.Close(ctx)
	s, err := standingOf(ctx, conn)
	s.Place, s.Err = place, err
	return s
}

// StandingOf asks the server of a connection of a database where it stands.
func StandingOf(ctx context.Context, db *sql.DB) (s Standing, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	err = conn.Raw(func(c any) (err error) {
		s, err = standingOf(ctx, c.(*stdlib.Conn).Conn().PgConn())
		return err
	})
	return s, err
}
