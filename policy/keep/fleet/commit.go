package fleet

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/milterscan/milterscan/policy/keep/postgres"
	"github.com/milterscan/milterscan/scan/breaker"
)

// Commit runs statements for a mail, all of them or none, as do calls step with them. Each may take as long as one call of mail;
// what do does in between is not counted. It runs nothing while the database makes others wait in vain. do may be called again, as by Ask.
func (s *State) Commit(ctx context.Context, do func(step func(query string, args ...any) error) error) error {
	if err := s.Ready(); err != nil {
		return s.named(err)
	}
	if !s.calls.MayTry(time.Now()) {
		return s.named(breaker.ErrRests)
	}
	p, err := s.open()
	if err == nil {
		err = again(ctx, func() error { return s.commit(ctx, p.mail, do) })
	}
	if postgres.Broke(err) {
		err = again(ctx, func() error { return s.commit(ctx, p.mail, do) })
	}
	var ours refusal
	s.calls.Note(time.Now(), !errors.As(err, &ours) && postgres.Away(err) && ctx.Err() == nil)
	if ours.error != nil {
		return ours.error
	}
	return s.named(s.missed(err))
}

// refusal is an error that is none of the database's.
type refusal struct{ error }

// Unwrap returns the error.
func (r refusal) Unwrap() error { return r.error }

func (s *State) commit(ctx context.Context, db *sql.DB, do func(step func(string, ...any) error) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	impatience := time.AfterFunc(s.options.Patience, cancel)
	defer impatience.Stop()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	var failed error // of a statement
	step := func(query string, args ...any) error {
		impatience.Reset(s.options.Patience)
		_, failed = tx.ExecContext(ctx, query, args...)
		impatience.Stop()
		return failed
	}
	impatience.Stop()
	if err := do(step); err != nil {
		cancel()
		tx.Rollback() // which fails where the connection is gone, and then nothing was done either
		if failed != nil {
			return failed
		}
		return refusal{err}
	}
	impatience.Reset(s.options.Patience)
	return tx.Commit()
}
