package fleet

import (
	"context"
	"database/sql"
)

// Joining is what hosts share, for a command: it has no daemon that looks at the tables beforehand.
type Joining struct{ *State }

// Commit looks at the tables first, if that was not done.
func (j Joining) Commit(ctx context.Context, do func(step func(query string, args ...any) error) error) error {
	if err := j.join(ctx); err != nil {
		return err
	}
	return j.State.Commit(ctx, do)
}

// Read looks at the tables first, if that was not done.
func (j Joining) Read(ctx context.Context, do func(*sql.DB) error) error {
	if err := j.join(ctx); err != nil {
		return err
	}
	return j.State.Read(ctx, do)
}

// Change looks at the tables first, if that was not done.
func (j Joining) Change(ctx context.Context, do func(*sql.Tx) error) error {
	if err := j.join(ctx); err != nil {
		return err
	}
	return j.State.Change(ctx, do)
}

// Record looks at the tables first, if that was not done.
func (j Joining) Record(ctx context.Context, do func(*sql.Tx) error) error {
	if err := j.join(ctx); err != nil {
		return err
	}
	return j.State.Record(ctx, do)
}

func (j Joining) join(ctx context.Context) error {
	if j.Ready() == nil {
		return nil
	}
	return j.Check(ctx)
}
