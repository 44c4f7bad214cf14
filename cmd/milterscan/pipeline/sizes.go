package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/milterscan/milterscan/policy/config"
	"github.com/milterscan/milterscan/policy/disk"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
	"github.com/milterscan/milterscan/policy/keep/store"
)

// Sizes is how much the stores hold.
type Sizes struct {
	Quarantine   []quarantine.Size // by class and state
	Records      int64             // of the history
	HistoryBytes int64
	Rooms        []Room
}

// Room is how much room there is for a store.
type Room struct {
	Store      string // "spool", "quarantine" or "history"
	Free, Size int64  // bytes
}

// Measure asks the stores of a configuration, on connections that are in the way of no
// mail. A store that is not there yet has no size; the error says what cannot be asked.
func (k *Stores) Measure(ctx context.Context, c *config.Config) (s Sizes, err error) {
	var errs [3]error
	if q := k.Vault(c); q != nil {
		s.Quarantine, errs[0] = q.Sizes(ctx)
	} else {
		s.Quarantine, errs[0] = k.countQuarantine(ctx, c.Quarantine.Dir)
	}
	switch {
	case c.History.File == "":
	case k.Fleet != nil:
		s.Records, s.HistoryBytes, errs[1] = k.records(c).Size(ctx)
	default:
		s.Records, errs[1] = store.CountHistory(ctx, c.History.File)
		s.HistoryBytes, errs[2] = store.Bytes(c.History.File)
	}
	for i, err := range errs {
		if errors.Is(err, fs.ErrNotExist) {
			errs[i] = nil
		}
	}
	s.Rooms = rooms(c)
	return s, errors.Join(errs[:]...)
}

// countQuarantine asks the index. One that was begun again is first made of the messages,
// as by any search.
func (k *Stores) countQuarantine(ctx context.Context, dir string) ([]quarantine.Size, error) {
	index := filepath.Join(dir, quarantine.IndexFile)
	list, err := store.CountIndex(ctx, index)
	if !errors.Is(err, quarantine.ErrIncomplete) {
		return list, err
	}
	if _, err := k.dir(dir).Find(ctx, quarantine.Filter{Limit: 1}); err != nil {
		return nil, err
	}
	return store.CountIndex(ctx, index)
}

// rooms returns the room for all stores whose directory is there.
func rooms(c *config.Config) (list []Room) {
	stores := []struct{ name, dir string }{{"spool", c.Spool.Place()}, {"quarantine", c.Quarantine.Dir}}
	if c.History.File != "" {
		stores = append(stores, struct{ name, dir string }{"history", filepath.Dir(c.History.File)})
	}
	for _, s := range stores {
		if free, size, err := disk.Room(s.dir); err == nil {
			list = append(list, Room{s.name, free, size})
		}
	}
	return list
}
