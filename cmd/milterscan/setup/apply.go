package setup

import (
	"context"
	"errors"
	"fmt"
)

// Site is where setups are remembered.
type Site struct {
	State string // a directory; StateDir on a host

	// before is called before each step, for tests: an error ends everything as a
	// failure of the step would, errKilled as the end of the process would.
	before func(step string) error
}

// errKilled stands for the end of the process, which undoes nothing.
var errKilled = errors.New("killed")

// Apply does what a plan says, and then probe, which is to find out whether
// milterscan is really asked. If anything fails, everything is as it was, or the
// error says what is not.
func (s Site) Apply(ctx context.Context, p *Plan, probe func(context.Context) error) error {
	if err := s.step("keep the old contents"); err != nil {
		return err
	}
	j, err := newJournal(s.State, p)
	if err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	err = s.carryOut(ctx, p, j, probe)
	if err == nil || errors.Is(err, errKilled) {
		return err
	}
	// Even where ctx is done: nothing stays as it is now.
	if undo := j.undo(context.WithoutCancel(ctx)); undo != nil {
		return fmt.Errorf("%w\nand not everything could be restored: %w\nthe old contents are in %s", err, undo, j.path)
	}
	return fmt.Errorf("everything is as it was before: %w", err)
}

// carryOut is Apply behind the point at which there is something to undo.
func (s Site) carryOut(ctx context.Context, p *Plan, j *journal, probe func(context.Context) error) error {
	for _, f := range j.Files {
		if err := s.step("write " + f.Path); err != nil {
			return err
		}
		if err := f.install(); err != nil {
			return err
		}
	}
	for _, stage := range []struct {
		name string
		do   func() error
	}{
		{"check", func() error { return perform(ctx, p.Checks) }},
		{"reload", func() error { return perform(ctx, p.Reload) }},
		{"probe", func() error { return probe(ctx) }},
		{"remember", func() error { j.Done = true; return j.write() }},
	} {
		if err := s.step(stage.name); err != nil {
			return err
		}
		if err := stage.do(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s Site) step(name string) error {
	if s.before == nil {
		return nil
	}
	return s.before(name)
}

// undo puts everything back and forgets about it.
func (j *journal) undo(ctx context.Context) error {
	var errs []error
	for _, f := range j.Files {
		errs = append(errs, f.restore())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := perform(ctx, j.Reload); err != nil {
		return fmt.Errorf("the files are restored, but: %w", err)
	}
	return j.forget()
}

// Recover undoes a setup that was interrupted, and reports whether there was
// one.
func (s Site) Recover(ctx context.Context, mta string) (bool, error) {
	j, err := openJournal(s.State, mta)
	if err != nil || j == nil || j.Done {
		return false, err
	}
	if err := j.untouched(); err != nil {
		return false, err
	}
	return true, j.undo(ctx)
}

// ErrNotSetUp is returned by Uninstall where there is nothing to undo.
var ErrNotSetUp = errors.New("milterscan was not set up there by this command")

// Removal is what Uninstall would do.
func (s Site) Removal(mta string) (*Plan, error) {
	j, err := openJournal(s.State, mta)
	if err != nil {
		return nil, err
	}
	if j == nil {
		return nil, ErrNotSetUp
	}
	p := &Plan{MTA: MTA{Name: j.MTA, Dir: j.Dir}, Hook: "nothing any more", Reload: j.Reload}
	for _, f := range j.Files {
		p.Changes = append(p.Changes, Change{Path: f.Path, Old: f.New, New: f.Old})
	}
	return p, j.untouched()
}

// Uninstall puts every file back, byte for byte. Where somebody has changed one
// since, nothing is done.
func (s Site) Uninstall(ctx context.Context, mta string) error {
	j, err := openJournal(s.State, mta)
	if err != nil {
		return err
	}
	if j == nil {
		return ErrNotSetUp
	}
	if err := j.untouched(); err != nil {
		return err
	}
	if err := s.step("restore"); err != nil {
		return err
	}
	return j.undo(ctx)
}

// untouched is an error if a file is neither as it was nor as it was made.
func (j *journal) untouched() error {
	for i, f := range j.Files {
		touched, err := f.touched()
		if err != nil {
			return err
		}
		if touched {
			return fmt.Errorf("%s was changed since; nothing was done. Take milterscan out of it by hand; its old content is in %s", f.Path, j.backup(i))
		}
	}
	return nil
}
