package fleet

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/milterscan/milterscan/policy/keep/postgres"
)

// files make the tables, one after the other. Each ends with the layout it leaves, see the first.
//
//go:embed layout/*.sql
var files embed.FS

// folder has the files.
const folder = "layout"

// Layout says what the tables are like.
type Layout struct {
	Version int // of the last file that was run; 0: there are no tables
	Least   int // that a daemon must know to use them
}

// Known returns the version of the layout that this program knows.
func Known() int {
	names, err := fs.Glob(files, folder+"/*.sql")
	if err != nil || len(names) == 0 {
		return 0
	}
	last := strings.TrimPrefix(names[len(names)-1], folder+"/")
	number, _, _ := strings.Cut(last, "_")
	n, _ := strconv.Atoi(number)
	return n
}

// ErrNewer says that the tables were made by a newer milterscan.
var ErrNewer = errors.New("its tables are those of a newer milterscan")

// fits returns an error if a daemon that knows a version of the layout cannot use the tables.
func (l Layout) fits(known int) error {
	switch {
	case l.Least > known:
		return refusal{fmt.Errorf("%w: they need one that knows layout %d, and this one knows %d; update this host", ErrNewer, l.Least, known)}
	case l.Version < known:
		return refusal{fmt.Errorf("its tables have layout %d, and this milterscan needs %d; "+
			"start its daemon, which brings them up to date", l.Version, known)}
	}
	return nil
}

// layoutOf returns what the tables are like.
func layoutOf(ctx context.Context, db *sql.DB) (l Layout, err error) {
	err = db.QueryRowContext(ctx, `SELECT version, least FROM layout`).Scan(&l.Version, &l.Least)
	if postgres.Code(err) == postgres.NoTable || errors.Is(err, sql.ErrNoRows) {
		return Layout{}, nil
	}
	return l, err
}

// lookTime is how long looking at the layout may take.
const lookTime = 5 * time.Second

// layout sees which server is to be used, and asks what the tables are like.
func (s *State) layout(ctx context.Context) (l Layout, err error) {
	if err := s.look(ctx); err != nil {
		return l, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	p, err := s.open()
	if err == nil {
		l, err = layoutOf(ctx, p.watch)
	}
	return l, err
}

// Check sees whether the tables can be used, and changes nothing.
func (s *State) Check(ctx context.Context) error {
	l, err := s.layout(ctx)
	if err == nil {
		err = l.fits(Known())
	}
	return s.named(s.judge(err))
}

// Prepare makes the tables, or brings them up to date, and sees whether they can be used. Any number of daemons may do so at
// once. Tables of a newer milterscan are left alone. While the database is away, nothing is known of tables that could be
// used before: calls find out by themselves when it is back.
func (s *State) Prepare(ctx context.Context) error {
	l, err := s.layout(ctx)
	s.calls.Note(time.Now(), err != nil && ctx.Err() == nil)
	if err != nil {
		if s.Ready() != nil || errors.Is(err, ErrOld) {
			s.judge(err)
		}
		return s.named(err)
	}
	if l.Version < Known() {
		if err = s.migrate(ctx); err == nil {
			l, err = s.layout(ctx)
		}
	}
	if err == nil {
		err = l.fits(Known())
	}
	return s.named(s.judge(err))
}

// migrate runs the files that have not been run, over separate connections: a large table takes as long as it takes.
func (s *State) migrate(ctx context.Context) error {
	db, err := s.pool(fewest+1, 0).Open()
	if err != nil {
		return err
	}
	defer db.Close()
	scripts, err := fs.Sub(files, folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, scripts, goose.WithTableName("layout_file"),
		goose.WithLocker(&lock{}), goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err = p.Up(ctx); err != nil {
		return fmt.Errorf("its tables cannot be made: %w", err)
	}
	return nil
}

// lock keeps other daemons from making the tables at the same time. It is a transaction's: a pooler of connections gives a
// transaction one connection for as long as it takes, and the server frees the lock when the connection ends.
type lock struct{ tx *sql.Tx }

// lockKey is the number of the lock, which is nothing but that.
const lockKey = 0x6d696c7465727363

// lockTime is how long a daemon may hold the lock without a word.
const lockTime = 10 * time.Minute

// lockAgain is how long a daemon waits before it tries to have the lock again.
const lockAgain = 200 * time.Millisecond

// Lock implements goose's lock.Locker. Who waits has no connection meanwhile: behind a pooler that has few, the one with the lock would
// get none to make the tables by.
func (l *lock) Lock(ctx context.Context, db *sql.DB) error {
	for {
		got, err := l.try(ctx, db)
		if got || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockAgain):
		}
	}
}

// try reports whether the lock was to be had.
func (l *lock) try(ctx context.Context, db *sql.DB) (got bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(`SET LOCAL idle_in_transaction_session_timeout = %d`, lockTime.Milliseconds()))
	if err == nil {
		err = tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT pg_try_advisory_xact_lock(%d)`, int64(lockKey))).Scan(&got)
	}
	if !got {
		tx.Rollback()
		return false, err
	}
	l.tx = tx
	return true, nil
}

// Unlock implements goose's lock.Locker.
func (l *lock) Unlock(context.Context, *sql.DB) error { return l.tx.Rollback() }
