// Package fleet keeps in PostgreSQL what several hosts share. Mail waits for it but shortly, and not at all while it
// cannot be reached or its tables are not what they should be.
package fleet

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/scan/breaker"
)

// Options say where the database is, and what it may cost.
type Options struct {
	Server      postgres.Server
	Password    func() (string, error) // asked for each connection
	Connections int                    // of mail; others have some more
	Patience    time.Duration          // that mail has for one call
	Seen        string                 // the file with what is remembered of servers over restarts; "" if nothing is
}

// State is what hosts share. It may be used by any number of goroutines. Until Prepare or Check has found its tables, and
// whenever they are not there any more, calls fail at once.
type State struct {
	options Options

	calls     breaker.Breaker // of mail
	timelines *postgres.Timelines

	mu     sync.Mutex
	pools  *pools // nil until they are used
	unfit  error  // why the tables cannot be used
	doubts error  // what the last look at the servers found
	first  string // the place of the server that it found to be the one to use

	memory    sync.Mutex // of the file Seen
	recalled  bool       // it was read
	memorized string     // what it has
}

// pools are the connections: mail never waits for people. Neither do those who write down what became of mail, or watch the
// database.
type pools struct{ mail, others, records, watch *sql.DB }

// Numbers of connections, and times.
const (
	fewest        = 2                // connections for other work than mail
	statementTime = 30 * time.Second // that a statement for other work than mail may take
)

// errUnprepared is reported until the tables have been looked at.
var errUnprepared = errors.New("it has not been reached yet")

// New returns the state in a database, of which nothing is asked yet.
func New(o Options) *State {
	return &State{options: o, unfit: errUnprepared, timelines: &postgres.Timelines{}}
}

// othersOf returns how many connections there are for other work than mail.
func (o Options) othersOf() int { return max(fewest, o.Connections/2) }

// Most returns how many connections one daemon may have at the same time: those of mail and of
// others, one that writes records, one that watches, and one that listens.
func (o Options) Most() int { return o.Connections + o.othersOf() + 3 }

// Place returns where the database is.
func (s *State) Place() string { return s.options.Server.Place() }

// pool returns how the server is asked.
func (s *State) pool(connections int, statement time.Duration) postgres.Pool {
	o := s.options
	return postgres.Pool{Server: o.Server, Password: o.Password, Connections: connections,
		Connect: max(o.Patience, time.Second), Statement: statement, Timelines: s.timelines,
		First: s.preferred}
}

// open opens the pools, once.
func (s *State) open() (*pools, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pools != nil {
		return s.pools, nil
	}
	p := &pools{}
	for _, one := range []struct {
		db **sql.DB
		postgres.Pool
	}{
		{&p.mail, s.pool(s.options.Connections, s.options.Patience)}, {&p.others, s.pool(s.options.othersOf(), statementTime)},
		{&p.records, s.pool(1, statementTime)}, {&p.watch, s.pool(1, lookTime)},
	} {
		var err error
		if *one.db, err = one.Open(); err != nil {
			return nil, errors.Join(err, p.close())
		}
	}
	s.pools = p
	return p, nil
}

// close closes all pools.
func (p *pools) close() error {
	var errs []error
	for _, db := range []*sql.DB{p.mail, p.others, p.records, p.watch} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Ready returns nil if the tables can be used, otherwise why not. It asks nothing.
func (s *State) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unfit
}

// judge notes whether the tables can be used.
func (s *State) judge(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfit = err
	return err
}

// Ask calls do for mail: with a deadline, and not at all while the database makes others wait in vain. do may be called
// again if a connection ends in the middle, or another transaction is in its way.
func (s *State) Ask(ctx context.Context, do func(context.Context, *sql.DB) error) error {
	if err := s.Ready(); err != nil {
		return s.named(err)
	}
	if !s.calls.MayTry(time.Now()) {
		return s.named(breaker.ErrRests)
	}
	hurried, cancel := context.WithTimeout(ctx, s.options.Patience)
	defer cancel()
	p, err := s.open()
	if err == nil {
		err = again(hurried, func() error { return do(hurried, p.mail) })
	}
	if postgres.Broke(err) {
		err = again(hurried, func() error { return do(hurried, p.mail) })
	}
	s.calls.Note(time.Now(), postgres.Away(err) && ctx.Err() == nil)
	return s.named(s.missed(err))
}

// missed notes tables that are not there any more, so that they are looked at again.
func (s *State) missed(err error) error {
	switch postgres.Code(err) {
	case postgres.NoTable, postgres.NoColumn, postgres.NoFunction:
		return s.judge(err)
	}
	return err
}

// Read calls do for anything but mail and its records.
func (s *State) Read(ctx context.Context, do func(*sql.DB) error) error {
	return s.over(func(p *pools) *sql.DB { return p.others }, do)
}

// over calls do with some of the connections.
func (s *State) over(some func(*pools) *sql.DB, do func(*sql.DB) error) error {
	if err := s.Ready(); err != nil {
		return s.named(err)
	}
	p, err := s.open()
	if err == nil {
		err = s.missed(do(some(p)))
	}
	return s.named(err)
}

// Change commits what do did unless it failed. do is called again where another transaction was in its way.
func (s *State) Change(ctx context.Context, do func(*sql.Tx) error) error {
	return s.Read(ctx, func(db *sql.DB) error { return changed(ctx, db, do) })
}

// Record is Change for those who write records of mail, over a connection that no search takes.
func (s *State) Record(ctx context.Context, do func(*sql.Tx) error) error {
	return s.over(func(p *pools) *sql.DB { return p.records }, func(db *sql.DB) error { return changed(ctx, db, do) })
}

// changed commits what do did, as often as others are in its way.
func changed(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	return again(ctx, func() error { return inTransaction(ctx, db, do) })
}

// inTransaction commits what do did unless it failed.
func inTransaction(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		tx.Rollback() // which fails where the connection is gone, and then nothing was done either
		return err
	}
	return tx.Commit()
}

// named returns an error with the name of the database.
func (s *State) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("shared database %s: %w", s.Place(), err)
}

// Close closes all connections. They are opened again if they are used again.
func (s *State) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pools == nil {
		return nil
	}
	err := s.pools.close()
	s.pools = nil
	return err
}
