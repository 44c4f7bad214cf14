package quarantine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/milterscan/milterscan/policy"
	"github.com/milterscan/milterscan/policy/disk"
)

// Dir is a Store in a directory. Each message has two files, in a directory
// named after the beginning of its id, which changes every three days:
//
//	06h0/06h08cfwgrgbyv96.eml.gz   the message byte for byte, for zcat(1)
//	06h0/06h08cfwgrgbyv96.json     its Entry
//	audit.log                      one Event a line, for good
//	lock                           is locked while an entry is changed
//
// The message gets its name last, so one that is there is complete. The
// directory may be used by several processes at once.
type Dir struct {
	path  string
	index Index
	warn  func(error)
}

// IndexFile is the name of the file, in the directory, with the index of the programs.
const IndexFile = "index.db"

// NewDir returns the store in a directory, which is made when the first message
// is kept. warn is told of errors outside the store itself: an index that is
// out of order costs no message.
func NewDir(path string, index Index, warn func(error)) *Dir {
	return &Dir{path: path, index: index, warn: warn}
}

// idLength and idLetters are those of the ids the judge makes.
const (
	idLength  = 16
	idLetters = "0123456789abcdefghjkmnpqrstvwxyz"
)

// Begin returns the entry of a copy that is about to be made, without the values that only the copy
// gives.
func Begin(c policy.Copy) (Entry, error) {
	if !ValidID(c.Record.ID) {
		return Entry{}, fmt.Errorf("%q is no id", c.Record.ID)
	}
	at := time.Now().UTC().Truncate(time.Millisecond)
	return Entry{Record: c.Record, Class: class(c.Record), State: Kept, KeptAt: at, Awaits: awaits(c.Jobs, at)}, nil
}

// ValidID reports whether an id may be part of a path.
func ValidID(id string) bool {
	return len(id) == idLength && strings.Trim(id, idLetters) == ""
}

// The names of what belongs to a message: its directory, and the files in it.
func shardOf(id string) string   { return id[:4] }
func messageOf(id string) string { return id + ".eml.gz" }
func entryOf(id string) string   { return id + ".json" }

// open opens the directory of a message. Files are reached through it and no other
// way: root may run a command on a directory of the daemon's user, whose links must
// not lead root anywhere.
func (d *Dir) open(id string) (*os.Root, error) { return disk.Open(d.path, shardOf(id)) }

// Keep writes the copy and returns when both files, and their names, are on the
// disk, or fails when ctx is done.
func (d *Dir) Keep(ctx context.Context, c policy.Copy) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e, err := d.keep(ctx, c)
	if errors.Is(err, fs.ErrNotExist) { // its directory went with the last message in it
		e, err = d.keep(ctx, c)
	}
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	d.late(d.index.Put(ctx, e.Row()))
	return nil
}

func (d *Dir) keep(ctx context.Context, c policy.Copy) (Entry, error) {
	e, err := Begin(c)
	if err != nil {
		return e, err
	}
	id := c.Record.ID
	shard, err := d.make(id)
	if err != nil {
		return e, err
	}
	defer shard.Close()
	part := messageOf(id) + ".part"
	if e.SHA256, e.Stored, err = pack(ctx, shard, part, c.Raw); err != nil {
		return e, err
	}
	if err = write(shard, e); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = shard.Rename(part, messageOf(id))
	}
	if err != nil {
		shard.Remove(part)
		shard.Remove(entryOf(id))
		return e, err
	}
	return e, disk.Sync(shard)
}

// make opens the directory of a message, and makes it if it is not there.
func (d *Dir) make(id string) (*os.Root, error) {
	if err := disk.MakeDir(d.path); err != nil {
		return nil, err
	}
	root, err := disk.Open(d.path, "")
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := disk.MakeSub(root, shardOf(id)); err != nil {
		return nil, err
	}
	return root.OpenRoot(shardOf(id))
}

// write puts an entry on the disk.
func write(shard *os.Root, e Entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return disk.Write(shard, entryOf(e.Record.ID), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// Entry reads an entry.
func (d *Dir) Entry(_ context.Context, id string) (Entry, error) {
	if !ValidID(id) {
		return Entry{}, ErrUnknown
	}
	shard, err := d.open(id)
	if err != nil {
		return Entry{}, unknown(err)
	}
	defer shard.Close()
	return entryIn(shard, id)
}

// entryIn reads the entry of a message that is there.
func entryIn(shard *os.Root, id string) (e Entry, err error) {
	if _, err := shard.Stat(messageOf(id)); err != nil {
		return e, unknown(err)
	}
	text, err := shard.ReadFile(entryOf(id))
	if err != nil {
		return e, unknown(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("%s: %w", filepath.Join(shard.Name(), entryOf(id)), err)
	}
	e.Record.Upgrade()
	return e, nil
}

// unknown makes ErrUnknown of an error that says so.
func unknown(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrUnknown
	}
	return err
}

// Open opens the message.
func (d *Dir) Open(ctx context.Context, id string) (io.ReadCloser, error) {
	e, err := d.Entry(ctx, id)
	if err != nil {
		return nil, err
	}
	shard, err := d.open(id)
	if err != nil {
		return nil, unknown(err)
	}
	defer shard.Close()
	return unpack(shard, messageOf(id), e.SHA256)
}

// Change alters an entry under the lock of the directory.
func (d *Dir) Change(ctx context.Context, id string, change func(*Entry) error) error {
	return d.locked(id, func(shard *os.Root) error {
		e, err := entryIn(shard, id)
		if err != nil {
			return err
		}
		before := len(e.Events)
		if err := change(&e); err != nil {
			return err
		}
		for _, event := range e.Events[before:] {
			if err := d.audit(id, event); err != nil {
				return err
			}
		}
		if err := errors.Join(write(shard, e), disk.Sync(shard)); err != nil {
			return err
		}
		d.late(d.index.Put(ctx, e.Row()))
		return nil
	})
}

// locked does something with the directory of a message under the lock of ours.
func (d *Dir) locked(id string, do func(shard *os.Root) error) error {
	if !ValidID(id) {
		return ErrUnknown
	}
	unlock, err := disk.Lock(filepath.Join(d.path, "lock"))
	if err != nil {
		return unknown(err)
	}
	defer unlock()
	shard, err := d.open(id)
	if err != nil {
		return unknown(err)
	}
	defer shard.Close()
	return do(shard)
}

// Delete removes the message first, since without it there is no entry. The audit
// log is written after that: it may be that there is no room for it before.
func (d *Dir) Delete(ctx context.Context, id string, why Event) error {
	err := d.locked(id, func(shard *os.Root) error {
		if _, err := entryIn(shard, id); errors.Is(err, ErrUnknown) {
			return err
		}
		return d.gone(shard, id, why)
	})
	if err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	d.late(d.index.Delete(ctx, id))
	d.leave(id)
	return err
}

// gone removes the files of a message, and says so in the audit log afterwards: on a full disk there is no room for
// the line before.
func (d *Dir) gone(shard *os.Root, id string, why Event) error {
	if err := errors.Join(shard.Remove(messageOf(id)), shard.Remove(entryOf(id))); err != nil {
		return err
	}
	if err := d.audit(id, why); err != nil {
		d.warn(fmt.Errorf("%s is removed, but the audit log does not say so: %w", id, err))
	}
	return nil
}

// audit adds a line to the audit log, and returns when it is on the disk.
func (d *Dir) audit(id string, e Event) error {
	line, err := json.Marshal(struct {
		ID string `json:"id"`
		Event
	}{id, e})
	if err != nil {
		return err
	}
	root, err := disk.Open(d.path, "")
	if err != nil {
		return err
	}
	defer root.Close()
	return disk.Append(root, "audit.log", append(line, '\n'))
}

// Find asks the index, which is made again if it was lost. Where it cannot be used, on
// a full disk or for want of rights, the messages themselves are asked. Where no message
// has ever been kept, it makes no index.
func (d *Dir) Find(ctx context.Context, f Filter) ([]Row, error) {
	if _, err := os.Stat(d.path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	rows, err := d.index.Find(ctx, f)
	if err == nil || ctx.Err() != nil {
		return rows, err
	}
	begun := time.Now()
	rows, unreadable, readErr := d.rows(ctx, func() {})
	if readErr != nil {
		return nil, errors.Join(err, readErr)
	}
	if errors.Is(err, ErrIncomplete) {
		err = d.index.Replace(ctx, rows, begun)
	}
	d.late(err)
	for _, err := range unreadable {
		d.warn(err)
	}
	return f.pick(rows), nil
}

// pick returns the rows that a filter lets through, newest first.
func (f Filter) pick(rows []Row) []Row {
	rows = slices.DeleteFunc(rows, func(r Row) bool { return !f.Matches(r) })
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Time.UnixMilli(), a.Time.UnixMilli()), cmp.Compare(b.ID, a.ID))
	})
	if f.Limit > 0 {
		rows = rows[:min(len(rows), f.Limit)]
	}
	return rows
}

// late reports that the index does not know of a change. That is no failure of
// the store.
func (d *Dir) late(err error) {
	if err != nil {
		d.warn(outOfDate(err))
	}
}

func outOfDate(err error) error {
	return fmt.Errorf("quarantine: the index is out of date until \"milterscan quarantine reindex\": %w", err)
}

// Reindex makes the index again from the files, and returns how many messages
// there are, and what cannot be read. It calls step after each.
func (d *Dir) Reindex(ctx context.Context, step func()) (n int, unreadable []error, err error) {
	begun := time.Now()
	rows, unreadable, err := d.rows(ctx, step)
	if err != nil {
		return 0, unreadable, err
	}
	return len(rows), unreadable, d.index.Replace(ctx, rows, begun)
}

// rows reads all messages, and returns an error for those it cannot read. The error says that the
// directory cannot.
func (d *Dir) rows(ctx context.Context, step func()) (rows []Row, unreadable []error, err error) {
	root, err := disk.Open(d.path, "")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	for id := range ids(root) {
		e, err := d.Entry(ctx, id)
		switch {
		case errors.Is(err, ErrUnknown): // deleted meanwhile
		case err != nil:
			unreadable = append(unreadable, err)
		default:
			rows = append(rows, e.Row())
		}
		step()
	}
	return rows, unreadable, nil
}

// ids returns the ids of all messages, oldest first. It opens directories only: the index
// may be in this one, and a process that closes any descriptor of a file loses the locks it
// has on it, by which SQLite tells others that it has a database open.
func ids(root *os.Root) iter.Seq[string] {
	return func(yield func(string) bool) {
		shards, _ := fs.ReadDir(root.FS(), ".") // sorted; none if it cannot be read
		for _, s := range shards {
			if !s.IsDir() {
				continue
			}
			files, _ := fs.ReadDir(root.FS(), s.Name())
			for _, f := range files {
				id, ok := strings.CutSuffix(f.Name(), ".eml.gz")
				if ok && ValidID(id) && strings.HasPrefix(id, s.Name()) && !yield(id) {
					return
				}
			}
		}
	}
}
