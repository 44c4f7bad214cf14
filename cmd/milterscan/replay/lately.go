package replay

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy/judge"
	"github.com/milterscan/milterscan/policy/keep/quarantine"
)

// lately returns the ids of the messages in the directory of a quarantine that came since a time, the
// newest first and at most so many, and whether there are more. It goes by their ids, and opens no message.
func lately(dir string, since time.Time, most int) (ids []string, more bool, err error) {
	first := judge.FirstID(since)
	shards, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, s := range slices.Backward(shards) {
		if !s.IsDir() || !shard.MatchString(s.Name()) || s.Name() < first[:len(s.Name())] {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(dir, s.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ids, false, err
		}
		for _, e := range slices.Backward(entries) {
			id, kept := strings.CutSuffix(e.Name(), ".eml.gz")
			if !kept || !e.Type().IsRegular() || id < first || !quarantine.ValidID(id) {
				continue
			}
			if len(ids) == most {
				return ids, true, nil
			}
			ids = append(ids, id)
		}
	}
	return ids, false, nil
}

// keptAs yields messages in the directory of a quarantine. One that was removed meanwhile is left out.
func keptAs(ctx context.Context, dir string, ids []string) iter.Seq2[Mail, error] {
	store := quarantine.NewDir(dir, nil, func(error) {})
	return func(yield func(Mail, error) bool) {
		for _, id := range ids {
			m, err := kept(ctx, store, id)
			if errors.Is(err, quarantine.ErrUnknown) || errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(m, err) {
				return
			}
		}
	}
}
