package quarantine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
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

// NewDir returns the store in a directory, which is made when the first message
// is kept. warn is told what went wrong beside the store itself: an index that is
// out of order costs no message.
func NewDir(path string, index Index, warn func(error)) *Dir {
	return &Dir{path: path, index: index, warn: warn}
}

// idLength and idLetters are those of the ids the judge makes.
const (
	idLength  = 16
	idLetters = "0123456789abcdefghjkmnpqrstvwxyz"
)

// validID reports whether an id may be part of a path.
func validID(id string) bool {
	return len(id) == idLength && strings.Trim(id, idLetters) == ""
}

func (d *Dir) shard(id string) string   { return filepath.Join(d.path, id[:4]) }
func (d *Dir) message(id string) string { return filepath.Join(d.shard(id), id+".eml.gz") }
func (d *Dir) entry(id string) string   { return filepath.Join(d.shard(id), id+".json") }

// Keep writes the copy and returns when both files, and their names, are on the
// disk.
func (d *Dir) Keep(ctx context.Context, c policy.Copy) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e, err := d.keep(c)
	if errors.Is(err, fs.ErrNotExist) { // its directory went with the last message in it
		e, err = d.keep(c)
	}
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	d.late(d.index.Put(ctx, e.Row()))
	return nil
}

func (d *Dir) keep(c policy.Copy) (Entry, error) {
	e := Entry{Record: c.Record, Class: class(c.Record), State: Kept}
	id := c.Record.ID
	if !validID(id) {
		return e, fmt.Errorf("%q is no id", id)
	}
	if err := errors.Join(disk.MakeDir(d.path), disk.MakeDir(d.shard(id))); err != nil {
		return e, err
	}
	part := d.message(id) + ".part"
	var err error
	if e.SHA256, e.Stored, err = pack(part, c.Raw); err != nil {
		return e, err
	}
	if err = d.write(e); err == nil {
		err = os.Rename(part, d.message(id))
	}
	if err != nil {
		os.Remove(part)
		os.Remove(d.entry(id))
		return e, err
	}
	return e, disk.SyncDir(d.shard(id))
}

// write puts an entry on the disk.
func (d *Dir) write(e Entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return disk.Write(d.shard(e.Record.ID), e.Record.ID+".json", func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// Entry reads an entry.
func (d *Dir) Entry(_ context.Context, id string) (Entry, error) {
	if !validID(id) {
		return Entry{}, ErrUnknown
	}
	if _, err := os.Stat(d.message(id)); err != nil {
		return Entry{}, unknown(err)
	}
	text, err := os.ReadFile(d.entry(id))
	if err != nil {
		return Entry{}, unknown(err)
	}
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("%s: %w", d.entry(id), err)
	}
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
	return unpack(d.message(id), e.SHA256)
}

// Change alters an entry under the lock of the directory.
func (d *Dir) Change(ctx context.Context, id string, change func(*Entry) error) error {
	unlock, err := disk.Lock(filepath.Join(d.path, "lock"))
	if err != nil {
		return unknown(err)
	}
	defer unlock()
	e, err := d.Entry(ctx, id)
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
	if err := errors.Join(d.write(e), disk.SyncDir(d.shard(id))); err != nil {
		return err
	}
	d.late(d.index.Put(ctx, e.Row()))
	return nil
}

// Delete removes the message first, since without it there is no entry.
func (d *Dir) Delete(ctx context.Context, id string, why Event) error {
	unlock, err := disk.Lock(filepath.Join(d.path, "lock"))
	if err != nil {
		return unknown(err)
	}
	defer unlock()
	if _, err := d.Entry(ctx, id); errors.Is(err, ErrUnknown) {
		d.late(d.index.Delete(ctx, id))
		return err
	}
	if err := d.audit(id, why); err != nil {
		return err
	}
	if err := errors.Join(os.Remove(d.message(id)), os.Remove(d.entry(id))); err != nil {
		return err
	}
	os.Remove(d.shard(id)) // which works if that was the last
	d.late(d.index.Delete(ctx, id))
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
	f, err := os.OpenFile(filepath.Join(d.path, "audit.log"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

// Find asks the index, which is made anew if it was lost.
func (d *Dir) Find(ctx context.Context, f Filter) ([]Row, error) {
	rows, err := d.index.Find(ctx, f)
	if !errors.Is(err, ErrIncomplete) {
		return rows, err
	}
	_, unreadable, err := d.Reindex(ctx)
	if err != nil {
		return nil, err
	}
	for _, err := range unreadable {
		d.warn(err)
	}
	return d.index.Find(ctx, f)
}

// late reports that the index does not know of a change. That is no failure of
// the store.
func (d *Dir) late(err error) {
	if err != nil {
		d.warn(fmt.Errorf("quarantine: the index is out of date until \"milterscan quarantine reindex\": %w", err))
	}
}

// Reindex makes the index anew from the files, and returns how many messages
// there are, and what cannot be read.
func (d *Dir) Reindex(ctx context.Context) (n int, unreadable []error, err error) {
	begun := time.Now()
	var rows []Row
	for id := range d.ids() {
		e, err := d.Entry(ctx, id)
		switch {
		case errors.Is(err, ErrUnknown): // deleted meanwhile
		case err != nil:
			unreadable = append(unreadable, err)
		default:
			rows = append(rows, e.Row())
		}
	}
	return len(rows), unreadable, d.index.Replace(ctx, rows, begun)
}

// ids are the ids of all messages, oldest first.
func (d *Dir) ids() iter.Seq[string] {
	return func(yield func(string) bool) {
		shards, _ := os.ReadDir(d.path) // sorted; none if it cannot be read
		for _, s := range shards {
			files, _ := os.ReadDir(filepath.Join(d.path, s.Name()))
			for _, f := range files {
				id, ok := strings.CutSuffix(f.Name(), ".eml.gz")
				if ok && validID(id) && strings.HasPrefix(id, s.Name()) && !yield(id) {
					return
				}
			}
		}
	}
}
