package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/milterscan/milterscan/policy/keep/find"
	"github.com/milterscan/milterscan/policy/keep/history"
	"github.com/milterscan/milterscan/policy/keep/history/historytest"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/quarantine/quarantinetest"
)

// TestDirWithIndex: a directory with an index keeps what stores promise, also where two processes have it open.
func TestDirWithIndex(t *testing.T) {
	quarantinetest.Run(t, func(t *testing.T) (here, there quarantine.Store) {
		dir := filepath.Join(t.TempDir(), "new")
		open := func() quarantine.Store {
			x := NewIndex(filepath.Join(dir, "index.db"), func(err error) { t.Error(err) })
			t.Cleanup(func() { x.Close() })
			return quarantine.NewDir(dir, x, func(err error) { t.Error(err) })
		}
		return open(), open()
	})
}

// useless is an index that cannot be used, as on a full disk.
type useless struct{}

var errUseless = errors.New("no space left on device")

// Put fails.
func (useless) Put(context.Context, quarantine.Row) error { return errUseless }

// Delete fails.
func (useless) Delete(context.Context, string) error { return errUseless }

// Find fails.
func (useless) Find(context.Context, quarantine.Filter) ([]quarantine.Row, error) {
	return nil, errUseless
}

// Replace fails.
func (useless) Replace(context.Context, []quarantine.Row, time.Time) error { return errUseless }

// TestDirWithoutIndex: the messages are asked where the index cannot be.
func TestDirWithoutIndex(t *testing.T) {
	quarantinetest.Run(t, func(t *testing.T) (here, there quarantine.Store) {
		dir := t.TempDir()
		quiet := func(error) {}
		return quarantine.NewDir(dir, useless{}, quiet), quarantine.NewDir(dir, useless{}, quiet)
	})
}

// TestHistoryFile: a history in a file keeps what histories promise, also where two processes have it open.
func TestHistoryFile(t *testing.T) {
	historytest.Run(t, func(t *testing.T, z find.Sizes) (here, there history.Store) {
		path := filepath.Join(t.TempDir(), "new", "a file?.db")
		open := func() history.Store {
			h := NewHistory(path, func(err error) { t.Error(err) })
			h.sizes = z
			t.Cleanup(func() { h.Close() })
			return h
		}
		return open(), open()
	})
}
