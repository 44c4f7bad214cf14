package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Site is where setups are remembered.
type Site struct {
	State string // a directory; StateDir on a host

	// before is called before each step, for tests: an error ends everything as a
	// failure of the step would, errKilled as the end of the process would.
	before func(step string) error
}

// errKilled means the end of the process, which undoes nothing.
var errKilled = errors.New("killed")

// Apply does what a plan says, and then probe, which is to find out whether
// milterscan is really asked. If anything fails, everything is as it was, or the
// error names the rest.
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

// carryOut makes the changes that are undone if one fails.
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

// removal is the end of the name under which a removal is remembered while it goes
// on: the old contents of the setup stay until it has succeeded.
const removal = ".removal"

// Recover undoes a setup, or a removal, that was interrupted, and reports whether
// there was one.
func (s Site) Recover(ctx context.Context, mta string) (was bool, err error) {
	for _, name := range []string{mta, mta + removal} {
		j, err := openJournal(s.State, name)
		if err != nil {
			return was, err
		}
		if j == nil || j.Done {
			continue
		}
		if err := j.untouched(); err != nil {
			return was, err
		}
		if err := j.undo(ctx); err != nil {
			return true, err
		}
		was = true
	}
	return was, nil
}

// ErrNotSetUp is returned where there is nothing to take out.
var ErrNotSetUp = errors.New("milterscan is not set up there")

// Removal works out how to take milterscan out of an MTA. Files that were not
// changed since the setup become what they were, byte for byte. Otherwise only what
// names milterscan goes, and everything else stays.
func (s Site) Removal(ctx context.Context, m MTA, us Us) (*Plan, error) {
	j, err := openJournal(s.State, m.Name)
	if err != nil {
		return nil, err
	}
	if j == nil || j.untouched() != nil {
		return s.partOnly(ctx, m, us, j)
	}
	p := &Plan{MTA: m, Hook: "nothing any more", Reload: j.Reload, removal: true}
	if m.reload != nil {
		p.Reload = m.reload(ctx, m) // it may run now, and not have run then
	}
	for _, f := range j.Files {
		c := Change{Path: f.Path, Old: f.New, New: f.Old, Mode: f.Mode}
		if now, err := os.ReadFile(f.Path); err == nil && string(now) == string(f.Old) {
			c.Old = f.Old
		}
		p.Changes = append(p.Changes, c)
	}
	return p, nil
}

// partOnly plans to take only what names milterscan out. j is the setup's journal,
// nil if there is none.
func (s Site) partOnly(ctx context.Context, m MTA, us Us, j *journal) (*Plan, error) {
	stage, err := os.MkdirTemp("", "milterscan-setup-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	p, err := m.remover(ctx, m, stage, us, j)
	if err != nil {
		if j != nil && !errors.Is(err, ErrNotSetUp) {
			err = fmt.Errorf("%w. The old contents are in %s", err, j.path)
		}
		return nil, err
	}
	p.MTA, p.Hook, p.removal = m, "nothing any more", true
	return p, nil
}

// TakeOut does what Removal planned, and forgets about the setup.
func (s Site) TakeOut(ctx context.Context, p *Plan) error {
	if err := s.step("restore"); err != nil {
		return err
	}
	if err := s.Apply(ctx, p, func(context.Context) error { return nil }); err != nil {
		return err
	}
	for _, name := range []string{p.MTA.Name, p.MTA.Name + removal} {
		j, err := openJournal(s.State, name)
		if err == nil && j != nil {
			err = j.forget()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// untouched returns an error if a file is neither as it was nor as it was made.
func (j *journal) untouched() error {
	for i, f := range j.Files {
		touched, err := f.touched()
		if err != nil {
			return err
		}
		if touched {
			return fmt.Errorf("%s was changed since; nothing was done. Take milterscan out of it by hand; its old content is in %s", f.Path,
				j.backup(i))
		}
	}
	return nil
}
