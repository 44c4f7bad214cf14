package quarantine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/milterscan/milterscan/policy/disk"
)

// Parcel is a kept message on its way from one store to another: its entry, and the message as Pack has
// compressed it.
type Parcel struct {
	Entry  Entry
	Packed io.ReadSeeker
}

// ErrDamaged says that a message is not what was kept, or cannot be read: it stays where it is.
var ErrDamaged = errors.New("the message or its entry cannot be read")

// moved is the event by which the audit log of a directory says that a message has gone to another store.
const moved = "move"

// IDs returns the ids of all messages, oldest first.
func (d *Dir) IDs() (list []string, err error) {
	root, err := disk.Open(d.path, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for id := range ids(root) {
		list = append(list, id)
	}
	return list, nil
}

// Has reports whether a message is there.
func (d *Dir) Has(id string) bool {
	if !ValidID(id) {
		return false
	}
	shard, err := d.open(id)
	if err != nil {
		return false
	}
	defer shard.Close()
	_, err = shard.Stat(messageOf(id))
	return err == nil
}

// Move has take write a message down elsewhere, and removes it when take has returned nil. No other process changes
// the message meanwhile, so that it is never in two places at which something could be done with it; if the process
// ends in between, it is in both until it is moved again. A message that is not the one that was kept is not given to
// take.
func (d *Dir) Move(ctx context.Context, id, to string, take func(Parcel) error) error {
	err := d.locked(id, func(shard *os.Root) error {
		p, closer, err := parcel(shard, id)
		if err != nil {
			return err
		}
		defer closer.Close()
		if err := take(p); err != nil {
			return err
		}
		return d.gone(shard, id, Event{Time: time.Now(), What: moved, By: "milterscan", Note: to})
	})
	if err == nil {
		d.late(d.index.Delete(ctx, id))
		d.leave(id)
	}
	return err
}

// parcel returns a message after reading it to its end. The caller closes it.
func parcel(shard *os.Root, id string) (p Parcel, c io.Closer, err error) {
	damaged := func(err error) error {
		if errors.Is(err, ErrUnknown) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if p.Entry, err = entryIn(shard, id); err != nil {
		return p, nil, damaged(err)
	}
	whole, err := unpack(shard, messageOf(id), p.Entry.SHA256)
	if err != nil {
		return p, nil, damaged(err)
	}
	_, err = io.Copy(io.Discard, whole)
	if err = errors.Join(err, whole.Close()); err != nil {
		return p, nil, damaged(err)
	}
	f, err := shard.Open(messageOf(id))
	if err != nil {
		return p, nil, unknown(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return p, nil, err
	}
	p.Entry.Stored, p.Packed = info.Size(), f
	return p, f, nil
}

// leave removes the directory of a message if that was the last in it.
func (d *Dir) leave(id string) {
	if root, err := disk.Open(d.path, ""); err == nil && ValidID(id) {
		root.Remove(shardOf(id)) // which fails if it was not
		root.Close()
	}
}

// Unindexed is the index of a directory of few messages, which has none: they are asked one by one.
type Unindexed struct{}

// Put does nothing.
func (Unindexed) Put(context.Context, Row) error { return nil }

// Delete does nothing.
func (Unindexed) Delete(context.Context, string) error { return nil }

// Find knows nothing.
func (Unindexed) Find(context.Context, Filter) ([]Row, error) { return nil, ErrIncomplete }

// Replace does nothing.
func (Unindexed) Replace(context.Context, []Row, time.Time) error { return nil }
