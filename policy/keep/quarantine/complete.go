package quarantine

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/milterscan/milterscan/policy/disk"
)

// Complete puts into the index what it does not know: messages for which there was no room
// or no right in it when they were kept or changed hands. Until then no list names them, and
// they never grow too old.
func (d *Dir) Complete(ctx context.Context) error {
	rows, err := d.Find(ctx, Filter{})
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(rows))
	for _, r := range rows {
		known[r.ID] = true
	}
	root, err := disk.Open(d.path, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	var errs []error
	for id := range ids(root) {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if known[id] {
			continue
		}
		// Under the lock, as it may be changing now.
		err := d.locked(id, func(shard *os.Root) error {
			e, err := entryIn(shard, id)
			if err != nil {
				return err
			}
			return d.index.Put(ctx, e.Row())
		})
		if !errors.Is(err, ErrUnknown) { // deleted meanwhile
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
